/* SPDX-License-Identifier: MIT */
/* Whether a token is still good: both clocks, min_valid, renewal ahead of time. */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "protocol/credential.h"

#define REAL INT64_C(1800000000) /* when the token was obtained, on the wall clock */
#define BOOT INT64_C(5000) /* and since the machine was started */
#define LIFE 3600

static const struct rbr_credential hour = {
	.obtained = REAL,
	.expires = REAL + LIFE,
	.boot_expires = BOOT + LIFE,
	.renew_at = REAL + LIFE * 4 / 5,
};

/* REAL_PASSED seconds later on the one clock, BOOT_PASSED on the other. */
static struct rbr_clock
later(int64_t real_passed, int64_t boot_passed)
{
	return (struct rbr_clock){.real = REAL + real_passed, .boot = BOOT + boot_passed};
}

static int64_t
left(const struct rbr_credential *credential, int64_t real_passed, int64_t boot_passed)
{
	return rbr_credential_remaining(credential, later(real_passed, boot_passed));
}

static void
both_clocks_agree(void **state)
{
	(void)state;
	assert_int_equal(left(&hour, 0, 0), 3600);
	assert_int_equal(left(&hour, 600, 600), 3000);
	assert_int_equal(left(&hour, 3599, 3599), 1);
	assert_int_equal(left(&hour, 3600, 3600), 0);
	assert_int_equal(left(&hour, 9999, 9999), 0);
}

static void
wall_clock_that_was_set_forward_shortens(void **state)
{
	(void)state;
	assert_int_equal(left(&hour, 3000, 60), 600);
	assert_int_equal(left(&hour, 3600, 60), 0);
	assert_int_equal(left(&hour, 1000000, 60), 0);
}

/* The clock that cannot be set knows better: setting the wall clock back prolongs nothing. */
static void
wall_clock_that_was_set_back_does_not_prolong(void **state)
{
	(void)state;
	assert_int_equal(left(&hour, 100, 3000), 600);
	assert_int_equal(left(&hour, 0, 3599), 1);
	assert_int_equal(left(&hour, 0, 3600), 0);
}

static void
wall_clock_before_the_token_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(left(&hour, -1, 10), 0);
	assert_int_equal(left(&hour, -1000000, 10), 0);
	assert_false(rbr_credential_usable(&hour, later(-1, 10), 0));
}

/* Suspend: both clocks go on, since the second one is CLOCK_BOOTTIME. A wall clock that stood still over it
 * (a machine without one) is overruled. */
static void
suspend_counts(void **state)
{
	(void)state;
	assert_int_equal(left(&hour, 7200, 7200), 0);
	assert_int_equal(left(&hour, 5, 7200), 0);
}

static void
unknown_expiry_has_no_end_but_that_of_belief(void **state)
{
	const struct rbr_credential unknown = {.obtained = REAL, .boot_expires = BOOT + 300};

	(void)state;
	assert_true(left(&unknown, 0, 0) == INT64_MAX);
	assert_true(left(&unknown, 299, 299) == INT64_MAX);
	assert_int_equal(left(&unknown, 300, 300), 0);
	assert_int_equal(left(&unknown, 0, 300), 0);
	assert_int_equal(left(&unknown, -1, 0), 0);
	assert_true(rbr_credential_usable(&unknown, later(0, 0), 1000000));
	assert_false(rbr_credential_usable(&unknown, later(0, 300), 0));
}

static void
min_valid_is_30_where_nobody_says(void **state)
{
	(void)state;
	assert_true(rbr_credential_usable(&hour, later(3569, 3569), -1));
	assert_false(rbr_credential_usable(&hour, later(3570, 3570), -1));
	assert_false(rbr_credential_usable(&hour, later(3590, 3590), -1));
	assert_int_equal(RBR_MIN_VALID_DEFAULT, 30);
}

static void
min_valid_is_the_callers(void **state)
{
	struct rbr_credential ended = hour;

	(void)state;
	assert_true(rbr_credential_usable(&hour, later(0, 0), 3500));
	assert_false(rbr_credential_usable(&hour, later(101, 101), 3500));
	assert_true(rbr_credential_usable(&hour, later(3599, 3599), 0));
	assert_false(rbr_credential_usable(&hour, later(3600, 3600), 0));
	assert_false(rbr_credential_usable(&hour, later(101, 0), 3500));
	assert_false(rbr_credential_usable(&hour, later(0, 101), 3500));

	/* A record that ends before it began was written by nobody here. */
	ended.expires = REAL - 100;
	assert_false(rbr_credential_usable(&ended, later(0, 0), 0));
}

/* One that never was good for so long is good for the first half of its life. */
static void
short_lives_are_good_for_their_first_half(void **state)
{
	const struct rbr_credential brief = {.obtained = REAL, .expires = REAL + 20, .boot_expires = BOOT + 20};

	(void)state;
	assert_true(rbr_credential_usable(&brief, later(9, 9), -1));
	assert_false(rbr_credential_usable(&brief, later(10, 10), -1));
	assert_true(rbr_credential_usable(&brief, later(9, 9), 20));
	assert_true(rbr_credential_usable(&brief, later(0, 0), 19));
	assert_false(rbr_credential_usable(&brief, later(1, 1), 19));
	assert_true(rbr_credential_usable(&hour, later(1799, 1799), 3600));
	assert_false(rbr_credential_usable(&hour, later(1800, 1800), 3600));
}

static void
no_life_is_no_use(void **state)
{
	const struct rbr_credential dead = {.obtained = REAL, .expires = REAL, .boot_expires = BOOT};

	(void)state;
	assert_int_equal(left(&dead, 0, 0), 0);
	assert_false(rbr_credential_usable(&dead, later(0, 0), -1));
	assert_false(rbr_credential_usable(&dead, later(0, 0), 0));
}

static void
ageing_begins_at_its_time(void **state)
{
	const struct rbr_credential unknown = {.obtained = REAL};

	(void)state;
	assert_false(rbr_credential_ageing(&hour, later(2879, 2879)));
	assert_true(rbr_credential_ageing(&hour, later(2880, 2880)));
	assert_false(rbr_credential_ageing(&unknown, later(1000000, 0)));
}

static void
clean_tokens_are_visible_ascii(void **state)
{
	int c;

	(void)state;
	assert_false(rbr_token_is_clean("", 0));
	assert_true(rbr_token_is_clean("a-._~+/=!\"\\", 11));
	for (c = 0; c < 256; c++) {
		const char token[] = {'a', (char)c, 'b'};

		assert_int_equal(rbr_token_is_clean(token, 3), c >= 0x21 && c <= 0x7e);
		assert_int_equal(rbr_token_is_clean(token + 1, 1), c >= 0x21 && c <= 0x7e);
	}
}

static bool
from_text(struct rbr_credential *credential, const char *text)
{
	assert_int_equal(rbr_message_parse(&credential->record, text, strlen(text), RBR_DIALECT_WIRE, "it",
				 RINGBEARER_E_SYSTEM, NULL),
		0);
	return rbr_credential_from_record(credential);
}

static void
a_record_is_read(void **state)
{
	struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;

	(void)state;
	assert_true(from_text(&credential,
		"token=t0ken\ntype=Bearer\naccount=acme\nusername=jane\nscope=a b\nobtained=1\n"
		"expires=2\nboot_expires=3\nrenew_at=4\nobtained_ms=5\n"));
	assert_string_equal(credential.token, "t0ken");
	assert_string_equal(credential.type, "Bearer");
	assert_string_equal(credential.account, "acme");
	assert_string_equal(credential.username, "jane");
	assert_string_equal(credential.scope, "a b");
	assert_int_equal(credential.obtained, 1);
	assert_int_equal(credential.expires, 2);
	assert_int_equal(credential.boot_expires, 3);
	assert_int_equal(credential.renew_at, 4);
	assert_int_equal(credential.obtained_ms, 5);
	rbr_credential_wipe(&credential);
	assert_null(credential.token);
	assert_int_equal(credential.expires, 0);
	assert_true(from_text(&credential, "token=t\ntype=Bearer\naccount=a\nexpires=soon\n"));
	assert_null(credential.username);
	assert_null(credential.scope);
	assert_int_equal(credential.expires, 0);
	rbr_credential_wipe(&credential);
}

static void
a_record_that_lacks_something_is_no_credential(void **state)
{
	static const char *const records[] = {
		"",
		"type=Bearer\naccount=a\n",
		"token=t\naccount=a\n",
		"token=t\ntype=Bearer\n",
		"token=\ntype=Bearer\naccount=a\n",
		"token=a b\ntype=Bearer\naccount=a\n",
		"token=a\x01\ntype=Bearer\naccount=a\n",
		"token=\xc3\xa4\ntype=Bearer\naccount=a\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(records); i++) {
		struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;

		assert_false(from_text(&credential, records[i]));
		rbr_credential_wipe(&credential);
	}
}

static void
now_is_on_both_clocks(void **state)
{
	struct rbr_clock first = rbr_clock_now(), second = rbr_clock_now();

	(void)state;
	assert_true(first.real > INT64_C(1600000000));
	assert_true(first.boot > 0);
	assert_true(first.boot < first.real);
	assert_true(second.boot >= first.boot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_clocks_agree),
		cmocka_unit_test(wall_clock_that_was_set_forward_shortens),
		cmocka_unit_test(wall_clock_that_was_set_back_does_not_prolong),
		cmocka_unit_test(wall_clock_before_the_token_is_not_believed),
		cmocka_unit_test(suspend_counts),
		cmocka_unit_test(unknown_expiry_has_no_end_but_that_of_belief),
		cmocka_unit_test(min_valid_is_30_where_nobody_says),
		cmocka_unit_test(min_valid_is_the_callers),
		cmocka_unit_test(short_lives_are_good_for_their_first_half),
		cmocka_unit_test(no_life_is_no_use),
		cmocka_unit_test(ageing_begins_at_its_time),
		cmocka_unit_test(clean_tokens_are_visible_ascii),
		cmocka_unit_test(a_record_is_read),
		cmocka_unit_test(a_record_that_lacks_something_is_no_credential),
		cmocka_unit_test(now_is_on_both_clocks),
	};

	return cmocka_run_group_tests_name("credential", tests, NULL, NULL);
}
