/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "callback.h"

#include <string.h>

#include "protocol/writer.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes SIZE bytes of FROM into a string of its own. False for a broken escape, and for a control character unless it
 * is TEXT for people, where a blank takes its place. */
static bool
decode(const char *from, size_t size, bool text, struct rbr_writer *to)
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
		rbr_write_char(to, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
	}
	rbr_write_char(to, '\0');
	return rbr_writer_fits(to);
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

/* One `name=value`. What means nothing to us is checked and leaves nothing behind. */
static bool
take_parameter(struct rbr_callback *callback, const char *from, size_t size, struct rbr_writer *to)
{
	const char *equals = memchr(from, '=', size), *value = rbr_writer_at(to);
	size_t name_size = equals ? (size_t)(equals - from) : size, begun = to->used;
	const char **place;

	if (!decode(from, name_size, false, to))
		return false;
	place = slot(callback, value);
	rbr_writer_back(to, begun);
	if (!decode(equals ? equals + 1 : from, equals ? size - name_size - 1 : 0,
		    place == &callback->error_description, to))
		return false;
	if (place && *place)
		return false;
	if (place)
		*place = value;
	else
		rbr_writer_back(to, begun);
	return true;
}

bool
rbr_callback_parse(const char *query, size_t size, struct rbr_callback *ret_callback)
{
	const char *end = query + size;
	struct rbr_writer to;

	memset(ret_callback, 0, sizeof *ret_callback);
	to = rbr_writer_start(ret_callback->text, sizeof ret_callback->text);
	while (query < end) {
		const char *next = memchr(query, '&', (size_t)(end - query)), *stop = next ? next : end;

		if (!take_parameter(ret_callback, query, (size_t)(stop - query), &to))
			return false;
		query = next ? next + 1 : end;
	}
	return true;
}
