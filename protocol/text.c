/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "text.h"

#include "base.h"
#include "text-ranges.h"

size_t
rbr_text_character(const char *text, uint32_t *ret_code)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t size = *bytes >= 0xf0 ? 4 : *bytes >= 0xe0 ? 3 : 2, i;
	uint32_t code;

	if (*bytes < 0x80) {
		*ret_code = *bytes;
		return *bytes != '\0';
	}
	if (*bytes < 0xc2 || *bytes > 0xf4)
		return 0;
	code = *bytes & (0xffu >> (size + 1));
	for (i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3fu);
	}
	if ((size == 3 && code < 0x800) || (size == 4 && code < 0x10000) || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return size;
}

bool
rbr_text_is_shown(uint32_t code)
{
	size_t low = 0, high = RBR_ARRAY_SIZE(edges);

	if (code < 0x7f)
		return code >= 0x20;
	while (low < high) { /* how many edges are at or below CODE? */
		size_t middle = low + (high - low) / 2;

		if (edges[middle] <= code)
			low = middle + 1;
		else
			high = middle;
	}
	return low % 2 == 1;
}

bool
rbr_text_is_utf8(const char *text)
{
	uint32_t code = 0;
	size_t size;

	for (; *text; text += size) {
		size = rbr_text_character(text, &code);
		if (size == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
	}
	return true;
}

static void
sanitize(char *text, bool lines)
{
	uint32_t code = 0;
	size_t size, i;

	for (; *text; text += size) {
		size = rbr_text_character(text, &code);
		if (size > 0 && (rbr_text_is_shown(code) || (lines && (code == '\n' || code == '\t'))))
			continue;
		size = size > 0 ? size : 1;
		for (i = 0; i < size; i++)
			text[i] = '?';
	}
}

void
rbr_sanitize(char *text)
{
	sanitize(text, false);
}

void
rbr_sanitize_lines(char *text)
{
	sanitize(text, true);
}
