/* SPDX-License-Identifier: MIT */
/* What is kept of the lines that git stores, and what is made of it when git asks. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "vault/password.h"
#include "watch.h"

#define NOW 1700000000

static int
pack(const char *lines, struct ringbearer_secret *value)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;

	assert_int_equal(
		rbr_message_parse(&message, lines, strlen(lines), RBR_DIALECT_WIRE, "it", RINGBEARER_E_CONFIG, NULL),
		0);
	return rbr_password_pack(&message, NOW, value);
}

static void
what_is_kept(void **state)
{
	static const struct {
		const char *lines, *value; /* NULL: nothing is kept */
	} cases[] = {
		{"username=u\npassword=p\n", "username=u\npassword=p\n"},
		{"protocol=https\nhost=h\npath=x\npassword=p\nusername=u\nwwwauth[]=Basic\nstate[]=x\nquit=1\n",
			"username=u\npassword=p\n"},
		{"username=\npassword=\n", "username=\npassword=\n"},
		{"username=u\npassword=a=b c\xc3\xbc \n", "username=u\npassword=a=b c\xc3\xbc \n"},
		{"username=u\npassword=p\npassword_expiry_utc=1700000001\noauth_refresh_token=r\n",
			"username=u\npassword=p\noauth_refresh_token=r\npassword_expiry_utc=1700000001\n"},
		{"username=u\npassword=p\npassword_expiry_utc=0\n", "username=u\npassword=p\n"},
		{"username=u\npassword=p\npassword_expiry_utc=-5\n", "username=u\npassword=p\n"},
		{"username=u\npassword=p\npassword_expiry_utc=tomorrow\n", "username=u\npassword=p\n"},
		{"authtype=Bearer\ncredential=c\n", "authtype=Bearer\ncredential=c\n"},
		{"authtype=Bearer\ncredential=c\nusername=u\n", "username=u\nauthtype=Bearer\ncredential=c\n"},
		{"username=u\npassword=p\nephemeral=0\n", "username=u\npassword=p\n"},
		{"username=u\npassword=p\nephemeral=off\n", "username=u\npassword=p\n"},
		{"username=u\npassword=p\nephemeral=False\n", "username=u\npassword=p\n"},
		{"username=u\npassword=p\nephemeral=1\n", NULL},
		{"username=u\npassword=p\nephemeral=on\n", NULL},
		{"username=u\npassword=p\nephemeral=true\n", NULL},
		{"username=u\npassword=p\npassword_expiry_utc=1700000000\n", NULL},
		{"username=u\npassword=p\npassword_expiry_utc=1\n", NULL},
		{"username=u\n", NULL},
		{"password=p\n", NULL},
		{"credential=c\n", NULL},
		{"authtype=Bearer\nusername=u\n", NULL},
		{"username=u\noauth_refresh_token=r\n", NULL},
		{"", NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret value = RBR_SECRET_EMPTY;
		int rc = pack(cases[i].lines, &value);

		assert_int_equal(rc, cases[i].value ? 0 : RINGBEARER_E_NO_SECRET);
		assert_string_equal(rbr_secret_string(&value), cases[i].value ? cases[i].value : "");
	}
}

static void
what_is_answered(void **state)
{
	static const struct {
		const char *value, *username;
		bool authtype;
		enum rbr_answerable fit;
		const char *answer;
	} cases[] = {
		{"username=u\npassword=p\n", NULL, false, RBR_ANSWERS, "username=u\npassword=p\n"},
		{"username=u\npassword=p\n", "u", true, RBR_ANSWERS, "username=u\npassword=p\n"},
		{"username=u\npassword=p\n", "v", false, RBR_ANSWERS_NOT, ""},
		{"username=u\npassword=p\n", "", false, RBR_ANSWERS_NOT, ""},
		{"username=\npassword=\n", "", false, RBR_ANSWERS, "username=\npassword=\n"},
		{"authtype=Bearer\ncredential=c\n", NULL, true, RBR_ANSWERS,
			"capability[]=authtype\nauthtype=Bearer\ncredential=c\n"},
		{"authtype=Bearer\ncredential=c\n", NULL, false, RBR_ANSWERS_NOT, ""},
		{"authtype=Bearer\ncredential=c\n", "none", true, RBR_ANSWERS_NOT, ""},
		{"username=u\nauthtype=Bearer\ncredential=c\npassword_expiry_utc=1700000001\n", "u", true, RBR_ANSWERS,
			"capability[]=authtype\nauthtype=Bearer\ncredential=c\nusername=u\npassword_expiry_utc=1700000001\n"},
		{"username=u\npassword=p\npassword_expiry_utc=1700000001\noauth_refresh_token=r\nlater=x\n", NULL,
			false, RBR_ANSWERS,
			"username=u\npassword=p\npassword_expiry_utc=1700000001\noauth_refresh_token=r\n"},
		{"username=u\npassword=p\npassword_expiry_utc=1700000000\n", NULL, false, RBR_ANSWERS_NOT, ""},
		{"username=u\nauthtype=Bearer\ncredential=c\npassword_expiry_utc=1700000000\n", NULL, true,
			RBR_ANSWERS_NOT, ""},
		{"username=u\npassword=p\npassword_expiry_utc=1700000000\noauth_refresh_token=r\n", NULL, false,
			RBR_ANSWERS_PARTLY, "username=u\noauth_refresh_token=r\n"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret value = RBR_SECRET_EMPTY, out = RBR_SECRET_EMPTY;
		enum rbr_answerable fit;

		assert_int_equal(rbr_secret_append_string(&value, cases[i].value), 0);
		assert_int_equal(
			rbr_password_unpack(&value, cases[i].username, cases[i].authtype, NOW, &out, &fit, NULL), 0);
		assert_string_equal(rbr_secret_string(&out), cases[i].answer);
		assert_int_equal(fit, cases[i].fit);
	}
}

static void
what_somebody_else_wrote_is_refused(void **state)
{
	static const char *const values[] = {"", "secret", "username=u\n", "password=p\n",
		"=x\nusername=u\npassword=p\n", "username=u\rpassword=p\n"};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(values); i++) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret value = RBR_SECRET_EMPTY, out = RBR_SECRET_EMPTY;
		enum rbr_answerable fit = RBR_ANSWERS;
		struct rbr_error error = {0};

		assert_int_equal(rbr_secret_append_string(&value, values[i]), 0);
		assert_int_equal(rbr_password_unpack(&value, NULL, true, NOW, &out, &fit, &error),
			RINGBEARER_E_STORE_UNAVAILABLE);
		assert_int_equal(out.size, 0);
		unit_assert_contains(error.detail, "the keyring's item");
		unit_assert_lacks(error.detail, "secret");
	}
}

static void
nothing_is_left_in_memory(void **state)
{
	struct ringbearer_secret value = RBR_SECRET_EMPTY, out = RBR_SECRET_EMPTY;
	enum rbr_answerable fit;
	size_t freed, dirty;

	(void)state;
	watch_start();
	assert_int_equal(pack("username=u\npassword=p\n", &value), 0);
	assert_int_equal(rbr_password_unpack(&value, NULL, false, NOW, &out, &fit, NULL), 0);
	rbr_secret_wipe(&value);
	rbr_secret_wipe(&out);
	watch_stop(&freed, &dirty);
	assert_true(freed > 4);
	assert_int_equal(dirty, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(what_is_answered),
		cmocka_unit_test(what_somebody_else_wrote_is_refused),
		cmocka_unit_test(nothing_is_left_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
