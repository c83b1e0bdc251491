/* SPDX-License-Identifier: MIT */
/* The query of an authorization response (RFC 6749 section 4.1.2, RFC 9207 section 2). */
#include "config.h"

#include <string.h>

#include "loopback.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes SIZE bytes of FROM to *TO with a NUL and moves *TO behind it. False for a broken escape, and for a
 * control character unless it is TEXT for people, where a blank takes its place. */
static bool
decode(const char *from, size_t size, bool text, char **to)
{
	size_t i;

	for (i = 0; i < size; i++) {
		char c = from[i] == '+' ? ' ' : from[i];

		if (c == '%') {
			if (size - i < 3 || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
				return false;
			c = (char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
			i += 2;
		}
		if (((unsigned char)c < 0x20 || c == 0x7f) && (!text || c == '\0'))
			return false;
		*(*to)++ = (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c;
	}
	*(*to)++ = '\0';
	return true;
}

/* Where the value of the parameter NAME goes; NULL for one that means nothing to us. */
static const char **
slot(struct rbr_callback *callback, const char *name)
{
	if (strcmp(name, "code") == 0)
		return &callback->code;
	if (strcmp(name, "state") == 0)
		return &callback->state;
	if (strcmp(name, "iss") == 0)
		return &callback->iss;
	if (strcmp(name, "error") == 0)
		return &callback->error;
	return strcmp(name, "error_description") == 0 ? &callback->error_description : NULL;
}

bool
rbr_callback_parse(const char *query, size_t size, struct rbr_callback *ret_callback)
{
	char *to = ret_callback->text;
	const char *end = query + size;

	memset(ret_callback, 0, sizeof *ret_callback);
	if (size + 2 > sizeof ret_callback->text)
		return false;
	while (query < end) {
		const char *next = memchr(query, '&', (size_t)(end - query)), *stop = next ? next : end;
		const char *equals = memchr(query, '=', (size_t)(stop - query)), *name = to, *value;
		const char **place;

		if (!decode(query, (size_t)((equals ? equals : stop) - query), false, &to))
			return false;
		value = to;
		place = slot(ret_callback, name);
		if (!equals)
			*to++ = '\0';
		else if (!decode(equals + 1, (size_t)(stop - equals - 1), place == &ret_callback->error_description,
				 &to))
			return false;
		if (place && *place)
			return false;
		if (place)
			*place = value;
		query = next ? next + 1 : end;
	}
	return true;
}
