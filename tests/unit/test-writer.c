/* SPDX-License-Identifier: MIT */
/* The bounded writer: nothing past the end, and no text that is cut without its being known. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "protocol/writer.h"

#define ROOM 8

struct guarded {
	char buffer[ROOM];
	char behind;
};

static void
what_fits_is_there(void **state)
{
	struct guarded here = {.behind = '#'};
	struct rbr_writer writer = rbr_writer_start(here.buffer, sizeof here.buffer);

	(void)state;
	assert_string_equal(here.buffer, "");
	rbr_write_char(&writer, 'a');
	rbr_write_text(&writer, "");
	rbr_write_text(&writer, "bc");
	rbr_write(&writer, "de", 2);
	rbr_write_format(&writer, "%d", 17);
	assert_true(rbr_writer_fits(&writer));
	assert_int_equal(writer.used, 7);
	assert_string_equal(here.buffer, "abcde17");
	rbr_write_text(&writer, "");
	assert_true(rbr_writer_fits(&writer));
	assert_int_equal(here.behind, '#');
}

static void
what_does_not_fit_is_known_and_ends_the_text(void **state)
{
	int way;

	(void)state;
	for (way = 0; way < 4; way++) {
		struct guarded here = {.behind = '#'};
		struct rbr_writer writer = rbr_writer_start(here.buffer, sizeof here.buffer);

		rbr_write_text(&writer, "1234567");
		assert_true(rbr_writer_fits(&writer));
		if (way == 0)
			rbr_write_char(&writer, '8');
		else if (way == 1)
			rbr_write_text(&writer, "8");
		else if (way == 2)
			rbr_write_format(&writer, "%s", "8");
		else
			rbr_write(&writer, "8", SIZE_MAX);
		assert_false(rbr_writer_fits(&writer));
		assert_string_equal(here.buffer, "1234567");
		rbr_writer_back(&writer, 2);
		rbr_write_char(&writer, 'x');
		rbr_write_text(&writer, "x");
		rbr_write_format(&writer, "x");
		assert_string_equal(here.buffer, "12");
		assert_false(rbr_writer_fits(&writer));
		assert_int_equal(here.behind, '#');
	}
}

static void
a_format_is_written_whole_or_not(void **state)
{
	struct guarded here = {.behind = '#'};
	struct rbr_writer writer = rbr_writer_start(here.buffer, sizeof here.buffer);

	(void)state;
	rbr_write_text(&writer, "ab");
	rbr_write_format(&writer, "%s", "123456");
	assert_string_equal(here.buffer, "ab");
	assert_false(rbr_writer_fits(&writer));
	assert_int_equal(here.behind, '#');
}

static void
one_buffer_holds_several_strings(void **state)
{
	char buffer[ROOM];
	struct rbr_writer writer = rbr_writer_start(buffer, sizeof buffer);
	const char *second;

	(void)state;
	rbr_write(&writer, "ab", sizeof "ab");
	second = rbr_writer_at(&writer);
	rbr_write_text(&writer, "cd");
	assert_string_equal(buffer, "ab");
	assert_string_equal(second, "cd");
}

static void
a_buffer_of_one_byte_or_none(void **state)
{
	char buffer[2] = "#";
	struct rbr_writer writer = rbr_writer_start(buffer, 0);

	(void)state;
	rbr_write_char(&writer, 'a');
	rbr_write_format(&writer, "a");
	assert_int_equal(buffer[0], '#');
	assert_false(rbr_writer_fits(&writer));
	writer = rbr_writer_start(buffer, 1);
	rbr_write_text(&writer, "");
	assert_true(rbr_writer_fits(&writer));
	rbr_write_char(&writer, 'a');
	assert_string_equal(buffer, "");
	assert_false(rbr_writer_fits(&writer));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_there),
		cmocka_unit_test(what_does_not_fit_is_known_and_ends_the_text),
		cmocka_unit_test(a_format_is_written_whole_or_not),
		cmocka_unit_test(one_buffer_holds_several_strings),
		cmocka_unit_test(a_buffer_of_one_byte_or_none),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
