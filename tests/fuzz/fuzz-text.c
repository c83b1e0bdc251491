/* SPDX-License-Identifier: MIT */
/* Text for the terminal and in JSON: whatever comes in, what goes out is well-formed and is seen, and what was so stays as it is.
 * The rules are written down here once more, by hand. */
#include "config.h"

#include "fuzz.h"
#include "protocol/error.h"
#include "protocol/formats/formats.h"
#include "protocol/secret.h"
#include "protocol/text.h"

FUZZ_UP_TO(2 * RBR_DETAIL_MAX)

/* Ranges that must never be shown. */
static const uint32_t unseen[][2] = {{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c},
	{0x115f, 0x1160}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
	{0xd800, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
	{0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x40000, 0x10ffff}};

static int
is_never_shown(uint32_t code)
{
	size_t i;

	for (i = 0; i < sizeof unseen / sizeof *unseen; i++)
		if (code >= unseen[i][0] && code <= unseen[i][1])
			return 1;
	return 0;
}

/* Decoded the simple way. */
static void
expect_shown(const char *text, int lines)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		size_t size = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4, i;
		uint32_t code = size == 1 ? *p : *p & (0x7fu >> size);

		FUZZ_EXPECT(*p < 0x80 || (*p >= 0xc2 && *p <= 0xf4));
		for (i = 1; i < size; i++) {
			FUZZ_EXPECT((p[i] & 0xc0) == 0x80);
			code = code << 6 | (p[i] & 0x3fu);
		}
		FUZZ_EXPECT(code >= (size == 1 ? 0 : size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000));
		FUZZ_EXPECT((lines && (code == '\n' || code == '\t')) || !is_never_shown(code));
		p += size;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *shown = fuzz_string(data, size), *lines = fuzz_string(data, size);
	struct ringbearer_secret out = RBR_SECRET_EMPTY;
	struct rbr_error error = {0};
	size_t i;

	rbr_sanitize(shown);
	rbr_sanitize_lines(lines);
	FUZZ_EXPECT(strlen(shown) == strlen(text) && strlen(lines) == strlen(text));
	expect_shown(shown, 0);
	expect_shown(lines, 1);
	for (i = 0; text[i]; i++)
		FUZZ_EXPECT(shown[i] == text[i] || shown[i] == '?');
	if (rbr_text_is_utf8(shown))
		FUZZ_EXPECT(fuzz_is_printable(shown));
	(void)rbr_fail(&error, RINGBEARER_E_BUSY, "%s", text);
	expect_shown(error.detail, 0);
	FUZZ_EXPECT(rbr_json_string(&out, text) == 0);
	expect_shown(rbr_secret_string(&out), 0);
	rbr_secret_wipe(&out);
	rbr_sanitize(lines);
	FUZZ_EXPECT(strcmp(lines, shown) == 0);
	free(text);
	free(shown);
	free(lines);
	return 0;
}
