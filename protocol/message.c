/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_ENTRIES 16
#define READ_CHUNK 1000 /* with the secret's growth a round 1024 or 2048 */
#define NUMBER_DIGITS_MAX 18

void
rbr_message_wipe(struct rbr_message *message)
{
	rbr_secret_wipe(&message->text);
	free(message->entries);
	*message = RBR_MESSAGE_EMPTY;
}

static int
grow(struct rbr_message *message)
{
	size_t capacity = message->capacity ? message->capacity * 2 : FIRST_ENTRIES;
	struct rbr_entry *entries;

	if (message->count < message->capacity)
		return 0;
	entries = reallocarray(message->entries, capacity, sizeof *entries);
	if (!entries)
		return RINGBEARER_E_SYSTEM;
	message->entries = entries;
	message->capacity = capacity;
	return 0;
}

static int
append(struct rbr_message *message, const char *key, size_t key_size, const char *value, size_t value_size,
	uint32_t line)
{
	struct ringbearer_secret *text = &message->text;
	struct rbr_entry entry = {.line = line};
	int rc = grow(message);

	if (rc == 0)
		rc = rbr_secret_reserve(text, key_size + value_size + 2);
	if (rc < 0)
		return rc;
	entry.key = (uint32_t)text->size;
	entry.value = (uint32_t)(text->size + key_size + 1);
	memcpy(text->data + entry.key, key, key_size);
	text->data[entry.key + key_size] = '\0';
	memcpy(text->data + entry.value, value, value_size);
	text->size = entry.value + value_size + 1;
	text->data[text->size - 1] = '\0';
	text->data[text->size] = '\0';
	message->entries[message->count++] = entry;
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts blanks at both ends of *TEXT. */
static void
trim(const char **text, size_t *size)
{
	while (*size > 0 && is_blank(**text)) {
		(*text)++;
		(*size)--;
	}
	while (*size > 0 && is_blank((*text)[*size - 1]))
		(*size)--;
}

/* One line without its newline. */
static int
parse_line(struct rbr_message *message, const char *line, size_t size, enum rbr_dialect dialect, uint32_t number,
	const char *what, int code, struct rbr_error *error)
{
	const char *equals, *key = line, *value;
	size_t key_size, value_size;
	int rc;

	if (memchr(line, '\0', size))
		return rbr_fail(error, code, "%s, line %u: holds a NUL byte", what, number);
	if (memchr(line, '\r', size))
		return rbr_fail(error, code, "%s, line %u: holds a carriage return; lines end with a newline alone",
			what, number);
	if (dialect == RBR_DIALECT_FILE) {
		trim(&line, &size);
		if (size == 0 || *line == '#')
			return 0;
		key = line;
	}
	equals = memchr(line, '=', size);
	if (!equals)
		return rbr_fail(error, code, "%s, line %u: has no `=`; write key=value", what, number);
	value = equals + 1;
	key_size = (size_t)(equals - line);
	value_size = size - key_size - 1;
	if (dialect == RBR_DIALECT_FILE) {
		trim(&key, &key_size);
		trim(&value, &value_size);
	}
	if (key_size == 0)
		return rbr_fail(error, code, "%s, line %u: has an empty key; write key=value", what, number);
	if (message->count >= RBR_MESSAGE_ENTRIES_MAX)
		return rbr_fail(error, code, "%s: has more than %u lines", what, RBR_MESSAGE_ENTRIES_MAX);
	rc = append(message, key, key_size, value, value_size, number);
	return rc < 0 ? rbr_fail_memory(error) : 0;
}

int
rbr_message_parse(struct rbr_message *message, const char *text, size_t size, enum rbr_dialect dialect,
	const char *what, int code, struct rbr_error *error)
{
	size_t limit = dialect == RBR_DIALECT_FILE ? RBR_MESSAGE_FILE_MAX : RBR_MESSAGE_MAX;
	uint32_t number = 0;
	size_t start, line;
	int rc;

	if (size > limit)
		return rbr_fail(error, code, "%s: is longer than %zu bytes", what, limit);
	for (start = 0; start < size; start += line + 1) {
		const char *newline = memchr(text + start, '\n', size - start);

		line = newline ? (size_t)(newline - (text + start)) : size - start;
		number++;
		if (line + 1 > RBR_LINE_MAX)
			return rbr_fail(
				error, code, "%s, line %u: is longer than %u bytes", what, number, RBR_LINE_MAX);
		if (line == 0 && dialect == RBR_DIALECT_WIRE)
			return 0;
		rc = parse_line(message, text + start, line, dialect, number, what, code, error);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Is the message in TEXT whole, looking from FROM on? An empty line ends it. */
static bool
has_blank_line(const struct ringbearer_secret *text, size_t from)
{
	if (text->size > 0 && text->data[0] == '\n')
		return true;
	from = from > 0 ? from - 1 : 0;
	return text->size > from && memmem(text->data + from, text->size - from, "\n\n", 2);
}

int
rbr_message_take(int descriptor, struct ringbearer_secret *text, struct rbr_error *error)
{
	ssize_t got;

	do {
		size_t before = text->size;

		if (text->size > RBR_MESSAGE_MAX)
			return 0; /* parsing it says so */
		if (rbr_secret_reserve(text, READ_CHUNK) < 0)
			return rbr_fail_memory(error);
		got = read(descriptor, text->data + text->size, text->capacity - text->size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rbr_fail(error, RINGBEARER_E_SYSTEM, "the request cannot be read: %s", strerror(errno));
		text->size += (size_t)got;
		text->data[text->size] = '\0';
		if (has_blank_line(text, before))
			break;
	} while (got != 0);
	return 0;
}

int
rbr_message_read(struct rbr_message *message, int descriptor, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	int rc = rbr_message_take(descriptor, &text, error);

	return rc < 0 ? rc
		      : rbr_message_parse(message, rbr_secret_string(&text), text.size, RBR_DIALECT_WIRE, "the request",
				RINGBEARER_E_MALFORMED_REQUEST, error);
}

int
rbr_message_add(struct rbr_message *message, const char *key, const char *value)
{
	size_t key_size = strlen(key), value_size = strlen(value);

	if (key_size == 0 || strpbrk(key, "=\r\n") || strpbrk(value, "\r\n") ||
		key_size + value_size + 2 > RBR_LINE_MAX || message->count >= RBR_MESSAGE_ENTRIES_MAX)
		return RINGBEARER_E_MALFORMED_REQUEST;
	return append(message, key, key_size, value, value_size, 0);
}

int
rbr_message_add_number(struct rbr_message *message, const char *key, int64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof digits, "%" PRId64, value);
	return rbr_message_add(message, key, digits);
}

const char *
rbr_message_key(const struct rbr_message *message, size_t index)
{
	return message->text.data + message->entries[index].key;
}

const char *
rbr_message_value(const struct rbr_message *message, size_t index)
{
	return message->text.data + message->entries[index].value;
}

const char *
rbr_message_get(const struct rbr_message *message, const char *key)
{
	const char *each;
	size_t i;

	for (i = message->count; i-- > 0;) {
		each = rbr_message_key(message, i);
		if (*each == *key && strcmp(each, key) == 0)
			return rbr_message_value(message, i);
	}
	return NULL;
}

int64_t
rbr_message_get_number(const struct rbr_message *message, const char *key, int64_t absent)
{
	const char *value = rbr_message_get(message, key);
	int64_t number = 0;
	size_t digits;

	if (!value)
		return absent;
	for (digits = 0; digits < NUMBER_DIGITS_MAX && value[digits] >= '0' && value[digits] <= '9'; digits++)
		number = number * 10 + (value[digits] - '0');
	return digits > 0 && value[digits] == '\0' ? number : absent;
}

const char *
rbr_message_next(const struct rbr_message *message, const char *key, size_t *cursor)
{
	size_t i;

	if (*cursor == 0)
		for (i = 0; i < message->count; i++)
			if (*rbr_message_value(message, i) == '\0' && strcmp(rbr_message_key(message, i), key) == 0)
				*cursor = i + 1;
	for (i = *cursor; i < message->count; i++)
		if (strcmp(rbr_message_key(message, i), key) == 0) {
			*cursor = i + 1;
			return rbr_message_value(message, i);
		}
	*cursor = message->count;
	return NULL;
}

bool
rbr_message_has(const struct rbr_message *message, const char *key, const char *value)
{
	size_t cursor = 0;
	const char *each;

	while ((each = rbr_message_next(message, key, &cursor)))
		if (strcmp(each, value) == 0)
			return true;
	return false;
}

int
rbr_message_format(const struct rbr_message *message, struct ringbearer_secret *out)
{
	size_t i;
	int rc = rbr_secret_reserve(out, message->text.size);

	for (i = 0; rc == 0 && i < message->count; i++) {
		rc = rbr_secret_append_string(out, rbr_message_key(message, i));
		if (rc == 0)
			rc = rbr_secret_append(out, "=", 1);
		if (rc == 0)
			rc = rbr_secret_append_string(out, rbr_message_value(message, i));
		if (rc == 0)
			rc = rbr_secret_append(out, "\n", 1);
	}
	return rc;
}
