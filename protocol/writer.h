/* SPDX-License-Identifier: MIT */
/*
 * Text written into a buffer of a fixed size, by one cursor that knows where the buffer ends.
 *
 * What would go past the end is not written, nothing is written after it either, and rbr_writer_fits() says so: a text is
 * whole or it is known that it is not, wherever in a loop that was. There is a NUL behind what was written at all times. In a
 * header, since modules use it as well, and a call on the hot path costs what the loop in its place did.
 */
#ifndef RBR_WRITER_H
#define RBR_WRITER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct rbr_writer {
	char *text; /* of the caller, who keeps it */
	size_t size; /* of it, the NUL included: 1 at least */
	size_t used; /* bytes written, the NUL not counted */
	bool full; /* something did not fit */
};

/* Begins a text in the SIZE bytes of BUFFER; it is "" at first. */
static inline struct rbr_writer
rbr_writer_start(char *buffer, size_t size)
{
	struct rbr_writer writer = {buffer, size, 0, size == 0};

	if (size > 0)
		buffer[0] = '\0';
	return writer;
}

/* Is everything there that was written so far? */
static inline bool
rbr_writer_fits(const struct rbr_writer *writer)
{
	return !writer->full;
}

/* Where the next byte goes: the start of a part that is looked at by itself. It is a string at any time. */
static inline char *
rbr_writer_at(const struct rbr_writer *writer)
{
	return writer->text + writer->used;
}

/* Takes back what was written from the byte USED on. What did not fit stays known. */
static inline void
rbr_writer_back(struct rbr_writer *writer, size_t used)
{
	if (used < writer->used) {
		writer->used = used;
		writer->text[used] = '\0';
	}
}

/* SIZE bytes of DATA, all of them or none. A NUL among them is a byte like any other: a buffer can hold several strings. */
static inline void
rbr_write(struct rbr_writer *writer, const void *data, size_t size)
{
	if (writer->full || size >= writer->size - writer->used) {
		writer->full = true;
		return;
	}
	if (size > 0)
		memcpy(writer->text + writer->used, data, size);
	writer->used += size;
	writer->text[writer->used] = '\0';
}

static inline void
rbr_write_char(struct rbr_writer *writer, char c)
{
	if (writer->full || writer->size - writer->used < 2) {
		writer->full = true;
		return;
	}
	writer->text[writer->used++] = c;
	writer->text[writer->used] = '\0';
}

static inline void
rbr_write_text(struct rbr_writer *writer, const char *text)
{
	rbr_write(writer, text, strlen(text));
}

/* NUMBER in decimal. printf() takes ten times as long, which a hit notices. */
static inline void
rbr_write_decimal(struct rbr_writer *writer, unsigned number)
{
	char digits[3 * sizeof number];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	rbr_write(writer, digits + at, sizeof digits - at);
}

/* As printf(3) does. Not for secrets: they do not go to a format string. */
__attribute__((format(printf, 2, 3))) static inline void
rbr_write_format(struct rbr_writer *writer, const char *format, ...)
{
	size_t room = writer->full ? 0 : writer->size - writer->used;
	va_list arguments;
	int size;

	if (room == 0)
		return;
	va_start(arguments, format);
	size = vsnprintf(writer->text + writer->used, room, format, arguments);
	va_end(arguments);
	if (size >= 0 && (size_t)size < room) {
		writer->used += (size_t)size;
	} else {
		writer->text[writer->used] = '\0';
		writer->full = true;
	}
}

#endif
