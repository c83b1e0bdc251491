/* SPDX-License-Identifier: MIT */
/* What comes back from an authorization request, and from whom. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "fake-host.h"
#include "modules/grants/authorization-code/answer.h"

static int
enter(void **state)
{
	int rc = fake_enter(state);

	fake_oauth.standing = true;
	fake_set(&fake_call, "authorization_endpoint", "https://login.example.com/tenant/auth?x=y");
	return rc;
}

static int
checks(const char *iss, const char *error, const char *description)
{
	struct rbr_callback callback = {
		.code = error ? NULL : "c", .iss = iss, .error = error, .error_description = description};
	int rc = rbr_answer_check(&fake_oauth, &callback);

	/* Nothing is left of what is not believed. */
	if (rc < 0 && strstr(fake_call.detail, "another service"))
		assert_true(!callback.code && !callback.error && !callback.error_description);
	return rc;
}

static void
without_an_issuer_the_place_is_compared(void **state)
{
	static const char *const good[] = {"https://login.example.com", "https://login.example.com/",
		"https://login.example.com/tenant", "https://login.example.com:443/other", "HTTPS://Login.Example.com"};
	static const char *const bad[] = {"https://honest.example", "https://login.example.com.attacker.test",
		"https://login.example.co", "http://login.example.com", "https://login.example.com:8443",
		"https://login.example.com@attacker.test", "https://login.example.com\\@attacker.test",
		"https://x@login.example.com", "https://login.example.com?x", "https://login.example.com#x", "https://",
		"login.example.com", "", "https://login.example.com/\x1b[31m", "https://login.example.com/ x"};
	size_t i;

	(void)state;
	assert_int_equal(checks(NULL, NULL, NULL), 0);
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		if (checks(good[i], NULL, NULL) != 0)
			fail_msg("refused: %s", good[i]);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (checks(bad[i], NULL, NULL) != RINGBEARER_E_ACCESS_DENIED)
			fail_msg("believed: %s", bad[i]);
	unit_assert_lacks(fake_call.detail, "\x1b");
}

static void
an_issuer_is_compared_to_the_letter(void **state)
{
	(void)state;
	fake_set(&fake_call, "issuer", "https://issuer.example/x");
	assert_int_equal(checks("https://issuer.example/x", NULL, NULL), 0);
	assert_int_equal(checks("https://issuer.example/x/", NULL, NULL), RINGBEARER_E_ACCESS_DENIED);
	assert_int_equal(checks("https://login.example.com", NULL, NULL), RINGBEARER_E_ACCESS_DENIED);
	assert_int_equal(checks(NULL, NULL, NULL), 0);
	fake_set(&fake_call, "iss_required", "yes");
	assert_int_equal(checks(NULL, NULL, NULL), RINGBEARER_E_ACCESS_DENIED);
	assert_int_equal(checks(NULL, "access_denied", "secret words"), RINGBEARER_E_ACCESS_DENIED);
	unit_assert_lacks(fake_call.detail, "secret words");
}

static void
an_error_from_elsewhere_is_not_shown(void **state)
{
	(void)state;
	assert_int_equal(
		checks("https://honest.example", "server_error", "call 555-0100 now"), RINGBEARER_E_ACCESS_DENIED);
	unit_assert_contains(fake_call.detail, "another service (https://honest.example)");
	unit_assert_lacks(fake_call.detail, "555-0100");
	unit_assert_lacks(fake_call.detail, "server_error");
	assert_int_equal(
		checks("https://login.example.com", "server_error", "try later"), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	unit_assert_contains(fake_call.detail, "try later");
}

/* What is wrong is named where the service names it. */
static void
a_parameter_that_is_named_leads_to_it(void **state)
{
	(void)state;
	fake_set(&fake_call, "client_id", "x");
	fake_set(&fake_call, "scope", "a b");
	fake_set(&fake_call, "redirect_uri", "http://127.0.0.1/callback");
	assert_int_equal(checks(NULL, "invalid_request", "The 'nonce' parameter is required."), RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, "it is about `nonce`");
	unit_assert_contains(fake_call.detail, "`authorization_params = nonce=");
	assert_int_equal(checks(NULL, "invalid_request", "missing Nonce"), RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, "`nonce`");
	assert_int_equal(checks(NULL, "invalid_request", "announcement: nonces_x"), RINGBEARER_E_CONFIG);
	unit_assert_lacks(fake_call.detail, "`nonce`");
	unit_assert_contains(fake_call.detail, "check `client_id`, `redirect_uri` and `scope`");
	assert_int_equal(checks(NULL, "invalid_request", "redirect_uri does not match"), RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, "check `redirect_uri` (");
	/* A key of the account is set as one. */
	assert_int_equal(checks(NULL, "invalid_target", "resource is unknown"), RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, "`resource = ");
	fake_set(&fake_call, "resource", "https://api.example.com");
	assert_int_equal(checks(NULL, "invalid_target", "resource is unknown"), RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, "check `resource` (");
}

#define TEST(function) cmocka_unit_test_setup(function, enter)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_an_issuer_the_place_is_compared),
		TEST(an_issuer_is_compared_to_the_letter),
		TEST(an_error_from_elsewhere_is_not_shown),
		TEST(a_parameter_that_is_named_leads_to_it),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
