/* SPDX-License-Identifier: MIT */
/* Failures that are shared with other processes, in the real kernel keyring. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal/verdict.h"

#define FAR INT64_MAX /* nobody has been waiting since then */

static struct rbr_cache_key key;
static struct rbr_context context;

static int
enter(void **state)
{
	char process[32];

	(void)state;
	(void)snprintf(process, sizeof process, "%ld", (long)getpid());
	rbr_context_start(&context);
	key = RBR_CACHE_KEY_EMPTY;
	return rbr_cache_key_add(&key, "unit verdict") < 0 || rbr_cache_key_add(&key, process) < 0;
}

static int
leave(void **state)
{
	(void)state;
	rbr_cache_drop(&key);
	rbr_cache_key_wipe(&key);
	return 0;
}

/* Shares CODE, and answers from when on it counts as new. */
static bool everybodys = true;

static int64_t
share(int code, long retry_after, const char *detail)
{
	struct rbr_context other;
	int64_t before = rbr_now_ms();

	rbr_context_start(&other);
	(void)rbr_fail(&other.error, code, "%s", detail);
	other.error.retry_after = retry_after;
	rbr_verdict_share(&other, &key, "acme", everybodys);
	return before;
}

static int
recall(int64_t since_ms, bool others)
{
	memset(&context.error, 0, sizeof context.error);
	return rbr_verdict_recall(&context, &key, since_ms, others);
}

static void
need_keyring(void)
{
	if (!unit_has_keyring())
		skip();
}

static void
without_a_verdict_there_is_none(void **state)
{
	(void)state;
	need_keyring();
	assert_int_equal(recall(0, true), 0);
	assert_int_equal(context.error.code, 0);
}

static void
refusals_are_everybodys(void **state)
{
	static const int codes[] = {RINGBEARER_E_LOGIN_REQUIRED, RINGBEARER_E_CLIENT_REJECTED,
		RINGBEARER_E_ACCESS_DENIED, RINGBEARER_E_INSUFFICIENT_SCOPE, RINGBEARER_E_FORBIDDEN,
		RINGBEARER_E_CONFIG};
	size_t i;

	(void)state;
	need_keyring();
	for (i = 0; i < RBR_ARRAY_SIZE(codes); i++) {
		int64_t since = share(codes[i], 0, "no; do something");

		assert_int_equal(recall(FAR, true), codes[i]);
		assert_int_equal(context.error.code, codes[i]);
		assert_string_equal(context.error.detail, "no; do something");
		assert_int_equal(context.error.retry_after, 0);
		/* who forces a renewal takes only what is newer than the own start */
		assert_int_equal(recall(FAR, false), 0);
		assert_int_equal(context.error.code, 0);
		assert_int_equal(recall(since, false), codes[i]);
		assert_int_equal(recall(rbr_now_ms() + 1000, false), 0);
	}
}

static void
mishaps_are_for_those_who_waited(void **state)
{
	static const int codes[] = {RINGBEARER_E_NETWORK, RINGBEARER_E_STORE_LOCKED, RINGBEARER_E_STORE_DISMISSED,
		RINGBEARER_E_STORE_UNAVAILABLE, RINGBEARER_E_NO_SECRET, RINGBEARER_E_TLS,
		RINGBEARER_E_MALFORMED_RESPONSE, RINGBEARER_E_MODULE, RINGBEARER_E_SYSTEM};
	size_t i;

	(void)state;
	need_keyring();
	for (i = 0; i < RBR_ARRAY_SIZE(codes); i++) {
		int64_t since = share(codes[i], 0, "it did not work");

		assert_int_equal(recall(FAR, true), 0);
		assert_int_equal(recall(since, true), codes[i]);
		assert_int_equal(recall(since, false), codes[i]);
	}
}

/* What one caller was refused with is good enough for who asks afterwards. */
static void
one_callers_refusal_is_for_those_who_waited(void **state)
{
	int64_t since;

	(void)state;
	need_keyring();
	everybodys = false;
	since = share(RINGBEARER_E_ACCESS_DENIED, 0, "the same token again");
	everybodys = true;
	assert_int_equal(recall(FAR, true), 0);
	assert_int_equal(recall(since, true), RINGBEARER_E_ACCESS_DENIED);
}

static void
busy_servers_are_left_alone_for_a_while(void **state)
{
	int64_t since;

	(void)state;
	need_keyring();
	since = share(RINGBEARER_E_TEMPORARILY_UNAVAILABLE, 0, "busy");
	assert_int_equal(recall(FAR, true), 0);
	assert_int_equal(recall(since, true), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	(void)share(RINGBEARER_E_TEMPORARILY_UNAVAILABLE, 20, "busy");
	assert_int_equal(recall(FAR, true), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	assert_in_range(context.error.retry_after, 18, 20);
	(void)usleep(2100000);
	assert_int_equal(recall(FAR, true), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	assert_in_range(context.error.retry_after, 10, 18); /* of which two have passed */
	(void)share(RINGBEARER_E_TEMPORARILY_UNAVAILABLE, 1, "busy");
	assert_int_equal(recall(FAR, true), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	assert_int_equal(context.error.retry_after, 1);
	(void)usleep(1100000);
	assert_int_equal(recall(FAR, true), 0);
}

/* What the server said is told as it said it, however long the verdict itself is kept. */
static void
a_long_wait_is_told_in_full(void **state)
{
	(void)state;
	need_keyring();
	(void)share(RINGBEARER_E_TEMPORARILY_UNAVAILABLE, 3600, "busy");
	assert_int_equal(recall(FAR, true), RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
	assert_in_range(context.error.retry_after, 3590, 3600);
}

/* Nobody can say anything through the keyring that this program would not say. */
static void
broken_verdicts_are_none(void **state)
{
	static const char *const broken[] = {"at_ms=1\n", "error=busy\nat_ms=9\n", "detail=x\nat_ms=9\n", ""};
	size_t i;

	(void)state;
	need_keyring();
	for (i = 0; i < RBR_ARRAY_SIZE(broken); i++) {
		struct rbr_message record = RBR_MESSAGE_EMPTY;

		assert_int_equal(rbr_message_parse(&record, broken[i], strlen(broken[i]), RBR_DIALECT_WIRE, "it",
					 RINGBEARER_E_SYSTEM, NULL),
			0);
		assert_true(rbr_cache_write(&key, &record, 60));
		assert_int_equal(recall(0, true), 0);
		rbr_message_wipe(&record);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_verdict_there_is_none),
		TEST(refusals_are_everybodys),
		TEST(mishaps_are_for_those_who_waited),
		TEST(one_callers_refusal_is_for_those_who_waited),
		TEST(busy_servers_are_left_alone_for_a_while),
		TEST(a_long_wait_is_told_in_full),
		TEST(broken_verdicts_are_none),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
