/* SPDX-License-Identifier: MIT */
/* A token endpoint's good answers (RFC 6749 section 5.1), and those that only look good. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "fake-host.h"
#include "modules/oauth/token_response.h"

#define TOKEN "\"access_token\":\"t0ken\",\"token_type\":\"Bearer\""

static struct ringbearer_tokens tokens;

static void
free_tokens(void)
{
	fake_oauth.host->secret_free(tokens.access_token);
	fake_oauth.host->secret_free(tokens.refresh_token);
	fake_oauth.host->secret_free(tokens.scope);
	tokens = (struct ringbearer_tokens){.size = sizeof tokens, .expires_in = RINGBEARER_EXPIRES_UNKNOWN};
}

static int
enter(void **state)
{
	int rc = fake_enter(state);

	tokens = (struct ringbearer_tokens){.size = sizeof tokens, .expires_in = RINGBEARER_EXPIRES_UNKNOWN};
	return rc;
}

static int
leave(void **state)
{
	free_tokens();
	return fake_leave(state);
}

static int
answer_bytes(long status, const char *body, size_t size)
{
	struct rbr_http_answer answer = {
		.status = status, .body = fake_oauth.host->secret_new(body, size), .sent = true};
	int rc;

	free_tokens();
	fake_call.code = 0;
	fake_call.failures = 0;
	fake_call.detail[0] = '\0';
	rc = rbr_token_response(&fake_oauth, &answer, &tokens);
	assert_int_equal(fake_call.code, rc);
	assert_int_equal(fake_call.failures, rc < 0);
	fake_oauth.host->secret_free(answer.body);
	return rc;
}

static int
answer(long status, const char *body)
{
	return answer_bytes(status, body, strlen(body));
}

static void
malformed(const char *body)
{
	if (answer(200, body) != RINGBEARER_E_MALFORMED_RESPONSE)
		fail_msg("`%s` was taken for something else", body);
}

static void
a_full_answer(void **state)
{
	(void)state;
	assert_int_equal(
		answer(200,
			"{" TOKEN ",\"expires_in\":3600,\"refresh_token\":\"r3fresh\",\"scope\":\"a b\",\"x\":[1]}"),
		0);
	assert_string_equal(fake_oauth.host->secret_data(tokens.access_token), "t0ken");
	assert_string_equal(tokens.token_type, "Bearer");
	assert_int_equal(tokens.expires_in, 3600);
	assert_string_equal(fake_oauth.host->secret_data(tokens.refresh_token), "r3fresh");
	assert_string_equal(fake_oauth.host->secret_data(tokens.scope), "a b");
	assert_int_equal(fake_call.logs, 0);
}

static void
the_least_answer(void **state)
{
	(void)state;
	assert_int_equal(answer(200, "{" TOKEN "}"), 0);
	assert_true(tokens.expires_in == RINGBEARER_EXPIRES_UNKNOWN);
	assert_null(tokens.refresh_token);
	assert_null(tokens.scope);
	assert_int_equal(
		answer(200, "{" TOKEN ",\"expires_in\":null,\"refresh_token\":\"\",\"scope\":null,\"error\":null}"), 0);
	assert_true(tokens.expires_in == RINGBEARER_EXPIRES_UNKNOWN);
	assert_null(tokens.refresh_token);
	assert_null(tokens.scope);
}

static void
access_token_must_be_a_clean_string(void **state)
{
	(void)state;
	malformed("{\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":null,\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":123,\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":[\"a\"],\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a b\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a\\nb\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a\\r\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a\\u0000b\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a\\u007f\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"\\u00e4\",\"token_type\":\"Bearer\"}");
	unit_assert_lacks(fake_call.detail, "\xc3");
	/* what json-c makes of lone surrogates, overlong and surrogate UTF-8 */
	malformed("{\"access_token\":\"a\\ud800b\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a\\udc00\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a\xc1\x81\",\"token_type\":\"Bearer\"}");
	malformed("{\"access_token\":\"a\xed\xa0\x80\",\"token_type\":\"Bearer\"}");
	assert_null(tokens.access_token);
	assert_int_equal(answer(200, "{\"access_token\":\"!#~\\u0041\\/\",\"token_type\":\"Bearer\"}"), 0);
	assert_string_equal(fake_oauth.host->secret_data(tokens.access_token), "!#~A/");
}

/* One that could not be sent again, or would break out of a form, is no refresh token (appendix A.17). */
static void
refresh_token_must_be_clean_too(void **state)
{
	(void)state;
	malformed("{" TOKEN ",\"refresh_token\":\"a\\nb\"}");
	malformed("{" TOKEN ",\"refresh_token\":\"\\u00e4\"}");
	malformed("{" TOKEN ",\"refresh_token\":\"a\\u0000b\"}");
	malformed("{" TOKEN ",\"refresh_token\":7}");
	assert_null(tokens.access_token);
}

static void
bearer_in_any_case_is_the_one_type(void **state)
{
	static const char *const good[] = {"Bearer", "bearer", "BEARER", "bEaReR"};
	static const char *const bad[] = {"", "DPoP", "mac", "N_A", "Bearer ", "bearers", "Bear", "Basic"};
	char body[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		(void)snprintf(body, sizeof body, "{\"access_token\":\"t\",\"token_type\":\"%s\"}", good[i]);
		assert_int_equal(answer(200, body), 0);
		assert_string_equal(tokens.token_type, "Bearer");
	}
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)snprintf(body, sizeof body, "{\"access_token\":\"t\",\"token_type\":\"%s\"}", bad[i]);
		malformed(body);
		unit_assert_contains(fake_call.detail, "only Bearer is supported");
		unit_assert_contains(fake_call.detail, bad[i]);
	}
	malformed("{\"access_token\":\"t\",\"token_type\":1}");
	malformed("{\"access_token\":\"t\",\"token_type\":[\"Bearer\"]}");
	malformed("{\"access_token\":\"t\",\"token_type\":\"x\\u001b[31m\\n\"}");
	unit_assert_contains(fake_call.detail, "`x[31m`");
}

static void
the_type_may_be_left_out_where_the_account_says_so(void **state)
{
	(void)state;
	malformed("{\"access_token\":\"t\"}");
	unit_assert_contains(fake_call.detail, "token_type_required = no");
	malformed("{\"access_token\":\"t\",\"token_type\":null}");
	fake_set(&fake_call, "token_type_required", NULL);
	malformed("{\"access_token\":\"t\"}");
	fake_set(&fake_call, "token_type_required", "no");
	assert_int_equal(answer(200, "{\"access_token\":\"t\"}"), 0);
	assert_string_equal(tokens.token_type, "Bearer");
	assert_int_equal(answer(200, "{\"access_token\":\"t\",\"token_type\":null}"), 0);
	malformed("{\"access_token\":\"t\",\"token_type\":\"mac\"}");
}

static void
expires_in_in_all_its_forms(void **state)
{
	static const struct {
		const char *json;
		int64_t seconds;
	} cases[] = {
		{"3600", 3600},
		{"1", 1},
		{"0", 0},
		{"-1", 0},
		{"-9223372036854775808", 0},
		{"-99999999999999999999999", 0},
		{"3599.9", 3599},
		{"3.6e3", 3600},
		{"0.5", 0},
		{"-0.5", 0},
		{"-1e30", 0},
		{"-1e400", 0},
		{"\"3600\"", 3600},
		{"\"0\"", 0},
		{"\"0003600\"", 3600},
		{"315360000", 315360000},
		{"\"315360000\"", 315360000},
		{"315360001", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"315360001\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"9223372036854775807", RINGBEARER_EXPIRES_UNKNOWN},
		{"9223372036854775808", RINGBEARER_EXPIRES_UNKNOWN},
		{"99999999999999999999999", RINGBEARER_EXPIRES_UNKNOWN},
		{"1e30", RINGBEARER_EXPIRES_UNKNOWN},
		{"1e400", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"99999999999999999999\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"soon\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"-5\"", 0},
		{"\"-1\"", 0},
		{"\" -1.5 \"", 0},
		{"\"3600.0\"", 3600},
		{"\"\\t3600\\n\"", 3600},
		{"\"3600 s\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"3600.\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"3.6e3\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"-\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"--1\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"36x\"", RINGBEARER_EXPIRES_UNKNOWN},
		{"\"3600.5\"", 3600},
		{"\" 3600\"", 3600},
		{"{}", RINGBEARER_EXPIRES_UNKNOWN},
		{"{\"value\":3600}", RINGBEARER_EXPIRES_UNKNOWN},
		{"[3600]", RINGBEARER_EXPIRES_UNKNOWN},
		{"true", RINGBEARER_EXPIRES_UNKNOWN},
		{"false", RINGBEARER_EXPIRES_UNKNOWN},
		{"null", RINGBEARER_EXPIRES_UNKNOWN},
	};
	char body[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(body, sizeof body, "{" TOKEN ",\"expires_in\":%s}", cases[i].json);
		assert_int_equal(answer(200, body), 0);
		if (tokens.expires_in != cases[i].seconds)
			fail_msg("expires_in %s became %lld", cases[i].json, (long long)tokens.expires_in);
	}
}

static void
scopes_with_odd_bytes_are_unknown(void **state)
{
	(void)state;
	assert_int_equal(answer(200, "{" TOKEN ",\"scope\":\"a\\nb\"}"), 0);
	assert_null(tokens.scope);
	assert_int_equal(answer(200, "{" TOKEN ",\"scope\":\"a\\\"b\"}"), 0);
	assert_null(tokens.scope);
	assert_int_equal(answer(200, "{" TOKEN ",\"scope\":\"\\u00e4\"}"), 0);
	assert_null(tokens.scope);
	assert_int_equal(answer(200, "{" TOKEN ",\"scope\":[\"a\"]}"), 0);
	assert_null(tokens.scope);
	assert_int_equal(answer(200, "{" TOKEN ",\"scope\":\"https:\\/\\/x\\/y z\"}"), 0);
	assert_string_equal(fake_oauth.host->secret_data(tokens.scope), "https://x/y z");
	assert_int_equal(answer(200, "{" TOKEN ",\"scope\":\"\"}"), 0);
	assert_string_equal(fake_oauth.host->secret_data(tokens.scope), "");
}

static void
what_is_no_object_is_malformed(void **state)
{
	(void)state;
	malformed("");
	malformed("[]");
	malformed("\"t0ken\"");
	malformed("null");
	malformed("<html>ok</html>");
	malformed("access_token=t0ken&token_type=bearer");
	malformed("{" TOKEN);
	malformed("{" TOKEN "} trailing");
	malformed("{" TOKEN ",}");
}

static void
what_json_c_would_take_is_malformed(void **state)
{
	(void)state;
	malformed("{'access_token':'t0ken','token_type':'Bearer'}");
	malformed("{" TOKEN ",\"expires_in\":NaN}");
	malformed("{" TOKEN ",\"expires_in\":Infinity}");
	malformed("{\"access_token\":\"t0\nken\",\"token_type\":\"Bearer\"}");
	malformed("{" TOKEN ",\"access_token\":\"other\"}");
	malformed("{" TOKEN ",\"refresh_token\":\"a\",\"refresh_token\":\"b\"}");
	malformed("{" TOKEN "}{}");
	assert_int_equal(answer_bytes(200, UNIT_BYTES("{" TOKEN "}\0garbage")), RINGBEARER_E_MALFORMED_RESPONSE);
	malformed("{" TOKEN "/**/}");
	malformed("{" TOKEN ",\"x\":\"\xff\"}");
}

static void
every_2xx_with_a_token_is_success(void **state)
{
	static const long statuses[] = {200, 201, 202, 203, 206, 299};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		assert_int_equal(answer(statuses[i], "{" TOKEN "}"), 0);
	assert_int_equal(answer(204, ""), RINGBEARER_E_MALFORMED_RESPONSE);
	unit_assert_contains(fake_call.detail, "has nothing in it");
	assert_null(tokens.access_token);
	assert_true(answer(400, "{" TOKEN "}") < 0);
	assert_true(answer(500, "{" TOKEN "}") < 0);
	assert_true(answer(302, "{" TOKEN "}") < 0);
	assert_true(answer(100, "{" TOKEN "}") < 0);
	assert_null(tokens.access_token);
}

/* Some servers always send the member. */
static void
an_error_that_is_none_is_none(void **state)
{
	static const char *const none[] = {"null", "\"\"", "false", "0", "{}", "[]"};
	static const char *const some[] = {"\"x\"", "true", "7", "{\"message\":\"x\"}", "[1]", "0.5"};
	char body[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof none / sizeof none[0]; i++) {
		(void)snprintf(body, sizeof body, "{" TOKEN ",\"error\":%s}", none[i]);
		assert_int_equal(answer(200, body), 0);
	}
	for (i = 0; i < sizeof some / sizeof some[0]; i++) {
		(void)snprintf(body, sizeof body, "{" TOKEN ",\"error\":%s}", some[i]);
		assert_true(answer(200, body) < 0);
	}
}

static void
a_byte_order_mark_is_skipped(void **state)
{
	(void)state;
	assert_int_equal(answer(200, "\xef\xbb\xbf{" TOKEN "}"), 0);
	malformed("\xef\xbb\xbf");
	malformed("\xef\xbb\xbf\xef\xbb\xbf{" TOKEN "}");
	malformed("\xef\xbb{" TOKEN "}");
	/* of an answer in another encoding nothing but an error is believed */
	malformed("{" TOKEN ",\"name\":\"J\xe4ne\"}");
	assert_null(tokens.refresh_token);
}

/* Whichever part of the answer finds no room: an error, and never an answer without its refresh token. */
static void
short_memory_is_an_error(void **state)
{
	static const char body[] = "{" TOKEN ",\"refresh_token\":\"r\",\"scope\":\"a\"}";
	const struct ringbearer_host *host = fake_oauth.host;
	struct rbr_http_answer good = {.status = 200, .body = host->secret_new(body, sizeof body - 1)};
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		free_tokens();
		fake_fail_secret(i);
		assert_int_equal(rbr_token_response(&fake_oauth, &good, &tokens), RINGBEARER_E_SYSTEM);
	}
	fake_fail_secret(-1);
	host->secret_free(good.body);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_answer),
		TEST(the_least_answer),
		TEST(access_token_must_be_a_clean_string),
		TEST(refresh_token_must_be_clean_too),
		TEST(bearer_in_any_case_is_the_one_type),
		TEST(the_type_may_be_left_out_where_the_account_says_so),
		TEST(expires_in_in_all_its_forms),
		TEST(scopes_with_odd_bytes_are_unknown),
		TEST(what_is_no_object_is_malformed),
		TEST(what_json_c_would_take_is_malformed),
		TEST(every_2xx_with_a_token_is_success),
		TEST(an_error_that_is_none_is_none),
		TEST(a_byte_order_mark_is_skipped),
		TEST(short_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("token-response", tests, NULL, NULL);
}
