/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/fastpath/url.h"

const struct rbr_key_info rbr_keys[RBR_KEYS] = {
#define KEY(identifier, name, kind, repeats, initial, placeholder, help) \
	{name, kind, repeats, initial, placeholder, help},
#include "keys.def"
#undef KEY
};

int
rbr_key_find(const char *name)
{
	int key;

	for (key = 0; key < RBR_KEYS; key++)
		if (strcmp(rbr_keys[key].name, name) == 0)
			return key;
	return -1;
}

bool
rbr_key_is_of_store(enum rbr_key key)
{
	const char *name = rbr_keys[key].name;
	size_t size = strlen("store");

	return strncmp(name, "store", size) == 0 && (name[size] == '\0' || name[size] == '_');
}

const char *
rbr_key_option(enum rbr_key key, char option[RBR_KEY_OPTION_MAX])
{
	char *p;

	(void)snprintf(option, RBR_KEY_OPTION_MAX, "%s", rbr_keys[key].name);
	for (p = option; *p; p++)
		if (*p == '_')
			*p = '-';
	return option;
}

void
rbr_key_nearest(struct rbr_nearest *nearest)
{
	int key;

	for (key = 0; key < RBR_KEYS; key++)
		rbr_nearest_try(nearest, rbr_keys[key].name);
}

/* A number from 1 to RBR_SECONDS_MAX; *END points behind it. */
static bool
is_seconds(const char *text, const char **end)
{
	size_t digits = strspn(text, "0123456789");

	*end = text + digits;
	return digits > 0 && digits < 9 && atol(text) >= 1 && atol(text) <= RBR_SECONDS_MAX;
}

static bool
is_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool
is_choice(const char *choices, const char *text)
{
	size_t size = strlen(text);

	while (*choices) {
		size_t each = strcspn(choices, "|");

		if (each == size && strncmp(choices, text, size) == 0)
			return true;
		choices += each + (choices[each] == '|');
	}
	return false;
}

/* One of the kinds of units that can have LoadCredential= (systemd.exec(5)). */
static bool
is_unit(const char *text)
{
	const char *type = strrchr(text, '.');

	return text[strspn(text, RBR_UNIT_CHARACTERS)] == '\0' && type && type > text &&
		is_choice(".service|.socket|.mount|.swap", type);
}

bool
rbr_key_is_tenant(const char *text)
{
	size_t size = strspn(text, RBR_WORD_CHARACTERS);

	if (text[size] == '/' && strcspn(text, ".:") > size)
		return false; /* no host */
	for (; text[size] == '/' && size > 0; size = strspn(text, RBR_WORD_CHARACTERS)) {
		text += size + 1;
		if (*text == '.') /* it could lead up */
			return false;
	}
	return size > 0 && text[size] == '\0';
}

static int
check_url(const char *name, const char *text, bool endpoint, const char *where, struct rbr_error *error)
{
	struct rbr_url url;
	struct rbr_error why = {0};

	if (rbr_url_parse(&url, text, name, &why) < 0)
		return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: %s", where, why.detail);
	if (url.username[0] != '\0')
		return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `%s` must not hold a user name", where, name);
	if (endpoint && strchr(text, '#'))
		return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `%s` must not have a fragment", where, name);
	if ((endpoint || strcmp(url.scheme, "http") == 0) && !rbr_url_is_safe(&url))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"%s: `%s` must be https; http is for loopback addresses such as http://127.0.0.1 only", where,
			name);
	return 0;
}

int
rbr_key_check(const struct rbr_key_info *key, const char *text, const char *where, struct rbr_error *error)
{
	const char *kind = key->kind, *end, *wanted;
	bool fits;

	if (*text == '\0')
		return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `%s` is empty; give it a value or leave it out", where,
			key->name);
	if (strcmp(kind, "ENDPOINT") == 0 || strcmp(kind, "URL") == 0)
		return check_url(key->name, text, *kind == 'E', where, error);
	if (strcmp(kind, "TEXT") == 0) {
		fits = is_text(text);
		wanted = "text without control characters";
	} else if (strcmp(kind, "WORD") == 0) {
		fits = text[strspn(text, RBR_WORD_CHARACTERS)] == '\0';
		wanted = "letters, digits and `._~:[]-`";
	} else if (strcmp(kind, "TENANT") == 0) {
		fits = rbr_key_is_tenant(text);
		wanted = "letters, digits and `._~:[]-`, or a host with a path below it, such as git.example.com/forge";
	} else if (strcmp(kind, "UNIT") == 0) {
		fits = is_unit(text);
		wanted = "a unit's name, such as backup.service or backup@.service";
	} else if (strcmp(kind, "SECONDS") == 0) {
		fits = is_seconds(text, &end) && *end == '\0';
		wanted = "seconds from 1 to 86400";
	} else if (strcmp(kind, "AHEAD") == 0) {
		fits = is_seconds(text, &end) && (*end == '\0' || (strcmp(end, "%") == 0 && atol(text) < 100));
		wanted = "seconds from 1 to 86400, or 1% to 99% of the lifetime";
	} else if (strcmp(kind, "YES_NO") == 0) {
		fits = is_choice("yes|no", text);
		wanted = "yes or no";
	} else if (strcmp(kind, "PATH") == 0) {
		fits = text[0] == '/';
		wanted = "an absolute path";
	} else {
		fits = is_choice(kind, text);
		wanted = kind;
	}
	if (fits)
		return 0;
	return rbr_fail(
		error, RINGBEARER_E_CONFIG, "%s: `%s` cannot be `%.80s`; it takes %s", where, key->name, text, wanted);
}

/* `#` behind a blank, or alone in front: who writes that means a comment. */
static bool
has_comment(const char *text)
{
	const char *found = text;

	if (text[0] == '#' && (text[1] == '\0' || text[1] == ' ' || text[1] == '\t'))
		return true;
	while ((found = strchr(found, '#'))) {
		if (found > text && (found[-1] == ' ' || found[-1] == '\t'))
			return true;
		found++;
	}
	return false;
}

int
rbr_key_check_written(const struct rbr_key_info *key, const char *text, const char *where, struct rbr_error *error)
{
	if (has_comment(text))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"%s: a comment behind the value of `%s` would be part of it; give it a line of its own, or take the `#` out",
			where, key->name);
	return rbr_key_check(key, text, where, error);
}
