/* SPDX-License-Identifier: MIT */
/* The forms in which a credential is written. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/formats/formats.h"
#include "watch.h"

static const struct rbr_credential full = {
	.token = "t0ken.-_~+/=",
	.type = "Bearer",
	.account = "acme",
	.username = "jane",
	.scope = "read write",
	.obtained = 1800000000,
	.expires = 1800003600,
	.boot_expires = 8600,
	.renew_at = 1800002880,
};

static const struct rbr_credential bare = {
	.token = "t",
	.type = "Bearer",
	.account = "acme",
	.obtained = 1800000000,
	.boot_expires = 300,
};

/* Every byte that a token may have. */
static char every[0x7f - 0x21 + 1];

static struct rbr_credential
hostile(void)
{
	struct rbr_credential credential = full;
	int c;

	for (c = 0x21; c < 0x7f; c++)
		every[c - 0x21] = (char)c;
	credential.token = every;
	return credential;
}

/* Whom the caller asked for, and where. */
static const char *asked_for, *asked_host;
static unsigned asked_port;

static void
writes(const char *form, const struct rbr_credential *credential, bool authtype, const char *text)
{
	const struct rbr_answer answer = {.credential = credential,
		.authtype = authtype,
		.username = asked_for,
		.host = asked_host,
		.port = asked_port};
	struct ringbearer_secret out = RBR_SECRET_EMPTY;

	assert_non_null(rbr_format_find(form));
	assert_int_equal(rbr_format_find(form)->write(&answer, &out), 0);
	assert_string_equal(rbr_secret_string(&out), text);
	assert_int_equal(out.size, strlen(text));
	rbr_secret_wipe(&out);
}

static void
forms_are_found_by_name(void **state)
{
	static const char *const names[] = {"git", "token", "header", "json", "env", "google", "xoauth2", "oauthbearer",
		"kubernetes", "docker", "bazel", "cargo", "terraform"};
	const struct rbr_format *form;
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(names); i++) {
		form = rbr_format_find(names[i]);
		assert_non_null(form);
		assert_string_equal(form->name, names[i]);
	}
	for (i = 0; (form = rbr_format_at(i)); i++) {
		assert_ptr_equal(rbr_format_find(form->name), form);
		assert_string_not_equal(form->summary, "");
		assert_non_null(form->write);
	}
	assert_in_range(i, RBR_ARRAY_SIZE(names), 100);
	assert_null(rbr_format_at(i + 1));
	assert_null(rbr_format_at(SIZE_MAX));
	assert_null(rbr_format_find(""));
	assert_null(rbr_format_find("gi"));
	assert_null(rbr_format_find("Git"));
}

static void
git_with_authtype(void **state)
{
	(void)state;
	writes("git", &full, true,
		"capability[]=authtype\nauthtype=Bearer\ncredential=t0ken.-_~+/=\nephemeral=1\n"
		"password_expiry_utc=1800003600\naccount=acme\nusername=jane\nscope=read write\n");
	writes("git", &bare, true, "capability[]=authtype\nauthtype=Bearer\ncredential=t\nephemeral=1\naccount=acme\n");
}

static void
git_with_a_password(void **state)
{
	(void)state;
	writes("git", &full, false,
		"username=jane\npassword=t0ken.-_~+/=\npassword_expiry_utc=1800003600\naccount=acme\n"
		"scope=read write\n");
	writes("git", &bare, false, "username=oauth2\npassword=t\naccount=acme\n");
	asked_for = "joan"; /* git wants the name back that it has sent, where the account has none */
	writes("git", &bare, false, "username=joan\npassword=t\naccount=acme\n");
	writes("git", &bare, true, "capability[]=authtype\nauthtype=Bearer\ncredential=t\nephemeral=1\naccount=acme\n");
	asked_for = NULL;
}

static void
git_with_authtype_for_a_server_that_takes_only_basic(void **state)
{
	const struct rbr_answer answer = {.credential = &bare, .authtype = true, .basic = true};
	struct ringbearer_secret out = RBR_SECRET_EMPTY;

	(void)state;
	assert_int_equal(rbr_format_git(&answer, &out), 0);
	assert_string_equal(rbr_secret_string(&out),
		"capability[]=authtype\nusername=oauth2\npassword=t\nephemeral=1\naccount=acme\n");
	rbr_secret_wipe(&out);
}

static void
token_is_bare(void **state)
{
	(void)state;
	writes("token", &full, true, "t0ken.-_~+/=\n");
	writes("token", &bare, false, "t\n");
}

static void
header_is_one_line(void **state)
{
	(void)state;
	writes("header", &full, true, "Authorization: Bearer t0ken.-_~+/=\n");
}

static void
json_is_one_object(void **state)
{
	(void)state;
	writes("json", &full, true,
		"{\"account\":\"acme\",\"token_type\":\"Bearer\",\"access_token\":\"t0ken.-_~+/=\","
		"\"scope\":\"read write\",\"expires_at\":1800003600}\n");
	writes("json", &bare, false, "{\"account\":\"acme\",\"token_type\":\"Bearer\",\"access_token\":\"t\"}\n");
}

static void
json_strings_are_escaped(void **state)
{
	static const struct {
		const char *text;
		const char *json;
	} cases[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"\"", "\"\\u0022\""},
		{"a\\b", "\"a\\u005cb\""},
		{"\x01\n\x1f end", "\"\\u0001\\u000a\\u001f end\""},
		{"\"\"", "\"\\u0022\\u0022\""},
		{"\xc3\xa4/~\x7f\xe2\x80\xae\xf3\xa0\x81\x81", "\"\xc3\xa4/~\\u007f\\u202e\\udb40\\udc41\""},
		{"\xff\xc2\x9b", "\"\\ufffd\\u009b\""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		struct ringbearer_secret out = RBR_SECRET_EMPTY;

		assert_int_equal(rbr_json_string(&out, cases[i].text), 0);
		assert_string_equal(rbr_secret_string(&out), cases[i].json);
		rbr_secret_wipe(&out);
	}
}

static void
names_are_listed_for_people(void **state)
{
	char names[RBR_FORMAT_NAMES_MAX];
	const struct rbr_format *form;
	size_t i;

	(void)state;
	rbr_format_names(names);
	assert_memory_equal(names, "git, token, ", 12);
	for (i = 0; (form = rbr_format_at(i)); i++)
		unit_assert_contains(names, form->name);
	unit_assert_contains(names, " or ");
}

static void
env_is_two_assignments(void **state)
{
	struct rbr_credential odd = full;

	(void)state;
	writes("env", &bare, false, "RINGBEARER_TOKEN=t\nRINGBEARER_EXPIRES_AT=\n");
	odd.token = "Aa0-._+/=";
	writes("env", &odd, false, "RINGBEARER_TOKEN=Aa0-._+/=\nRINGBEARER_EXPIRES_AT=1800003600\n");
	odd.token = "~t"; /* sh makes a folder of it */
	writes("env", &odd, false, "RINGBEARER_TOKEN=\"~t\"\nRINGBEARER_EXPIRES_AT=1800003600\n");
	odd.token = "a\"b`c$d\\e'f";
	writes("env", &odd, false, "RINGBEARER_TOKEN=\"a\\\"b\\`c\\$d\\\\e'f\"\nRINGBEARER_EXPIRES_AT=1800003600\n");
}

static void
google_gets_a_jwt_or_an_id_token(void **state)
{
	static const char variable[] = "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE";
	static const char jwt[] =
		"{\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:jwt\","
		"\"id_token\":\"t\"}\n";

	(void)state;
	assert_int_equal(unsetenv(variable), 0);
	writes("google", &bare, false, jwt);
	assert_int_equal(setenv(variable, "urn:example:other", 1), 0);
	writes("google", &bare, false, jwt);
	assert_int_equal(setenv(variable, "urn:ietf:params:oauth:token-type:id_token", 1), 0);
	writes("google", &full, false,
		"{\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:id_token\","
		"\"id_token\":\"t0ken.-_~+/=\",\"expiration_time\":1800003600}\n");
	assert_int_equal(unsetenv(variable), 0);
}

static void
google_is_told_of_failures_as_well(void **state)
{
	struct ringbearer_secret out = RBR_SECRET_EMPTY;

	(void)state;
	assert_int_equal(rbr_format_find("google")->write_failure("config", "a \"quoted\" word", &out), 0);
	assert_string_equal(rbr_secret_string(&out),
		"{\"version\":1,\"success\":false,\"code\":\"config\","
		"\"message\":\"a \\u0022quoted\\u0022 word\"}\n");
	rbr_secret_wipe(&out);
}

static void
times_are_those_of_rfc_3339(void **state)
{
	static const struct {
		int64_t seconds;
		const char *json;
	} cases[] = {
		{0, ""},
		{-1, ""},
		{1, ",\"at\":\"1970-01-01T00:00:01Z\""},
		{951782400, ",\"at\":\"2000-02-29T00:00:00Z\""},
		{1709251199, ",\"at\":\"2024-02-29T23:59:59Z\""},
		{1709251200, ",\"at\":\"2024-03-01T00:00:00Z\""},
		{1800003600, ",\"at\":\"2027-01-15T09:00:00Z\""},
		{4107542399, ",\"at\":\"2100-02-28T23:59:59Z\""},
		{4107542400, ",\"at\":\"2100-03-01T00:00:00Z\""},
		{253402300799, ",\"at\":\"9999-12-31T23:59:59Z\""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		struct ringbearer_secret out = RBR_SECRET_EMPTY;

		assert_int_equal(rbr_json_time(&out, "at", cases[i].seconds), 0);
		assert_string_equal(rbr_secret_string(&out), cases[i].json);
		rbr_secret_wipe(&out);
	}
}

static void
kubernetes_names_the_version(void **state)
{
	const struct rbr_answer answer = {.credential = &bare, .version = "client.authentication.k8s.io/v1beta1"};
	struct ringbearer_secret out = RBR_SECRET_EMPTY;

	(void)state;
	writes("kubernetes", &full, false,
		"{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":"
		"\"t0ken.-_~+/=\",\"expirationTimestamp\":\"2027-01-15T09:00:00Z\"}}\n");
	assert_int_equal(rbr_format_kubernetes(&answer, &out), 0);
	assert_string_equal(rbr_secret_string(&out),
		"{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":"
		"\"t\"}}\n");
	rbr_secret_wipe(&out);
}

static void
sasl_messages_are_base64(void **state)
{
	struct rbr_credential odd = full;

	(void)state;
	/* user=jane^Aauth=Bearer t0ken.-_~+/=^A^A */
	writes("xoauth2", &full, false, "dXNlcj1qYW5lAWF1dGg9QmVhcmVyIHQwa2VuLi1ffisvPQEB\n");
	/* n,a=jane,^Aauth=Bearer t0ken.-_~+/=^A^A */
	writes("oauthbearer", &full, false, "bixhPWphbmUsAWF1dGg9QmVhcmVyIHQwa2VuLi1ffisvPQEB\n");
	/* RFC 7628 section 4.1 */
	odd.username = "user@example.com";
	odd.token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
	asked_host = "server.example.com";
	asked_port = 143;
	writes("oauthbearer", &odd, false,
		"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRj"
		"Mk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB\n");
	asked_port = 0;
	odd.username = "a,b=c";
	odd.token = "t";
	/* n,a=a=2Cb=3Dc,^Ahost=server.example.com^Aauth=Bearer t^A^A */
	writes("oauthbearer", &odd, false,
		"bixhPWE9MkNiPTNEYywBaG9zdD1zZXJ2ZXIuZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgdAEB\n");
	asked_host = NULL;
	asked_for = "joan"; /* where the account has none */
	writes("xoauth2", &bare, false, "dXNlcj1qb2FuAWF1dGg9QmVhcmVyIHQBAQ==\n");
	asked_for = NULL;
}

static void
sasl_messages_want_a_user(void **state)
{
	static const char *const names[] = {NULL, "", "jane\x01", "ja\x7fne", "a\nb"};
	static const char *const forms[] = {"xoauth2", "oauthbearer"};
	struct ringbearer_secret out = RBR_SECRET_EMPTY;
	size_t i, j;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(names); i++)
		for (j = 0; j < RBR_ARRAY_SIZE(forms); j++) {
			const struct rbr_answer answer = {.credential = &bare, .username = names[i]};

			assert_int_equal(rbr_format_find(forms[j])->write(&answer, &out), RINGBEARER_E_CONFIG);
			assert_int_equal(out.size, 0);
		}
}

static void
hostile_tokens_stay_whole(void **state)
{
	const struct rbr_credential odd = hostile();
	char text[512], json[256], *end = json;
	const char *p;

	(void)state;
	(void)snprintf(text, sizeof text, "%s\n", every);
	writes("token", &odd, false, text);
	(void)snprintf(text, sizeof text, "Authorization: Bearer %s\n", every);
	writes("header", &odd, false, text);
	(void)snprintf(text, sizeof text,
		"capability[]=authtype\nauthtype=Bearer\ncredential=%s\nephemeral=1\n"
		"password_expiry_utc=1800003600\naccount=acme\nusername=jane\nscope=read write\n",
		every);
	writes("git", &odd, true, text);
	for (p = every; *p; p++)
		end += snprintf(end, (size_t)(json + sizeof json - end), *p == '"' || *p == '\\' ? "\\u%04x" : "%c",
			(unsigned)*p);
	(void)snprintf(text, sizeof text,
		"{\"account\":\"acme\",\"token_type\":\"Bearer\",\"access_token\":\"%s\",\"scope\":\"read write\","
		"\"expires_at\":1800003600}\n",
		json);
	writes("json", &odd, false, text);
}

static void
docker_has_a_user_name(void **state)
{
	const struct rbr_answer answer = {.credential = &bare, .asked = "registry.example.com"};
	struct ringbearer_secret out = RBR_SECRET_EMPTY;

	(void)state;
	writes("docker", &full, false, "{\"ServerURL\":\"\",\"Username\":\"jane\",\"Secret\":\"t0ken.-_~+/=\"}\n");
	assert_int_equal(rbr_format_docker(&answer, &out), 0);
	assert_string_equal(rbr_secret_string(&out),
		"{\"ServerURL\":\"registry.example.com\",\"Username\":\"oauth2accesstoken\",\"Secret\":\"t\"}\n");
	rbr_secret_wipe(&out);
}

static void
ends_are_told_where_they_are_known(void **state)
{
	(void)state;
	writes("bazel", &full, false,
		"{\"headers\":{\"Authorization\":[\"Bearer t0ken.-_~+/=\"]},\"expires\":\"2027-01-15T09:00:00Z\"}\n");
	writes("bazel", &bare, false, "{\"headers\":{\"Authorization\":[\"Bearer t\"]}}\n");
	writes("cargo", &full, false,
		"{\"Ok\":{\"kind\":\"get\",\"token\":\"Bearer t0ken.-_~+/=\",\"cache\":\"expires\",\"expiration\":1800003600,"
		"\"operation_independent\":true}}\n");
	writes("cargo", &bare, false,
		"{\"Ok\":{\"kind\":\"get\",\"token\":\"Bearer t\",\"cache\":\"session\",\"operation_independent\":true}}\n");
	writes("terraform", &full, false, "{\"token\":\"t0ken.-_~+/=\"}\n");
}

static void
a_value_that_is_no_line_is_not_written(void **state)
{
	struct rbr_credential broken = full;
	const struct rbr_answer answer = {.credential = &broken, .authtype = true};
	struct ringbearer_secret out = RBR_SECRET_EMPTY;

	(void)state;
	broken.scope = "a\nusername=mallory";
	assert_int_equal(rbr_format_git(&answer, &out), RINGBEARER_E_SYSTEM);
	unit_assert_lacks(rbr_secret_string(&out), "mallory");
	rbr_secret_wipe(&out);
}

static void
no_token_is_left_in_memory(void **state)
{
	const struct rbr_answer answer = {.credential = &full, .authtype = true};
	const struct rbr_format *form;
	size_t i, freed, dirty;

	(void)state;
	for (i = 0; (form = rbr_format_at(i)); i++) {
		struct ringbearer_secret out = RBR_SECRET_EMPTY;

		watch_start();
		assert_int_equal(form->write(&answer, &out), 0);
		rbr_secret_wipe(&out);
		watch_stop(&freed, &dirty);
		assert_true(freed > 0);
		assert_int_equal(dirty, 0);
	}
}

/* Whichever allocation fails: an error, no crash, no leak. */
static void
short_memory_is_an_error(void **state)
{
	const struct rbr_answer answer = {.credential = &full, .authtype = true};
	const struct rbr_format *form;
	size_t i, j, failed;

	(void)state;
	for (i = 0; (form = rbr_format_at(i)); i++)
		for (j = 0, failed = 1; failed > 0; j++) {
			struct ringbearer_secret out = RBR_SECRET_EMPTY;
			int rc;

			watch_fail_after(j);
			rc = form->write(&answer, &out);
			failed = watch_fail_never();
			assert_int_equal(rc, failed > 0 ? RINGBEARER_E_SYSTEM : 0);
			rbr_secret_wipe(&out);
			assert_true(j < 20);
		}
}

/* git 2.46 and later: it comes back with what it is told, once. */
static void
git_is_told_how_to_come_back(void **state)
{
	struct ringbearer_secret out = RBR_SECRET_EMPTY;
	struct rbr_credential credential = bare;
	struct rbr_answer answer = {.credential = &credential, .authtype = true, .keeps_state = true};

	(void)state;
	credential.obtained_ms = INT64_C(123456789012345678);
	assert_int_equal(rbr_format_git(&answer, &out), 0);
	unit_assert_contains(
		rbr_secret_string(&out), "capability[]=state\nstate[]=ringbearer:123456789012345678\ncontinue=1\n");
	rbr_secret_wipe(&out);
	answer.again = true;
	assert_int_equal(rbr_format_git(&answer, &out), 0);
	unit_assert_contains(rbr_secret_string(&out), "state[]=ringbearer:123456789012345678\n");
	unit_assert_lacks(rbr_secret_string(&out), "continue");
	rbr_secret_wipe(&out);
	answer.keeps_state = false;
	assert_int_equal(rbr_format_git(&answer, &out), 0);
	unit_assert_lacks(rbr_secret_string(&out), "state");
	rbr_secret_wipe(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(git_is_told_how_to_come_back),
		cmocka_unit_test(forms_are_found_by_name),
		cmocka_unit_test(git_with_authtype),
		cmocka_unit_test(git_with_authtype_for_a_server_that_takes_only_basic),
		cmocka_unit_test(git_with_a_password),
		cmocka_unit_test(token_is_bare),
		cmocka_unit_test(header_is_one_line),
		cmocka_unit_test(json_is_one_object),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(names_are_listed_for_people),
		cmocka_unit_test(env_is_two_assignments),
		cmocka_unit_test(google_gets_a_jwt_or_an_id_token),
		cmocka_unit_test(google_is_told_of_failures_as_well),
		cmocka_unit_test(sasl_messages_are_base64),
		cmocka_unit_test(sasl_messages_want_a_user),
		cmocka_unit_test(hostile_tokens_stay_whole),
		cmocka_unit_test(times_are_those_of_rfc_3339),
		cmocka_unit_test(kubernetes_names_the_version),
		cmocka_unit_test(docker_has_a_user_name),
		cmocka_unit_test(ends_are_told_where_they_are_known),
		cmocka_unit_test(a_value_that_is_no_line_is_not_written),
		cmocka_unit_test(no_token_is_left_in_memory),
		cmocka_unit_test(short_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
