/* SPDX-License-Identifier: MIT */
/* What may be shown to people: characters that are seen. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "protocol/base.h"
#include "protocol/text.h"

static void
seen_characters_stay(void **state)
{
	static const char *const texts[] = {"", "plain ~text!", "\xc2\xa0", "p\xc3\xa4ss", "\xe2\x82\xac",
		"\xf0\x9f\x94\x91", /* a key */
		"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", /* Hebrew needs no overrides */
		"\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85",
		"\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87", "\xe6\xbc\xa2\xe5\xad\x97",
		"e\xcc\x81", "\xe2\x96\x84\xe2\x96\x88", "\xef\xbf\xbd"};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(texts); i++) {
		strcpy(text, texts[i]);
		rbr_sanitize(text);
		assert_string_equal(text, texts[i]);
	}
}

static void
unseen_ones_do_not(void **state)
{
	static const char *const texts[] = {"\x1b", "\x07", "\n", "\t", "\x7f", "\xc2\x80", "\xc2\x9b",
		"\xc2\xad", /* soft hyphen */
		"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", /* marks of direction */
		"\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9", /* embeddings, overrides, isolates */
		"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x81\xa0", "\xef\xbb\xbf", /* without width */
		"\xe2\x80\xa8", "\xe2\x80\xa9", /* separators of lines and paragraphs */
		"\xf3\xa0\x80\x81", "\xf3\xa0\x81\x81", "\xf3\xa0\x84\x80", /* tags, selectors */
		"\xef\xb8\x8f", "\xcd\x8f", "\xe1\xa0\x8e", "\xe3\x85\xa4", "\xef\xbe\xa0",
		"\xe1\x85\x9f", /* fillers */
		"\xe2\x81\xaa", "\xef\xbf\xb9", "\xef\xbf\xbb", /* format characters of old */
		"\xee\x80\x80", "\xef\xa3\xbf", "\xf3\xb0\x80\x80", "\xf4\x8f\xbf\xbd", /* private use */
		"\xef\xb7\x90", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf0\x9f\xbf\xbf",
		"\xf4\x8f\xbf\xbf", /* no characters */
		"\xcd\xb8", "\xf0\xbf\xbf\xb0", "\xf3\x80\x80\x80", /* not assigned */
		"\x80", "\xff", "\xc2", "\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"};
	char text[64], expected[64];
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(texts); i++) {
		(void)snprintf(text, sizeof text, "a%sz", texts[i]);
		rbr_sanitize(text);
		memset(expected, 0, sizeof expected);
		memset(expected, '?', strlen(texts[i]) + 2);
		expected[0] = 'a';
		expected[strlen(texts[i]) + 1] = 'z';
		assert_string_equal(text, expected);
	}
}

static void
lines_keep_newlines_and_tabs_alone(void **state)
{
	char text[] = "a\n\tb\r\x1b\xe2\x80\xa8z\n";

	(void)state;
	rbr_sanitize_lines(text);
	assert_string_equal(text, "a\n\tb?\?\?\?\?z\n");
}

/* What can be kept is more than what can be shown. */
static void
text_is_more_than_what_is_seen(void **state)
{
	(void)state;
	assert_true(rbr_text_is_utf8(""));
	assert_true(rbr_text_is_utf8("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb \xef\xb8\x8f\xe2\x80\xae"));
	assert_false(rbr_text_is_utf8("a\nb"));
	assert_false(rbr_text_is_utf8("a\x7f"));
	assert_false(rbr_text_is_utf8("\xc2\x85"));
	assert_false(rbr_text_is_utf8("\xff"));
	assert_false(rbr_text_is_utf8("\xe2\x82"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seen_characters_stay),
		cmocka_unit_test(unseen_ones_do_not),
		cmocka_unit_test(lines_keep_newlines_and_tabs_alone),
		cmocka_unit_test(text_is_more_than_what_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
