/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "scope.h"

#include <string.h>

#include "protocol/writer.h"

bool
rbr_scope_is_sound(const char *list)
{
	for (; *list; list++)
		if (*list < 0x20 || *list > 0x7e || *list == '"' || *list == '\\')
			return false;
	return true;
}

static bool
is_same(const char *one, size_t one_size, const char *other, size_t other_size)
{
	return one_size == other_size && memcmp(one, other, one_size) == 0;
}

bool
rbr_scope_has(const char *list, const char *word, size_t size)
{
	while (*list) {
		size_t each = strcspn(list, " ");

		if (is_same(list, each, word, size))
			return true;
		list += each + strspn(list + each, " ");
	}
	return false;
}

bool
rbr_scope_join(char list[RBR_SCOPE_MAX], const char *more)
{
	struct rbr_writer writer = {list, RBR_SCOPE_MAX, strlen(list), false};

	for (more += strspn(more, " "); *more; more += strspn(more, " ")) {
		size_t size = strcspn(more, " ");

		if (!rbr_scope_has(list, more, size)) {
			rbr_write_text(&writer, writer.used > 0 ? " " : "");
			rbr_write(&writer, more, size);
		}
		more += size;
	}
	return rbr_writer_fits(&writer);
}

/* Does LIST have WORD, as a word of its own or between commas? */
static bool
has_between_commas(const char *list, const char *word, size_t size)
{
	if (rbr_scope_has(list, word, size))
		return true;
	while (*list) {
		size_t each = strcspn(list, " ,");

		if (is_same(list, each, word, size))
			return true;
		list += each + strspn(list + each, " ,");
	}
	return false;
}

bool
rbr_scope_names(const char *list, const char *wanted)
{
	for (wanted += strspn(wanted, " "); *wanted; wanted += strspn(wanted, " ")) {
		size_t size = strcspn(wanted, " "), part = strcspn(wanted, " ,");

		if (!rbr_scope_has(list, wanted, size)) {
			if (part > 0 && !has_between_commas(list, wanted, part))
				return false;
			size = part + (wanted[part] == ',');
		}
		wanted += size;
	}
	return true;
}

/* Is LONG_FORM a URL that ends in the scope WORD? Google and Microsoft write the scopes that they grant, or want, so. */
static bool
is_longer_form(const char *long_form, size_t long_size, const char *word, size_t size)
{
	size_t before = long_size > size ? long_size - size - 1 : 0;

	return size > 0 && before > 0 && memmem(long_form, before, "://", 3) &&
		memcmp(long_form + before + 1, word, size) == 0 &&
		(long_form[before] == '/' || long_form[before] == '.');
}

static bool
is_everything(const char *word, size_t size)
{
	static const char all[] = "/.default"; /* whatever was consented to (Microsoft) */

	return size >= sizeof all - 1 && memcmp(word + size - (sizeof all - 1), all, sizeof all - 1) == 0;
}

/* Words that ask for another token than the access token: they need not come back with it. */
static bool
is_no_right(const char *word, size_t size)
{
	return is_same(word, size, "openid", strlen("openid")) ||
		is_same(word, size, "offline_access", strlen("offline_access"));
}

static bool
is_granted(const char *granted, const char *word, size_t size)
{
	if (is_no_right(word, size) || is_everything(word, size) || has_between_commas(granted, word, size))
		return true;
	while (*granted) {
		size_t each = strcspn(granted, " ");

		if (is_longer_form(granted, each, word, size) || is_longer_form(word, size, granted, each))
			return true;
		granted += each + strspn(granted + each, " ");
	}
	return false;
}

bool
rbr_scope_covers(const char *granted, const char *wanted)
{
	for (wanted += strspn(wanted, " "); *wanted; wanted += strspn(wanted, " ")) {
		size_t size = strcspn(wanted, " "), part = strcspn(wanted, " ,");

		if (!is_granted(granted, wanted, size)) {
			if (part == size || (part > 0 && !is_granted(granted, wanted, part)))
				return false;
			size = part + 1;
		}
		wanted += size;
	}
	return true;
}
