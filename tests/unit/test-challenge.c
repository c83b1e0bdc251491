/* SPDX-License-Identifier: MIT */
/* WWW-Authenticate: the parameters of a Bearer challenge (RFC 6750 section 3, RFC 9110 section 11). */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "protocol/fastpath/challenge.h"

static void
is(const char *challenge, const char *name, const char *expected)
{
	char value[64] = "untouched";

	if (!rbr_challenge_parameter(challenge, name, value, sizeof value))
		fail_msg("`%s` has no `%s`", challenge, name);
	assert_string_equal(value, expected);
}

static void
has_no(const char *challenge, const char *name)
{
	char value[64] = "untouched";

	if (rbr_challenge_parameter(challenge, name, value, sizeof value))
		fail_msg("`%s` has `%s`: `%s`", challenge, name, value);
}

static void
parameters_are_found(void **state)
{
	static const char challenge[] = "Bearer realm=\"the realm\", error=\"invalid_token\",error_description="
					"\"it, has = expired\",  scope=\"a b\"\t,x=y";

	(void)state;
	is(challenge, "realm", "the realm");
	is(challenge, "error", "invalid_token");
	is(challenge, "error_description", "it, has = expired");
	is(challenge, "scope", "a b");
	is(challenge, "x", "y");
	has_no(challenge, "error_uri");
	has_no(challenge, "err");
	has_no(challenge, "y");
	has_no(challenge, "has");
	has_no(challenge, "");
}

static void
values_may_be_tokens(void **state)
{
	(void)state;
	is("Bearer error=invalid_token", "error", "invalid_token");
	is("Bearer a=b,error=invalid_token,c=d", "error", "invalid_token");
	is("Bearer error=", "error", "");
	is("Bearer error=,a=b", "error", "");
	is("Bearer error=\"\", a=b", "a", "b");
}

static void
scheme_and_names_have_no_case(void **state)
{
	(void)state;
	is("bearer ERROR=\"invalid_token\"", "error", "invalid_token");
	is("BEARER Error=\"Invalid_Token\"", "error", "Invalid_Token");
}

static void
only_bearer_counts(void **state)
{
	(void)state;
	has_no("Basic error=\"invalid_token\"", "error");
	has_no("BearerX error=\"invalid_token\"", "error");
	has_no("Bear error=\"invalid_token\"", "error");
	has_no("", "error");
	has_no("Bearer", "error");
	has_no("Bearer ", "error");
	has_no("Bearererror=\"invalid_token\"", "error");
}

static void
quoted_strings_are_unquoted(void **state)
{
	(void)state;
	is("Bearer realm=\"a \\\"quoted\\\" \\\\ word\", error=\"x\"", "realm", "a \"quoted\" \\ word");
	is("Bearer realm=\"a \\\", error=\\\"y\\\"\", error=\"x\"", "error", "x");
	is("Bearer realm=\"error=invalid_token\", error=\"x\"", "error", "x");
}

static void
broken_challenges_end_somewhere(void **state)
{
	(void)state;
	is("Bearer error=\"invalid_tok", "error", "invalid_tok");
	is("Bearer error=\"x\\", "error", "x\\");
	has_no("Bearer error", "error");
	has_no("Bearer ,,, ,\t,", "error");
	has_no("Bearer =x, ==", "error");
	has_no("Bearer \"error=x\"", "error");
	has_no("Bearer abc==", "error");
	is("Bearer realm=\"a\"error=\"x\"", "error", "x");
}

/* RFC 9110 section 5.6.3: blanks around `=` are bad, and must be taken. */
static void
bad_blanks_are_taken(void **state)
{
	(void)state;
	is("Bearer realm=\"x\", error = \"invalid_token\"", "error", "invalid_token");
	is("Bearer error\t=\tinvalid_token, a=b", "error", "invalid_token");
}

/* RFC 9110 section 11.6.1: one header may carry several challenges. */
static void
several_challenges_may_share_a_line(void **state)
{
	(void)state;
	is("Basic realm=\"x\", Bearer realm=\"y\", error=\"invalid_token\"", "error", "invalid_token");
	is("Basic realm=\"x\", Bearer realm=\"y\"", "realm", "y");
	is("Negotiate, Bearer error=\"invalid_token\"", "error", "invalid_token");
	is("Negotiate YWJj==, Bearer error=\"invalid_token\"", "error", "invalid_token");
	is("Bearer error=\"invalid_token\", Basic realm=\"x\"", "error", "invalid_token");
	has_no("Bearer realm=\"x\", DPoP error=\"invalid_token\"", "error");
	has_no("Bearer, Basic realm=\"x\"", "realm");
	has_no("Basic realm=\"x, Bearer error=invalid_token\"", "error");
}

/* Half a scope is another scope. */
static void
a_value_that_does_not_fit_is_not_cut(void **state)
{
	char value[8] = "before";

	(void)state;
	assert_true(rbr_challenge_parameter("Bearer scope=\"seven77\"", "scope", value, sizeof value));
	assert_string_equal(value, "seven77");
	assert_false(rbr_challenge_parameter("Bearer scope=\"eight888\"", "scope", value, sizeof value));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_found),
		cmocka_unit_test(values_may_be_tokens),
		cmocka_unit_test(scheme_and_names_have_no_case),
		cmocka_unit_test(only_bearer_counts),
		cmocka_unit_test(quoted_strings_are_unquoted),
		cmocka_unit_test(broken_challenges_end_somewhere),
		cmocka_unit_test(bad_blanks_are_taken),
		cmocka_unit_test(several_challenges_may_share_a_line),
		cmocka_unit_test(a_value_that_does_not_fit_is_not_cut),
	};

	return cmocka_run_group_tests_name("challenge", tests, NULL, NULL);
}
