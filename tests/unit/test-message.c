/* SPDX-License-Identifier: MIT */
/* The key=value codec on the wire: what it takes, what it refuses, lists, numbers, writing. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/message.h"
#include "watch.h"

#define CODE RINGBEARER_E_MALFORMED_REQUEST

static int
parse(struct rbr_message *message, const char *text, size_t size, struct rbr_error *error)
{
	return rbr_message_parse(message, text, size, RBR_DIALECT_WIRE, "the request", CODE, error);
}

static void
take(struct rbr_message *message, const char *text)
{
	struct rbr_error error = {0};

	assert_int_equal(parse(message, text, strlen(text), &error), 0);
	assert_int_equal(error.code, 0);
}

static void
refuse(const char *text, size_t size, const char *detail)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};

	assert_int_equal(parse(&message, text, size, &error), CODE);
	assert_int_equal(error.code, CODE);
	unit_assert_contains(error.detail, detail);
	rbr_message_wipe(&message);
	/* the detail is optional, the refusal is not */
	assert_int_equal(parse(&message, text, size, NULL), CODE);
	rbr_message_wipe(&message);
}

/* COUNT times PART in one block that the caller frees. */
static char *
repeat(const char *part, size_t count, size_t *ret_size)
{
	size_t size = strlen(part), i;
	char *text = malloc(size * count + 1);

	assert_non_null(text);
	for (i = 0; i < count; i++)
		memcpy(text + i * size, part, size);
	text[size * count] = '\0';
	*ret_size = size * count;
	return text;
}

/* A line `k=vvv` of SIZE bytes with its newline. */
static char *
line_of(size_t size)
{
	char *line = malloc(size + 1);

	assert_non_null(line);
	memset(line, 'v', size);
	memcpy(line, "k=", 2);
	line[size - 1] = '\n';
	line[size] = '\0';
	return line;
}

/* -- taking -- */

static void
lines_are_kept_in_order(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	take(&message, "protocol=https\nhost=example.org\nunknown=kept\n");
	assert_int_equal(message.count, 3);
	assert_string_equal(rbr_message_key(&message, 0), "protocol");
	assert_string_equal(rbr_message_value(&message, 0), "https");
	assert_string_equal(rbr_message_key(&message, 2), "unknown");
	assert_string_equal(rbr_message_value(&message, 2), "kept");
	assert_int_equal(message.entries[0].line, 1);
	assert_int_equal(message.entries[2].line, 3);
	assert_string_equal(rbr_message_get(&message, "host"), "example.org");
	assert_null(rbr_message_get(&message, "hos"));
	assert_null(rbr_message_get(&message, "hostt"));
	rbr_message_wipe(&message);
	assert_int_equal(message.count, 0);
	assert_null(message.text.data);
	assert_null(message.entries);
}

static void
values_are_taken_as_they_are(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	take(&message, "a= x = y \n b =1\nc=\n#d=2\ne=\xc3\xa4\x01\t\n");
	assert_string_equal(rbr_message_get(&message, "a"), " x = y ");
	assert_string_equal(rbr_message_get(&message, " b "), "1");
	assert_null(rbr_message_get(&message, "b"));
	assert_string_equal(rbr_message_get(&message, "c"), "");
	assert_string_equal(rbr_message_get(&message, "#d"), "2");
	assert_string_equal(rbr_message_get(&message, "e"), "\xc3\xa4\x01\t");
	rbr_message_wipe(&message);
}

static void
the_end_ends_the_last_line_too(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	take(&message, "");
	assert_int_equal(message.count, 0);
	take(&message, "a=1\nb=2");
	assert_int_equal(message.count, 2);
	assert_string_equal(rbr_message_get(&message, "b"), "2");
	rbr_message_wipe(&message);
}

static void
a_blank_line_ends_the_message(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	assert_int_equal(parse(&message, UNIT_BYTES("a=1\n\nb=2\nno equals\r\0\n"), &error), 0);
	assert_int_equal(message.count, 1);
	rbr_message_wipe(&message);
	assert_int_equal(parse(&message, UNIT_BYTES("\na=1\n"), &error), 0);
	assert_int_equal(message.count, 0);
	rbr_message_wipe(&message);
}

static void
of_single_keys_the_last_one_counts(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	take(&message, "a=1\nb=x\na=2\na=3\n");
	assert_string_equal(rbr_message_get(&message, "a"), "3");
	take(&message, "a=4\n");
	assert_string_equal(rbr_message_get(&message, "a"), "4");
	take(&message, "a=\n");
	assert_string_equal(rbr_message_get(&message, "a"), "");
	rbr_message_wipe(&message);
}

/* -- refusing -- */

static void
nul_is_refused(void **state)
{
	(void)state;
	refuse(UNIT_BYTES("a=1\nb=x\0y\n"), "the request, line 2: holds a NUL");
	refuse(UNIT_BYTES("a\0=1\n"), "line 1: holds a NUL");
	refuse(UNIT_BYTES("a=1\0"), "holds a NUL");
	refuse(UNIT_BYTES("\0"), "holds a NUL");
}

static void
carriage_return_is_refused(void **state)
{
	(void)state;
	refuse(UNIT_BYTES("a=1\r\n"), "the request, line 1: holds a carriage return");
	refuse(UNIT_BYTES("a=1\nb=x\ry\n"), "line 2: holds a carriage return");
	refuse(UNIT_BYTES("a\r=1\n"), "carriage return");
	refuse(UNIT_BYTES("a=1\n\r\n"), "line 2: holds a carriage return");
}

static void
a_line_without_equals_is_refused(void **state)
{
	(void)state;
	refuse(UNIT_BYTES("a=1\nnothing\n"), "the request, line 2: has no `=`");
	refuse(UNIT_BYTES("nothing"), "line 1: has no `=`");
	refuse(UNIT_BYTES(" \n"), "line 1: has no `=`");
}

static void
an_empty_key_is_refused(void **state)
{
	(void)state;
	refuse(UNIT_BYTES("=1\n"), "the request, line 1: has an empty key");
	refuse(UNIT_BYTES("a=1\n="), "line 2: has an empty key");
}

static void
a_line_has_65535_bytes_at_most(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	char *line = line_of(65535);

	(void)state;
	take(&message, line);
	assert_int_equal(strlen(rbr_message_get(&message, "k")), 65535 - 3);
	rbr_message_wipe(&message);
	line[65534] = '\0'; /* the same without its newline */
	take(&message, line);
	assert_int_equal(strlen(rbr_message_get(&message, "k")), 65535 - 3);
	rbr_message_wipe(&message);
	free(line);
}

static void
a_line_of_65536_bytes_is_refused(void **state)
{
	char *line = line_of(65536);

	(void)state;
	refuse(line, 65536, "the request, line 1: is longer than 65535 bytes");
	refuse(line, 65535, "the request, line 1: is longer than 65535 bytes");
	free(line);
}

static void
a_message_has_a_mebibyte_at_most(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	char *line = line_of(1024), *text;
	size_t size;

	(void)state;
	text = repeat(line, 1024, &size);
	assert_int_equal(size, RBR_MESSAGE_MAX);
	take(&message, text);
	assert_int_equal(message.count, 1024);
	rbr_message_wipe(&message);
	text[size] = '\n';
	refuse(text, size + 1, "the request: is longer than 1048576 bytes");
	free(text);
	free(line);
}

static void
a_message_has_1024_lines_at_most(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	size_t size;
	char *text = repeat("k=v\n", 1025, &size);

	(void)state;
	refuse(text, size, "the request: has more than 1024 lines");
	text[size - 4] = '\0';
	take(&message, text);
	assert_int_equal(message.count, 1024);
	assert_int_equal(rbr_message_add(&message, "one", "more"), CODE);
	rbr_message_wipe(&message);
	free(text);
}

static void
the_code_is_the_callers(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	assert_int_equal(rbr_message_parse(&message, "x", 1, RBR_DIALECT_WIRE, "/a/file", RINGBEARER_E_CONFIG, &error),
		RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "/a/file, line 1:");
	rbr_message_wipe(&message);
}

/* -- lists -- */

static void
lists_repeat_in_order(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	size_t cursor = 0;

	(void)state;
	take(&message, "w[]=1\nother=x\nw[]=2\nw=no\nww[]=no\nw[]=3\n");
	assert_string_equal(rbr_message_next(&message, "w[]", &cursor), "1");
	assert_string_equal(rbr_message_next(&message, "w[]", &cursor), "2");
	assert_string_equal(rbr_message_next(&message, "w[]", &cursor), "3");
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	assert_true(rbr_message_has(&message, "w[]", "2"));
	assert_false(rbr_message_has(&message, "w[]", "no"));
	assert_false(rbr_message_has(&message, "w[]", ""));
	rbr_message_wipe(&message);
}

static void
an_empty_value_clears_the_list(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	size_t cursor = 0;

	(void)state;
	take(&message, "w[]=1\nw[]=\nv[]=a\nw[]=2\nw[]=\nw[]=3\nw[]=4\n");
	assert_string_equal(rbr_message_next(&message, "w[]", &cursor), "3");
	assert_string_equal(rbr_message_next(&message, "w[]", &cursor), "4");
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	assert_false(rbr_message_has(&message, "w[]", "1"));
	assert_true(rbr_message_has(&message, "v[]", "a"));
	take(&message, "w[]=\n");
	cursor = 0;
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	cursor = 0;
	assert_string_equal(rbr_message_next(&message, "v[]", &cursor), "a");
	rbr_message_wipe(&message);
}

static void
a_list_that_is_not_there_is_empty(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	size_t cursor = 0;

	(void)state;
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	assert_null(rbr_message_get(&message, "w[]"));
	assert_false(rbr_message_has(&message, "w[]", "1"));
	take(&message, "a=1\n");
	cursor = 0;
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	assert_null(rbr_message_next(&message, "w[]", &cursor));
	rbr_message_wipe(&message);
}

/* -- numbers -- */

static void
numbers_are_at_most_18_digits(void **state)
{
	static const struct {
		const char *text;
		int64_t number;
	} cases[] = {
		{"0", 0},
		{"7", 7},
		{"007", 7},
		{"999999999999999999", INT64_C(999999999999999999)},
		{"1000000000000000000", -9},
		{"99999999999999999999", -9},
		{"", -9},
		{"-1", -9},
		{"+1", -9},
		{" 1", -9},
		{"1 ", -9},
		{"1x", -9},
		{"0x1", -9},
		{"1.5", -9},
	};
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	size_t i;

	(void)state;
	assert_int_equal(rbr_message_get_number(&message, "n", -9), -9);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(rbr_message_add(&message, "n", cases[i].text), 0);
		assert_int_equal(rbr_message_get_number(&message, "n", -9), cases[i].number);
	}
	rbr_message_wipe(&message);
}

static void
numbers_are_written_in_full(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	assert_int_equal(rbr_message_add_number(&message, "n", INT64_MIN), 0);
	assert_string_equal(rbr_message_get(&message, "n"), "-9223372036854775808");
	assert_int_equal(rbr_message_add_number(&message, "n", INT64_MAX), 0);
	assert_string_equal(rbr_message_get(&message, "n"), "9223372036854775807");
	assert_int_equal(rbr_message_add_number(&message, "n", 1893456000), 0);
	assert_int_equal(rbr_message_get_number(&message, "n", 0), 1893456000);
	rbr_message_wipe(&message);
}

/* -- writing -- */

static void
add_refuses_what_is_no_line(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;

	(void)state;
	assert_int_equal(rbr_message_add(&message, "", "v"), CODE);
	assert_int_equal(rbr_message_add(&message, "k=k", "v"), CODE);
	assert_int_equal(rbr_message_add(&message, "k\n", "v"), CODE);
	assert_int_equal(rbr_message_add(&message, "k\r", "v"), CODE);
	assert_int_equal(rbr_message_add(&message, "k", "v\nx=y"), CODE);
	assert_int_equal(rbr_message_add(&message, "k", "v\r"), CODE);
	assert_int_equal(message.count, 0);
	assert_int_equal(rbr_message_add(&message, "k", "a=b"), 0);
	assert_int_equal(message.entries[0].line, 0);
	rbr_message_wipe(&message);
}

static void
add_refuses_a_line_that_is_too_long(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	char *line = line_of(65536);

	(void)state;
	line[65535] = '\0';
	assert_int_equal(rbr_message_add(&message, "k", line + 2), CODE);
	assert_int_equal(message.count, 0);
	line[65534] = '\0';
	assert_int_equal(rbr_message_add(&message, "k", line + 2), 0);
	rbr_message_wipe(&message);
	free(line);
}

static void
what_was_written_is_read_back(void **state)
{
	static const char text[] = "a=1\nw[]=x\nw[]=\nw[]=y=z \na=2\nempty=\n";
	struct rbr_message message = RBR_MESSAGE_EMPTY, again = RBR_MESSAGE_EMPTY;
	struct ringbearer_secret out = RBR_SECRET_EMPTY;
	struct rbr_error error = {0};
	size_t i;

	(void)state;
	assert_int_equal(rbr_message_format(&message, &out), 0);
	assert_string_equal(rbr_secret_string(&out), "");
	assert_int_equal(rbr_secret_append_string(&out, "before=1\n"), 0);
	take(&message, text);
	assert_int_equal(rbr_message_format(&message, &out), 0);
	assert_string_equal(rbr_secret_string(&out) + 9, text);
	assert_int_equal(parse(&again, out.data + 9, out.size - 9, &error), 0);
	assert_int_equal(again.count, message.count);
	for (i = 0; i < again.count; i++) {
		assert_string_equal(rbr_message_key(&again, i), rbr_message_key(&message, i));
		assert_string_equal(rbr_message_value(&again, i), rbr_message_value(&message, i));
	}
	rbr_message_wipe(&message);
	rbr_message_wipe(&again);
	rbr_secret_wipe(&out);
}

/* -- memory -- */

static void
nothing_of_a_message_is_left_in_memory(void **state)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct ringbearer_secret out = RBR_SECRET_EMPTY;
	size_t freed, dirty, i;

	(void)state;
	watch_start();
	for (i = 0; i < 100; i++)
		take(&message, "password=topsecret\n");
	assert_int_equal(rbr_message_format(&message, &out), 0);
	rbr_message_wipe(&message);
	rbr_secret_wipe(&out);
	watch_stop(&freed, &dirty);
	assert_true(freed > 4);
	assert_int_equal(dirty, 0);
}

/* Whichever allocation fails: an error, no crash, no leak, and the message can be wiped. */
static void
short_memory_is_an_error(void **state)
{
	size_t i, failed = 1;

	(void)state;
	for (i = 0; failed > 0; i++) {
		struct rbr_message message = RBR_MESSAGE_EMPTY;
		struct ringbearer_secret out = RBR_SECRET_EMPTY;
		struct rbr_error error = {0};
		int line, rc = 0;

		watch_fail_after(i);
		for (line = 0; rc == 0 && line < 40; line++)
			rc = parse(&message, UNIT_BYTES("key=a value of some length\n"), &error);
		if (rc < 0)
			assert_int_equal(error.code, RINGBEARER_E_SYSTEM);
		else
			rc = rbr_message_format(&message, &out);
		failed = watch_fail_never();
		assert_int_equal(rc, failed > 0 ? RINGBEARER_E_SYSTEM : 0);
		rbr_message_wipe(&message);
		rbr_secret_wipe(&out);
		assert_true(i < 50);
	}
	assert_true(i > 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_kept_in_order),
		cmocka_unit_test(values_are_taken_as_they_are),
		cmocka_unit_test(the_end_ends_the_last_line_too),
		cmocka_unit_test(a_blank_line_ends_the_message),
		cmocka_unit_test(of_single_keys_the_last_one_counts),
		cmocka_unit_test(nul_is_refused),
		cmocka_unit_test(carriage_return_is_refused),
		cmocka_unit_test(a_line_without_equals_is_refused),
		cmocka_unit_test(an_empty_key_is_refused),
		cmocka_unit_test(a_line_has_65535_bytes_at_most),
		cmocka_unit_test(a_line_of_65536_bytes_is_refused),
		cmocka_unit_test(a_message_has_a_mebibyte_at_most),
		cmocka_unit_test(a_message_has_1024_lines_at_most),
		cmocka_unit_test(the_code_is_the_callers),
		cmocka_unit_test(lists_repeat_in_order),
		cmocka_unit_test(an_empty_value_clears_the_list),
		cmocka_unit_test(a_list_that_is_not_there_is_empty),
		cmocka_unit_test(numbers_are_at_most_18_digits),
		cmocka_unit_test(numbers_are_written_in_full),
		cmocka_unit_test(add_refuses_what_is_no_line),
		cmocka_unit_test(add_refuses_a_line_that_is_too_long),
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(nothing_of_a_message_is_left_in_memory),
		cmocka_unit_test(short_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
