/* SPDX-License-Identifier: MIT */
/* The forms in which a credential is written. */
#include "config.h"

#include "unit.h"

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

/* Whom the caller asked for. */
static const char *asked_for;

static void
writes(const char *form, const struct rbr_credential *credential, bool authtype, const char *text)
{
	const struct rbr_answer answer = {.credential = credential, .authtype = authtype, .username = asked_for};
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
	static const char *const names[] = {"git", "token", "header", "json"};
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
		{"\xc3\xa4/~\x7f", "\"\xc3\xa4/~\x7f\""},
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_are_found_by_name),
		cmocka_unit_test(git_with_authtype),
		cmocka_unit_test(git_with_authtype_for_a_server_that_takes_only_basic),
		cmocka_unit_test(git_with_a_password),
		cmocka_unit_test(token_is_bare),
		cmocka_unit_test(header_is_one_line),
		cmocka_unit_test(json_is_one_object),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(a_value_that_is_no_line_is_not_written),
		cmocka_unit_test(no_token_is_left_in_memory),
		cmocka_unit_test(short_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
