/* SPDX-License-Identifier: MIT */
/* A token endpoint's refusals, row by row (RFC 6749 section 5.2 and what servers really send). */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "fake-host.h"
#include "modules/oauth/token_response.h"

static int
answer(long status, const char *body, long retry_after, const char *location_host)
{
	struct ringbearer_tokens tokens = {.size = sizeof tokens, .expires_in = RINGBEARER_EXPIRES_UNKNOWN};
	struct rbr_http_answer reply = {.status = status, .retry_after = retry_after, .sent = true};
	int rc;

	reply.body = fake_oauth.host->secret_new(body, strlen(body));
	(void)snprintf(reply.location_host, sizeof reply.location_host, "%s", location_host);
	fake_call.code = fake_call.failures = 0;
	fake_call.retry_after = -1;
	rc = rbr_token_response(&fake_oauth, &reply, &tokens);
	assert_int_equal(fake_call.code, rc);
	assert_int_equal(fake_call.failures, 1);
	assert_null(tokens.access_token);
	assert_null(tokens.refresh_token);
	assert_null(tokens.scope);
	assert_null(strchr(fake_call.detail, '\n'));
	fake_oauth.host->secret_free(reply.body);
	return rc;
}

/* The member `error` and the status become CODE, and the message has PART. */
static void
row(const char *error, long status, int code, const char *part)
{
	char body[256];

	(void)snprintf(body, sizeof body, "{\"error\":\"%s\"}", error);
	if (answer(status, body, 0, "") != code)
		fail_msg("%s with %ld became %s", error, status, ringbearer_error_name(fake_call.code));
	unit_assert_contains(fake_call.detail, part);
	unit_assert_contains(fake_call.detail, error);
	(void)snprintf(body, sizeof body, "status %ld", status);
	unit_assert_contains(fake_call.detail, body);
	assert_int_equal(fake_call.retry_after, -1);
}

static void
invalid_request_is_configuration(void **state)
{
	(void)state;
	row("invalid_request", 400, RINGBEARER_E_CONFIG, "does not understand the request");
}

/* The client itself: the message names all that can be behind it, and never asks a person to log in. */
static void
invalid_client_is_rejected(void **state)
{
	static const long statuses[] = {400, 401, 403, 200};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		row("invalid_client", statuses[i], RINGBEARER_E_CLIENT_REJECTED, "`ringbearer secret acme`");
		unit_assert_contains(fake_call.detail, "regenerated");
		unit_assert_contains(fake_call.detail, "switched OFF");
		unit_assert_contains(fake_call.detail, "client_auth");
		unit_assert_lacks(fake_call.detail, "log in");
	}
}

static void
invalid_grant_is_configuration(void **state)
{
	(void)state;
	row("invalid_grant", 400, RINGBEARER_E_CONFIG, "`grant`");
	row("invalid_grant", 401, RINGBEARER_E_CONFIG, "`grant`");
	row("invalid_grant", 403, RINGBEARER_E_CONFIG, "`grant`"); /* Auth0, Atlassian */
	row("invalid_grant", 200, RINGBEARER_E_CONFIG, "`grant`");
}

static void
unauthorized_client_is_configuration(void **state)
{
	(void)state;
	row("unauthorized_client", 400, RINGBEARER_E_CONFIG, "may not use this grant");
	row("unauthorized_client", 401, RINGBEARER_E_CONFIG, "may not use this grant");
}

static void
unsupported_grant_type_is_configuration(void **state)
{
	(void)state;
	row("unsupported_grant_type", 400, RINGBEARER_E_CONFIG, "does not know this grant");
}

static void
invalid_scope_is_a_refusal_of_the_scope(void **state)
{
	(void)state;
	row("invalid_scope", 400, RINGBEARER_E_INSUFFICIENT_SCOPE, "`scope`");
}

static void
invalid_target_is_configuration(void **state)
{
	(void)state;
	row("invalid_target", 400, RINGBEARER_E_CONFIG, "`resource`");
}

static void
dpop_is_not_supported(void **state)
{
	(void)state;
	row("invalid_dpop_proof", 400, RINGBEARER_E_CONFIG, "DPoP");
	row("use_dpop_nonce", 400, RINGBEARER_E_CONFIG, "DPoP");
}

static void
a_person_may_be_wanted(void **state)
{
	(void)state;
	row("interaction_required", 400, RINGBEARER_E_LOGIN_REQUIRED, "log in");
	row("consent_required", 400, RINGBEARER_E_LOGIN_REQUIRED, "consent");
	row("login_required", 400, RINGBEARER_E_LOGIN_REQUIRED, "log in");
	row("login_required", 403, RINGBEARER_E_LOGIN_REQUIRED, "log in");
}

static void
access_denied_is_a_no(void **state)
{
	(void)state;
	row("access_denied", 400, RINGBEARER_E_ACCESS_DENIED, "says no");
	row("access_denied", 403, RINGBEARER_E_FORBIDDEN, "IP allow list");
}

static void
server_trouble_is_temporary(void **state)
{
	(void)state;
	row("server_error", 400, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("server_error", 500, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("temporarily_unavailable", 400, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("temporarily_unavailable", 503, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("slow_down", 400, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
}

/* 429 and 503 were not processed, whatever word comes with them. */
static void
busy_is_busy(void **state)
{
	(void)state;
	row("invalid_client", 429, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("invalid_grant", 429, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("invalid_grant", 503, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("rate_limited", 429, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
}

static void
unknown_errors_go_by_their_status(void **state)
{
	(void)state;
	row("odd_error", 200, RINGBEARER_E_CONFIG, "refuses the request");
	row("odd_error", 400, RINGBEARER_E_CONFIG, "refuses the request");
	row("odd_error", 401, RINGBEARER_E_CLIENT_REJECTED, "`ringbearer secret acme`");
	row("odd_error", 402, RINGBEARER_E_ACCESS_DENIED, "says no");
	row("odd_error", 403, RINGBEARER_E_FORBIDDEN, "IP allow list");
	row("odd_error", 404, RINGBEARER_E_CONFIG, "refuses the request");
	row("odd_error", 500, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later");
	row("unsupported_token_type", 400, RINGBEARER_E_CONFIG, "refuses the request");
	row("authorization_pending", 400, RINGBEARER_E_CONFIG, "refuses the request");
	row("expired_token", 400, RINGBEARER_E_CONFIG, "refuses the request");
	row("Invalid_Client", 400, RINGBEARER_E_CONFIG, "refuses the request");
}

static void
a_status_says_it_without_json(void **state)
{
	static const struct {
		long status;
		int code;
		const char *part;
	} rows[] = {
		{400, RINGBEARER_E_ACCESS_DENIED, "says no"},
		{401, RINGBEARER_E_CLIENT_REJECTED, "no reason given"},
		{403, RINGBEARER_E_FORBIDDEN, "IP allow list"},
		{404, RINGBEARER_E_CONFIG, "no token endpoint"},
		{405, RINGBEARER_E_CONFIG, "no token endpoint"},
		{407, RINGBEARER_E_CONFIG, "`proxy`"},
		{410, RINGBEARER_E_CONFIG, "no token endpoint"},
		{408, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
		{418, RINGBEARER_E_ACCESS_DENIED, "says no"},
		{425, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
		{429, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
		{499, RINGBEARER_E_ACCESS_DENIED, "says no"},
		{500, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
		{502, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
		{503, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
		{504, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
		{599, RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "try again later"},
	};
	static const char *const bodies[] = {"", "<html>\x1b[31m</html>", "{\"message\":\"\"}", "{\"error\":null}",
		"{\"error\":\"\"}", "{\"error\":[]}", "[1]"};
	char status[32];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (j = 0; j < sizeof bodies / sizeof bodies[0]; j++) {
			if (answer(rows[i].status, bodies[j], 0, "") != rows[i].code)
				fail_msg("%ld became %s", rows[i].status, ringbearer_error_name(fake_call.code));
			unit_assert_contains(fake_call.detail, rows[i].part);
			(void)snprintf(status, sizeof status, "status %ld", rows[i].status);
			unit_assert_contains(fake_call.detail, status);
			unit_assert_lacks(fake_call.detail, "html");
		}
}

/* Following one would send the secret along; the host alone is named, not what a URL may carry. */
static void
redirects_are_never_followed(void **state)
{
	static const long statuses[] = {300, 301, 302, 303, 304, 307, 308};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		assert_int_equal(answer(statuses[i], "", 0, "evil.example"), RINGBEARER_E_CONFIG);
		unit_assert_contains(fake_call.detail, "`evil.example`");
		unit_assert_contains(fake_call.detail, "never followed");
	}
}

/* Not even an answer that has everything else of a good one. */
static void
statuses_below_200_are_no_answer(void **state)
{
	(void)state;
	assert_int_equal(
		answer(100, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}", 0, ""), RINGBEARER_E_ACCESS_DENIED);
	assert_int_equal(answer(0, "", 0, ""), RINGBEARER_E_ACCESS_DENIED);
}

static void
retry_after_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(answer(429, "", 17, ""), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	assert_int_equal(fake_call.retry_after, 17);
	assert_int_equal(answer(503, "{\"error\":\"busy\"}", 3600, ""), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	assert_int_equal(fake_call.retry_after, 3600);
	assert_int_equal(answer(429, "", 0, ""), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	assert_int_equal(fake_call.retry_after, -1);
}

/* GitHub and Slack send errors with 200. */
static void
an_error_comes_before_a_token(void **state)
{
	(void)state;
	assert_int_equal(
		answer(200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"error\":\"invalid_client\"}", 0, ""),
		RINGBEARER_E_CLIENT_REJECTED);
}

static void
an_error_may_be_of_any_type(void **state)
{
	static const char *const bodies[] = {"{\"error\":{\"code\":401,\"message\":\"x\"}}", "{\"error\":true}",
		"{\"error\":7}", "{\"error\":[1]}", "{\"error\":[{\"message\":\"x\"}]}", "{\"error\":\"a\\u0000b\"}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		assert_int_equal(answer(400, bodies[i], 0, ""), RINGBEARER_E_CONFIG);
		assert_int_equal(answer(403, bodies[i], 0, ""), RINGBEARER_E_FORBIDDEN);
		assert_int_equal(answer(200, bodies[i], 0, ""), RINGBEARER_E_CONFIG);
		unit_assert_lacks(fake_call.detail, "(,");
		unit_assert_lacks(fake_call.detail, ": ,");
	}
}

/* Wherever a service has put name and text. */
static void
errors_stand_in_many_places(void **state)
{
	static const struct {
		const char *body;
		long status;
		int code;
		const char *shown;
	} rows[] = {
		{"{\"error\":{\"message\":\"wrong secret\",\"type\":\"OAuthException\",\"code\":1}}", 400,
			RINGBEARER_E_CONFIG, "(OAuthException: wrong secret, status 400)"},
		{"{\"error\":{\"code\":\"invalid_client\",\"message\":\"off\"}}", 400, RINGBEARER_E_CLIENT_REJECTED,
			"(invalid_client: off, status 400)"},
		{"{\"error\":{\"code\":401,\"message\":\"off\"}}", 401, RINGBEARER_E_CLIENT_REJECTED,
			"(off, status 401)"},
		{"{\"error\":[{\"message\":\"off\"}]}", 400, RINGBEARER_E_CONFIG, "(off, status 400)"},
		{"{\"code\":\"invalid_client\",\"message\":\"off\"}", 400, RINGBEARER_E_CLIENT_REJECTED,
			"(invalid_client: off, status 400)"},
		{"{\"errorCode\":\"E0000011\",\"errorSummary\":\"Invalid token\"}", 401, RINGBEARER_E_CLIENT_REJECTED,
			"(E0000011: Invalid token, status 401)"},
		{"{\"message\":\"Not Found\"}", 404, RINGBEARER_E_CONFIG, "(Not Found, status 404)"},
		{"{\"error\":true,\"message\":\"no\"}", 400, RINGBEARER_E_CONFIG, "(no, status 400)"},
		{"{\"error\":\"odd\",\"error_description\":\"a\",\"error_hint\":\"b\"}", 400, RINGBEARER_E_CONFIG,
			"(odd: a b, status 400)"},
		{"{\"error\":\"unauthorized_client\",\"error_description\":\"non autoris\xe9\"}", 400,
			RINGBEARER_E_CONFIG, "(unauthorized_client: non autoris?, status 400)"},
		{"{\"error\":\"invalid_client\",\"error_description\":\"\xe9\"}", 200, RINGBEARER_E_CLIENT_REJECTED,
			"(invalid_client: ?, status 200)"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (answer(rows[i].status, rows[i].body, 0, "") != rows[i].code)
			fail_msg("%s became %s", rows[i].body, ringbearer_error_name(fake_call.code));
		unit_assert_contains(fake_call.detail, rows[i].shown);
	}
}

/* 403 is what some services say to a wrong secret. */
static void
forbidden_names_all_that_it_may_mean(void **state)
{
	static const char *const bodies[] = {"", "{\"error\":\"unauthorized_client\"}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		fake_set(&fake_call, "client_auth", "client_secret_basic");
		assert_int_equal(answer(403, bodies[i], 0, ""), RINGBEARER_E_FORBIDDEN);
		unit_assert_contains(fake_call.detail, "`ringbearer secret acme`");
		unit_assert_contains(fake_call.detail, "IP allow list");
		unit_assert_contains(fake_call.detail, "`grant`");
		fake_set(&fake_call, "client_auth", "none");
		assert_int_equal(answer(403, bodies[i], 0, ""), RINGBEARER_E_FORBIDDEN);
		unit_assert_lacks(fake_call.detail, "secret acme");
	}
	assert_int_equal(answer(401, "", 0, ""), RINGBEARER_E_CLIENT_REJECTED);
	unit_assert_lacks(fake_call.detail, "secret acme"); /* a public client has none */
}

/* With a refresh token: dead for sure, or perhaps; a person is told either way. */
static void
a_refused_refresh_token_leads_to_a_login(void **state)
{
	static const struct {
		const char *body;
		long status;
		int code;
	} rows[] = {
		{"{\"error\":\"invalid_grant\"}", 400, RINGBEARER_E_LOGIN_REQUIRED},
		{"{\"error\":\"invalid_grant\",\"error_description\":\"expir\xe9\"}", 400, RINGBEARER_E_LOGIN_REQUIRED},
		{"{\"error\":\"token_inactive\"}", 401, RINGBEARER_E_LOGIN_REQUIRED},
		{"{\"error\":\"bad_refresh_token\"}", 200, RINGBEARER_E_LOGIN_REQUIRED},
		{"", 400, RINGBEARER_E_ACCESS_DENIED},
		{"", 401, RINGBEARER_E_CLIENT_REJECTED},
		{"", 403, RINGBEARER_E_FORBIDDEN},
		{"{\"error\":\"invalid_request\"}", 400, RINGBEARER_E_CONFIG},
		{"{\"error\":\"unauthorized_client\"}", 400, RINGBEARER_E_CONFIG},
		{"{\"error\":\"odd\"}", 401, RINGBEARER_E_CLIENT_REJECTED},
		{"{\"error\":{\"message\":\"expired\"}}", 400, RINGBEARER_E_CONFIG},
	};
	size_t i;

	(void)state;
	fake_oauth.standing = fake_oauth.refreshing = true;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (answer(rows[i].status, rows[i].body, 0, "") != rows[i].code)
			fail_msg("%s became %s", rows[i].body, ringbearer_error_name(fake_call.code));
		unit_assert_contains(fake_call.detail, "`ringbearer login acme`");
	}
	assert_int_equal(answer(401, "{\"error\":\"invalid_client\"}", 0, ""), RINGBEARER_E_CLIENT_REJECTED);
	unit_assert_lacks(fake_call.detail, "ringbearer login");
	assert_int_equal(answer(503, "", 0, ""), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	unit_assert_lacks(fake_call.detail, "ringbearer login");
	fake_oauth.refreshing = false;
	assert_int_equal(answer(401, "{\"error\":\"token_inactive\"}", 0, ""), RINGBEARER_E_CLIENT_REJECTED);
}

static void
descriptions_are_shown(void **state)
{
	(void)state;
	assert_int_equal(answer(400, "{\"error\":\"invalid_scope\",\"error_description\":\"no such scope\"}", 0, ""),
		RINGBEARER_E_INSUFFICIENT_SCOPE);
	unit_assert_contains(fake_call.detail, "(invalid_scope: no such scope, status 400)");
	assert_int_equal(answer(401, "{\"error\":\"invalid_client\",\"error_description\":\"app is off\"}", 0, ""),
		RINGBEARER_E_CLIENT_REJECTED);
	unit_assert_contains(fake_call.detail, "(invalid_client: app is off, status 401)");
	assert_int_equal(answer(400, "{\"error\":\"invalid_scope\",\"error_description\":7}", 0, ""),
		RINGBEARER_E_INSUFFICIENT_SCOPE);
	unit_assert_contains(fake_call.detail, "(invalid_scope, status 400)");
}

/* Only %x20-21 / %x23-5B / %x5D-7E gets through (section 5.2). */
static void
the_servers_text_is_cleaned(void **state)
{
	const char *p;

	(void)state;
	assert_int_equal(answer(400,
				 "{\"error\":\"odd\\u001b[31m\\u009b\\\"\\\\x\",\"error_description\":"
				 "\"a\\u001b]0;title\\u0007b\\n\\r\\u0000c\"}",
				 0, ""),
		RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, "(odd[31mx, status 400)"); /* a NUL makes the description none */
	assert_int_equal(answer(400,
				 "{\"error\":\"odd\",\"error_description\":\"a\\u001b]0;title\\u0007b\\n\\r\\t\\u007f"
				 "\\u0085\\u202e\xc3\xa4\\\"c\\\\ !#[]~\"}",
				 0, ""),
		RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, "(odd: a]0;titlebc !#[]~, status 400)");
	for (p = fake_call.detail; *p; p++)
		assert_in_range(*p, 0x20, 0x7e);
}

static void
the_servers_text_is_capped(void **state)
{
	char body[4096], text[1024];

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	(void)snprintf(body, sizeof body, "{\"error\":\"%s\",\"error_description\":\"%s\"}", text, text);
	assert_int_equal(answer(400, body, 0, ""), RINGBEARER_E_CONFIG);
	text[480] = '\0';
	unit_assert_lacks(fake_call.detail, text);
	text[200] = '\0';
	unit_assert_contains(fake_call.detail, text);
	(void)snprintf(body, sizeof body, "{\"error\":\"odd\",\"error_description\":\"%s%s%s The reason.\"}", text,
		text, text);
	assert_int_equal(answer(400, body, 0, ""), RINGBEARER_E_CONFIG);
	unit_assert_contains(fake_call.detail, " ... ");
	unit_assert_contains(fake_call.detail, "x The reason., status 400)");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_enter, fake_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(invalid_request_is_configuration),
		TEST(invalid_client_is_rejected),
		TEST(invalid_grant_is_configuration),
		TEST(unauthorized_client_is_configuration),
		TEST(unsupported_grant_type_is_configuration),
		TEST(invalid_scope_is_a_refusal_of_the_scope),
		TEST(invalid_target_is_configuration),
		TEST(dpop_is_not_supported),
		TEST(a_person_may_be_wanted),
		TEST(access_denied_is_a_no),
		TEST(server_trouble_is_temporary),
		TEST(busy_is_busy),
		TEST(unknown_errors_go_by_their_status),
		TEST(a_status_says_it_without_json),
		TEST(redirects_are_never_followed),
		TEST(statuses_below_200_are_no_answer),
		TEST(retry_after_is_passed_on),
		TEST(an_error_comes_before_a_token),
		TEST(an_error_may_be_of_any_type),
		TEST(errors_stand_in_many_places),
		TEST(forbidden_names_all_that_it_may_mean),
		TEST(a_refused_refresh_token_leads_to_a_login),
		TEST(descriptions_are_shown),
		TEST(the_servers_text_is_cleaned),
		TEST(the_servers_text_is_capped),
	};

	return cmocka_run_group_tests_name("token-errors", tests, NULL, NULL);
}
