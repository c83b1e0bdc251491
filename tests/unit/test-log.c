/* SPDX-License-Identifier: MIT */
/* What a person reads on stderr: one clean line, without secrets. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "person/log.h"

static void
lines_have_their_form(void **state)
{
	struct rbr_context context = {.trace = false};

	(void)state;
	unit_stderr_catch();
	rbr_warn(&context, "acme", "%s is %d", "it", 1);
	assert_string_equal(unit_stderr_release(), "ringbearer: acme: it is 1\n");
	unit_stderr_catch();
	rbr_warn(&context, NULL, "nobody in particular");
	assert_string_equal(unit_stderr_release(), "ringbearer: nobody in particular\n");
}

static void
traces_are_asked_for(void **state)
{
	struct rbr_context context = {.trace = false};

	(void)state;
	unit_stderr_catch();
	rbr_trace(&context, "%s", "unseen");
	context.trace = true;
	rbr_trace(&context, "%s", "seen");
	assert_string_equal(unit_stderr_release(), "ringbearer: trace: seen\n");
	assert_int_equal(setenv("RINGBEARER_TRACE", "1", 1), 0);
	rbr_context_start(&context);
	assert_true(context.trace);
	assert_int_equal(setenv("RINGBEARER_TRACE", "0", 1), 0);
	rbr_context_start(&context);
	assert_false(context.trace);
	assert_int_equal(unsetenv("RINGBEARER_TRACE"), 0);
}

static void
a_detached_run_is_quiet(void **state)
{
	struct rbr_context context = {.trace = true, .quiet = true};

	(void)state;
	(void)rbr_fail(&context.error, RINGBEARER_E_BUSY, "unseen");
	unit_stderr_catch();
	rbr_trace(&context, "unseen");
	rbr_warn(&context, "acme", "unseen");
	rbr_report(&context, "acme");
	assert_string_equal(unit_stderr_release(), "");
}

static void
reports_say_what_to_do(void **state)
{
	struct rbr_context context = {.trace = false};

	(void)state;
	(void)rbr_fail(&context.error, RINGBEARER_E_STORE_LOCKED, "the keyring is locked");
	unit_stderr_catch();
	rbr_report(&context, "acme");
	assert_string_equal(
		unit_stderr_release(), "ringbearer: acme: the keyring is locked; unlock the keyring and try again\n");
	(void)rbr_fail(&context.error, RINGBEARER_E_STORE_LOCKED, "it is locked; knock twice");
	unit_stderr_catch();
	rbr_report(&context, "acme");
	assert_string_equal(unit_stderr_release(), "ringbearer: acme: it is locked; knock twice\n");
	(void)rbr_fail(&context.error, RINGBEARER_E_STORE_LOCKED, "%s", "");
	unit_stderr_catch();
	rbr_report(&context, NULL);
	assert_string_equal(unit_stderr_release(), "ringbearer: store_locked; unlock the keyring and try again\n");
}

static void
no_line_drives_a_terminal(void **state)
{
	struct rbr_context context = {.trace = true};

	(void)state;
	unit_stderr_catch();
	rbr_warn(&context, "a\x1b", "two\nlines\r\x1b[2J\x07");
	rbr_trace(&context, "x\ny");
	assert_string_equal(unit_stderr_release(), "ringbearer: a?: two?lines??[2J?\nringbearer: trace: x?y\n");
}

static void
long_lines_are_cut_and_end(void **state)
{
	struct rbr_context context = {.trace = false};
	char text[4 * RBR_LOG_LINE_MAX];
	const char *line;

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	unit_stderr_catch();
	rbr_warn(&context, "acme", "%s", text);
	line = unit_stderr_release();
	assert_in_range(strlen(line), RBR_LOG_LINE_MAX - 2, RBR_LOG_LINE_MAX - 1);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	unit_assert_contains(line, "ringbearer: acme: xxx");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_form),
		cmocka_unit_test(traces_are_asked_for),
		cmocka_unit_test(a_detached_run_is_quiet),
		cmocka_unit_test(reports_say_what_to_do),
		cmocka_unit_test(no_line_drives_a_terminal),
		cmocka_unit_test(long_lines_are_cut_and_end),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
