/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "json.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER_NAME_MAX 32 /* of one that is looked for in a text, with its quotes */
#define INTEGER_DIGITS_MAX 18 /* that 64 bits surely hold */

/* Skips the string at TEXT[*AT] (the opening quote). False if it is not closed or holds a control character, or if it is
 * a member's name and holds an escaped NUL, at which json-c would cut it. */
static bool
skip_string(const char *text, size_t size, size_t *at)
{
	bool has_nul = false;
	size_t i;

	for (i = *at + 1; i < size; i++) {
		if ((unsigned char)text[i] < 0x20)
			return false;
		if (text[i] == '\\') {
			has_nul = has_nul || (size - i > 5 && strncmp(text + i + 1, "u0000", 5) == 0);
			i++;
		} else if (text[i] == '"') {
			*at = i++;
			while (i < size && strchr(" \t\r\n", text[i]) && text[i] != '\0')
				i++;
			return !has_nul || i == size || text[i] != ':';
		}
	}
	return false;
}

/* Looks for what json-c lets pass, and counts the members of all objects. */
static bool
is_strict(const char *text, size_t size, size_t *ret_members)
{
	size_t i, depth = 0;

	*ret_members = 0;
	for (i = 0; i < size; i++) {
		switch (text[i]) {
		case '"':
			if (!skip_string(text, size, &i))
				return false;
			break;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return false;
			depth--;
			break;
		case ':':
			++*ret_members;
			break;
		default:
			/* what numbers, true, false, null and white space are made of */
			if (text[i] == '\0' || !strchr("0123456789+-.eE truefalsn,\t\r\n", text[i]))
				return false;
		}
	}
	return depth == 0;
}

/* The members that json-c has kept: of two with the same name it keeps one. The depth is limited by the parser. */
static size_t
count_members(struct json_object *value)
{
	size_t members = 0, i;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			members += 1 + count_members(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (i = 0; i < json_object_array_length(value); i++)
			members += count_members(json_object_array_get_idx(value, i));
	}
	return members;
}

/* One object and nothing after it. */
static struct json_object *
parse(const char *text, size_t size, int flags)
{
	struct json_tokener *tokener = json_tokener_new_ex(RBR_JSON_DEPTH_MAX);
	struct json_object *object;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, flags);
	object = json_tokener_parse_ex(tokener, text, (int)size);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
		strspn(text + json_tokener_get_parse_end(tokener), " \t\r\n") !=
			size - json_tokener_get_parse_end(tokener) ||
		!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

/* A copy with a question mark for each byte that is no ASCII; NULL: no memory. */
static char *
copy_ascii(const char *text, size_t size)
{
	char *ascii = malloc(size + 1);
	size_t i;

	if (!ascii)
		return NULL;
	for (i = 0; i < size; i++)
		ascii[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	ascii[size] = '\0';
	return ascii;
}

static void
wipe_copy(char *ascii, size_t size)
{
	explicit_bzero(ascii, size);
	free(ascii);
}

/* Makes numbers with an exponent of integers that 64 bits may not hold; in strings it does no harm. */
static void
shorten_integers(char *text, size_t size)
{
	size_t i = 0, begin;

	while (i < size) {
		begin = i;
		while (i < size && text[i] >= '0' && text[i] <= '9')
			i++;
		if (i - begin > INTEGER_DIGITS_MAX && (i == size || !strchr(".eE", text[i])) &&
			(begin == 0 || !strchr(".eE+", text[begin - 1])) &&
			(begin < 2 || text[begin - 1] != '-' || !strchr("eE", text[begin - 2]))) {
			text[i - 2] = 'e';
			text[i - 1] = '0';
		}
		i += i == begin;
	}
}

/* Where it is strict, json-c 0.18 takes bytes that are no ASCII for control characters, and refuses integers of more than 64
 * bits. So the form is looked at in a copy that has neither. The bytes are in strings: is_strict() has seen to that. */
static bool
has_strict_form(const char *text, size_t size)
{
	char *copy = copy_ascii(text, size);
	struct json_object *object;

	if (!copy)
		return false;
	shorten_integers(copy, size);
	object = parse(copy, size, JSON_TOKENER_STRICT);
	wipe_copy(copy, size);
	json_object_put(object);
	return object != NULL;
}

struct json_object *
rbr_json_parse(const char *text, size_t size)
{
	static const char mark[] = {'\xef', '\xbb', '\xbf'};
	struct json_object *object;
	size_t members;

	if (size >= sizeof mark && memcmp(text, mark, sizeof mark) == 0) {
		text += sizeof mark;
		size -= sizeof mark;
	}
	if (size == 0 || size > INT_MAX || !is_strict(text, size, &members))
		return NULL;
	object = has_strict_form(text, size) ? parse(text, size, JSON_TOKENER_VALIDATE_UTF8) : NULL;
	if (object && count_members(object) != members) {
		json_object_put(object);
		object = NULL;
	}
	return object;
}

struct json_object *
rbr_json_parse_loose(const char *text, size_t size)
{
	struct json_object *object;
	char *ascii = copy_ascii(text, size);

	if (!ascii)
		return NULL;
	object = rbr_json_parse(ascii, size);
	wipe_copy(ascii, size);
	return object;
}

/* [blanks] [-] digits [. digits] [blanks] */
static bool
read_decimal(const char *text, int64_t *ret_number)
{
	static const char digits[] = "0123456789";
	const char *p = text + strspn(text, " \t\r\n");
	bool negative = *p == '-';
	int64_t number = 0;

	p += negative;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		number = number > (INT64_MAX - 9) / 10 ? INT64_MAX - 9 : number * 10 + (*p - '0');
	if (*p == '.') {
		if (strspn(p + 1, digits) == 0)
			return false;
		p += 1 + strspn(p + 1, digits);
	}
	if (p[strspn(p, " \t\r\n")] != '\0')
		return false;
	*ret_number = negative ? -number : number;
	return true;
}

bool
rbr_json_number(struct json_object *object, const char *name, int64_t *ret_number)
{
	struct json_object *member;
	const char *text = rbr_json_text(object, name);
	double number;

	if (text)
		return read_decimal(text, ret_number);
	if (!json_object_object_get_ex(object, name, &member))
		return false;
	if (json_object_is_type(member, json_type_int)) {
		*ret_number = json_object_get_int64(member);
		return true;
	}
	number = json_object_is_type(member, json_type_double) ? json_object_get_double(member) : NAN;
	if (isnan(number))
		return false;
	*ret_number = number >= 9e18 ? INT64_MAX : number <= -9e18 ? INT64_MIN : (int64_t)number;
	return true;
}

const char *
rbr_json_text(struct json_object *object, const char *name)
{
	struct json_object *member;
	const char *text;

	if (!json_object_object_get_ex(object, name, &member) || !json_object_is_type(member, json_type_string))
		return NULL;
	text = json_object_get_string(member);
	return text && strlen(text) == (size_t)json_object_get_string_len(member) ? text : NULL;
}

bool
rbr_json_has(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member) && member;
}

/* The first byte at or behind TEXT, before END, that is no white space. */
static const char *
skip_space(const char *text, const char *end)
{
	while (text < end && *text != '\0' && strchr(" \t\r\n", *text))
		text++;
	return text;
}

bool
rbr_json_find(const char *text, size_t size, const char *name, struct rbr_json_span *ret_span)
{
	const char *end = text + size, *found, *value, *p;
	char quoted[MEMBER_NAME_MAX];
	int length = snprintf(quoted, sizeof quoted, "\"%s\"", name);

	if (length < 0 || (size_t)length >= sizeof quoted)
		return false;
	found = memmem(text, size, quoted, (size_t)length);
	if (!found || memmem(found + 1, (size_t)(end - found - 1), quoted, (size_t)length))
		return false;
	p = skip_space(found + length, end);
	if (p == end || *p != ':')
		return false;
	p = skip_space(p + 1, end);
	if (p == end || *p != '"')
		return false;
	value = ++p;
	while (p < end && *p >= 0x20 && *p <= 0x7e && *p != '"' && *p != '\\')
		p++;
	if (p == end || *p != '"')
		return false;
	*ret_span = (struct rbr_json_span){found, (size_t)(p + 1 - found), value, (size_t)(p - value)};
	return true;
}
