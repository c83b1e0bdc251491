/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "challenge.h"

#include <string.h>
#include <strings.h>

/* Reads one token or quoted string of a challenge into VALUE (may be NULL), without quotes. *RET_FITS says whether all of
 * it went in. Returns what follows it. */
static const char *
take_value(const char *text, char *value, size_t size, bool *ret_fits)
{
	size_t used = 0;
	bool quoted = *text == '"';

	*ret_fits = true;
	if (quoted)
		text++;
	while (*text && (quoted ? *text != '"' : !strchr(", \t", *text))) {
		if (quoted && *text == '\\' && text[1])
			text++;
		if (value && used + 1 < size)
			value[used++] = *text;
		else
			*ret_fits = false;
		text++;
	}
	if (value && size > 0)
		value[used] = '\0';
	return quoted && *text ? text + 1 : text;
}

static bool
is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

/* Looks for the parameter NAME of SCHEME, or for SCHEME itself if NAME is NULL. */
static bool
search(const char *challenge, const char *scheme, const char *name, char *value, size_t size)
{
	const char *p = challenge, *equals;
	bool found = false, fits;

	while (*(p += strspn(p, ", \t"))) {
		size_t length = strcspn(p, "=, \t");
		bool wanted = found && name && is_word(p, length, name);

		equals =
			p + length + strspn(p + length, " \t"); /* blanks there are wrong, and to be taken (RFC 9110) */
		if (*equals != '=') { /* a scheme: what follows belongs to it */
			found = is_word(p, length, scheme);
			if (found && !name)
				return true;
			p += length;
			continue;
		}
		equals++;
		p = take_value(equals + strspn(equals, " \t"), wanted ? value : NULL, size, &fits);
		if (wanted)
			return fits;
	}
	return false;
}

bool
rbr_challenge_parameter(const char *challenge, const char *name, char *value, size_t size)
{
	return search(challenge, "Bearer", name, value, size);
}

bool
rbr_challenge_has(const char *challenge, const char *scheme)
{
	return search(challenge, scheme, NULL, NULL, 0);
}
