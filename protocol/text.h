/* SPDX-License-Identifier: MIT */
/*
 * Text that reaches people. Whoever wrote it - a service, a file, a caller - a terminal must not be driven by it, and what is
 * read must be what is there: only characters that are seen get through, by a table of those that are (text-ranges.h).
 */
#ifndef RBR_TEXT_H
#define RBR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed sequence of UTF-8 (RFC 3629) that TEXT begins with, and its character; 0 if there is none. TEXT
 * ends with a NUL. */
size_t rbr_text_character(const char *text, uint32_t *ret_code);

/* Is the character one that is seen? */
bool rbr_text_is_shown(uint32_t code);

/* Is TEXT well-formed UTF-8 without control characters (C0, DEL, C1)? Nothing is said about what is seen. */
bool rbr_text_is_utf8(const char *text);

/* Replaces by '?', byte for byte, what is not shown: everything but blanks and characters that are seen. */
void rbr_sanitize(char *text);

/* The same for text that is more than a line: its newlines and tabs stay. */
void rbr_sanitize_lines(char *text);

#endif
