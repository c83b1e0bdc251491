/* SPDX-License-Identifier: MIT */
/* The vocabulary of errors, and details that cannot drive a terminal. */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "protocol/error.h"

/* As ringbearer-protocol(7) has them. */
static const struct {
	int code;
	int exit_status;
	const char *name;
} vocabulary[] = {
	{RINGBEARER_E_NO_ACCOUNT, 1, "no_account"},
	{RINGBEARER_E_AMBIGUOUS_ACCOUNT, 1, "ambiguous_account"},
	{RINGBEARER_E_USAGE, 2, "usage"},
	{RINGBEARER_E_MALFORMED_REQUEST, 2, "malformed_request"},
	{RINGBEARER_E_LOGIN_REQUIRED, 3, "login_required"},
	{RINGBEARER_E_STORE_LOCKED, 4, "store_locked"},
	{RINGBEARER_E_STORE_DISMISSED, 4, "store_dismissed"},
	{RINGBEARER_E_STORE_UNAVAILABLE, 4, "store_unavailable"},
	{RINGBEARER_E_NO_SECRET, 4, "no_secret"},
	{RINGBEARER_E_NETWORK, 5, "network"},
	{RINGBEARER_E_TEMPORARILY_UNAVAILABLE, 5, "temporarily_unavailable"},
	{RINGBEARER_E_BUSY, 5, "busy"},
	{RINGBEARER_E_ROTATION_UNCERTAIN, 5, "rotation_uncertain"},
	{RINGBEARER_E_CLIENT_REJECTED, 6, "client_rejected"},
	{RINGBEARER_E_ACCESS_DENIED, 6, "access_denied"},
	{RINGBEARER_E_INSUFFICIENT_SCOPE, 6, "insufficient_scope"},
	{RINGBEARER_E_FORBIDDEN, 6, "forbidden"},
	{RINGBEARER_E_CONFIG, 7, "config"},
	{RINGBEARER_E_MODULE, 7, "module"},
	{RINGBEARER_E_TLS, 7, "tls"},
	{RINGBEARER_E_MALFORMED_RESPONSE, 8, "malformed_response"},
	{RINGBEARER_E_SYSTEM, 5, "system"},
};

static void
every_code_has_name_status_and_advice(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(vocabulary); i++) {
		int code = vocabulary[i].code;

		assert_int_equal(code, -(int)i - 1); /* the values are stable and without gaps */
		assert_string_equal(ringbearer_error_name(code), vocabulary[i].name);
		assert_int_equal(ringbearer_error_exit_status(code), vocabulary[i].exit_status);
		assert_string_not_equal(ringbearer_error_advice(code), "");
		assert_null(strchr(ringbearer_error_advice(code), '\n'));
		assert_int_equal(rbr_error_from_name(vocabulary[i].name), code);
	}
}

static void
ok_is_no_error(void **state)
{
	(void)state;
	assert_string_equal(ringbearer_error_name(RINGBEARER_OK), "ok");
	assert_int_equal(ringbearer_error_exit_status(RINGBEARER_OK), 0);
	assert_string_equal(ringbearer_error_advice(RINGBEARER_OK), "");
	assert_int_equal(rbr_error_from_name("ok"), 0);
}

static void
what_is_not_known_is_system(void **state)
{
	static const int codes[] = {1, -23, -1000, INT32_MIN, INT32_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(codes); i++) {
		assert_string_equal(ringbearer_error_name(codes[i]), "system");
		assert_int_equal(ringbearer_error_exit_status(codes[i]), 5);
	}
	assert_int_equal(rbr_error_from_name("nonsense"), RINGBEARER_E_SYSTEM);
	assert_int_equal(rbr_error_from_name(""), RINGBEARER_E_SYSTEM);
}

static void
the_version_is_the_packages(void **state)
{
	(void)state;
	assert_string_equal(ringbearer_version(), PACKAGE_VERSION);
}

static void
fail_fills_and_returns(void **state)
{
	struct rbr_error error = {.retry_after = 7};

	(void)state;
	assert_int_equal(rbr_fail(&error, RINGBEARER_E_BUSY, "%s: %d", "it", 42), RINGBEARER_E_BUSY);
	assert_int_equal(error.code, RINGBEARER_E_BUSY);
	assert_string_equal(error.detail, "it: 42");
	assert_int_equal(error.retry_after, 7);
	assert_int_equal(rbr_fail(NULL, RINGBEARER_E_TLS, "%s", "nobody listens"), RINGBEARER_E_TLS);
	assert_int_equal(rbr_fail_memory(&error), RINGBEARER_E_SYSTEM);
	assert_string_equal(error.detail, "out of memory");
	assert_int_equal(rbr_fail_memory(NULL), RINGBEARER_E_SYSTEM);
}

static void
long_details_are_cut(void **state)
{
	struct rbr_error error = {0};
	char text[RBR_DETAIL_MAX + 100];

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	(void)rbr_fail(&error, RINGBEARER_E_BUSY, "%s", text);
	assert_int_equal(strlen(error.detail), RBR_DETAIL_MAX - 1);
}

/* What a terminal would act on, and what is left of it. */
static void
sanitizing_replaces_what_drives_a_terminal(void **state)
{
	static const struct {
		const char *text;
		const char *clean;
	} cases[] = {
		{"", ""},
		{"plain ~text!", "plain ~text!"},
		{"\x1b[31mred\x1b[0m", "?[31mred?[0m"},
		{"a\nb\rc\td\x7f", "a?b?c?d?"},
		{"\x01\x1f", "??"},
		{"\xc2\x9b"
		 "31m",
			"??31m"},
		{"\xc2\x80\xc2\x9f", "????"},
		{"\xc2\xa0", "\xc2\xa0"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91"},
	};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		struct rbr_error error = {0};

		strcpy(text, cases[i].text);
		rbr_sanitize(text);
		assert_string_equal(text, cases[i].clean);
		(void)rbr_fail(&error, RINGBEARER_E_BUSY, "%s", cases[i].text);
		assert_string_equal(error.detail, cases[i].clean);
	}
}

/* A lone 0x9B is the control sequence introducer on terminals that are not in UTF-8 mode. */
static void
bytes_that_are_no_utf8_are_replaced(void **state)
{
	static const char *const broken[] = {
		"\x9b\x33\x31m", /* "\x9b31m" would be one escape */
		"\x80",
		"\xff",
		"\xc2",
		"\xe2\x82",
		"\xc0\xaf",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(broken); i++) {
		struct rbr_error error = {0};

		(void)rbr_fail(&error, RINGBEARER_E_BUSY, "<%s>", broken[i]);
		assert_int_equal(error.detail[0], '<');
		assert_int_equal(error.detail[strlen(error.detail) - 1], '>');
		for (j = 0; error.detail[j]; j++)
			assert_in_range(error.detail[j], 0x20, 0x7e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_name_status_and_advice),
		cmocka_unit_test(ok_is_no_error),
		cmocka_unit_test(what_is_not_known_is_system),
		cmocka_unit_test(the_version_is_the_packages),
		cmocka_unit_test(fail_fills_and_returns),
		cmocka_unit_test(long_details_are_cut),
		cmocka_unit_test(sanitizing_replaces_what_drives_a_terminal),
		cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
