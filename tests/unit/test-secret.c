/* SPDX-License-Identifier: MIT */
/* The buffer for secrets: growth, limits, and that nothing of it stays behind. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/ringbearer.h"
#include "protocol/secret.h"
#include "watch.h"

static void
empty_reads_as_an_empty_string(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;

	(void)state;
	assert_string_equal(rbr_secret_string(&secret), "");
	assert_null(secret.data);
	assert_int_equal(secret.size, 0);
	rbr_secret_wipe(&secret);
	assert_null(secret.data);
}

static void
append_keeps_bytes_and_a_nul_behind_them(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;

	(void)state;
	assert_int_equal(rbr_secret_append(&secret, "ab\0c", 4), 0);
	assert_int_equal(rbr_secret_append_string(&secret, "de"), 0);
	assert_int_equal(rbr_secret_append(&secret, NULL, 0), 0);
	assert_int_equal(secret.size, 6);
	assert_memory_equal(secret.data, "ab\0cde", 7);
	assert_true(secret.capacity > secret.size);
	rbr_secret_wipe(&secret);
}

static void
growing_keeps_what_was_there(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	size_t i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		char c = (char)('a' + i % 26);

		assert_int_equal(rbr_secret_append(&secret, &c, 1), 0);
		assert_true(secret.capacity > secret.size);
		assert_int_equal(secret.data[secret.size], '\0');
	}
	assert_int_equal(secret.size, 5000);
	for (i = 0; i < 5000; i++)
		assert_int_equal(secret.data[i], 'a' + (int)(i % 26));
	rbr_secret_wipe(&secret);
}

static void
reserve_makes_room_without_moving_later(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	const char *before;
	char block[1000];

	(void)state;
	memset(block, 'x', sizeof block);
	assert_int_equal(rbr_secret_reserve(&secret, sizeof block), 0);
	assert_int_equal(secret.size, 0);
	assert_string_equal(rbr_secret_string(&secret), "");
	before = secret.data;
	assert_int_equal(rbr_secret_append(&secret, block, sizeof block), 0);
	assert_ptr_equal(secret.data, before);
	rbr_secret_wipe(&secret);
}

/* Every capacity, whether it is just enough or just not. */
static void
reserve_counts_the_nul(void **state)
{
	size_t size;

	(void)state;
	for (size = 250; size <= 260; size++) {
		struct ringbearer_secret secret = RBR_SECRET_EMPTY;

		assert_int_equal(rbr_secret_reserve(&secret, size), 0);
		assert_true(secret.capacity > size);
		memset(secret.data, 'x', size);
		secret.size = size;
		assert_int_equal(rbr_secret_append(&secret, "y", 1), 0);
		assert_int_equal(secret.data[size], 'y');
		assert_int_equal(secret.data[size + 1], '\0');
		rbr_secret_wipe(&secret);
	}
}

static void
what_is_too_big_is_refused(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	char *block = calloc(1, RBR_SECRET_MAX);

	(void)state;
	assert_non_null(block);
	assert_int_equal(rbr_secret_append(&secret, block, RBR_SECRET_MAX), 0);
	assert_int_equal(rbr_secret_append(&secret, "x", 1), RINGBEARER_E_SYSTEM);
	assert_int_equal(secret.size, RBR_SECRET_MAX);
	assert_int_equal(rbr_secret_reserve(&secret, SIZE_MAX), RINGBEARER_E_SYSTEM);
	assert_int_equal(rbr_secret_reserve(&secret, SIZE_MAX - 10), RINGBEARER_E_SYSTEM);
	assert_int_equal(secret.size, RBR_SECRET_MAX);
	rbr_secret_wipe(&secret);
	free(block);
}

static void
short_memory_changes_nothing(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	char block[1000];

	(void)state;
	memset(block, 'x', sizeof block);
	assert_int_equal(rbr_secret_append_string(&secret, "kept"), 0);
	watch_fail_after(0);
	assert_int_equal(rbr_secret_append(&secret, block, sizeof block), RINGBEARER_E_SYSTEM);
	assert_null(rbr_secret_new("a", 1));
	assert_int_equal(watch_fail_never(), 2);
	assert_string_equal(rbr_secret_string(&secret), "kept");
	assert_int_equal(secret.size, 4);
	watch_fail_after(1);
	assert_null(rbr_secret_new("a", 1));
	assert_int_equal(watch_fail_never(), 1);
	rbr_secret_wipe(&secret);
}

static void
growing_and_wiping_leave_zeros_behind(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	size_t freed, dirty, i;

	(void)state;
	watch_start();
	for (i = 0; i < 300; i++)
		assert_int_equal(rbr_secret_append_string(&secret, "topsecret"), 0);
	rbr_secret_wipe(&secret);
	watch_stop(&freed, &dirty);
	assert_int_equal(freed, 5); /* 256, 512, 1024, 2048, 4096 */
	assert_int_equal(dirty, 0);
	assert_null(secret.data);
	assert_int_equal(secret.size, 0);
	assert_int_equal(secret.capacity, 0);
}

/* What lies between size and capacity is wiped as well: a shortened secret leaves no tail. */
static void
wiping_covers_the_capacity(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	size_t freed, dirty;

	(void)state;
	watch_start();
	assert_int_equal(rbr_secret_append_string(&secret, "a long secret"), 0);
	secret.size = 1;
	rbr_secret_wipe(&secret);
	assert_int_equal(rbr_secret_append_string(&secret, "another secret"), 0);
	secret.size = 1;
	assert_int_equal(rbr_secret_reserve(&secret, 1000), 0);
	secret.size = 0;
	rbr_secret_wipe(&secret);
	watch_stop(&freed, &dirty);
	assert_int_equal(freed, 3);
	assert_int_equal(dirty, 0);
}

static void
heap_secrets_are_wiped_too(void **state)
{
	struct ringbearer_secret *secret;
	size_t freed, dirty;

	(void)state;
	watch_start();
	secret = rbr_secret_new("topsecret", 9);
	assert_non_null(secret);
	assert_int_equal(secret->size, 9);
	assert_string_equal(rbr_secret_string(secret), "topsecret");
	rbr_secret_freep(&secret);
	assert_null(secret);
	rbr_secret_freep(&secret);
	rbr_secret_free(NULL);
	watch_stop(&freed, &dirty);
	assert_int_equal(freed, 1);
	assert_int_equal(dirty, 0);
}

static void
a_wiped_secret_can_be_used_again(void **state)
{
	struct ringbearer_secret secret = RBR_SECRET_EMPTY;

	(void)state;
	assert_int_equal(rbr_secret_append_string(&secret, "one"), 0);
	rbr_secret_wipe(&secret);
	assert_int_equal(rbr_secret_append_string(&secret, "two"), 0);
	assert_string_equal(rbr_secret_string(&secret), "two");
	rbr_secret_wipe(&secret);
}

static void
equal_compares_size_and_every_byte(void **state)
{
	(void)state;
	assert_true(rbr_secret_equal("", 0, "", 0));
	assert_true(rbr_secret_equal(NULL, 0, NULL, 0));
	assert_true(rbr_secret_equal("abc", 3, "abc", 3));
	assert_true(rbr_secret_equal("a\0b", 3, "a\0b", 3));
	assert_false(rbr_secret_equal("abc", 3, "abcd", 4));
	assert_false(rbr_secret_equal("abc", 3, "ab", 2));
	assert_false(rbr_secret_equal("abc", 3, "xbc", 3));
	assert_false(rbr_secret_equal("abc", 3, "axc", 3));
	assert_false(rbr_secret_equal("abc", 3, "abx", 3));
	assert_false(rbr_secret_equal("a\0b", 3, "a\0c", 3));
	/* two differences that an addition would cancel out */
	assert_false(rbr_secret_equal("ab", 2, "ba", 2));
	assert_false(rbr_secret_equal("\x01\x01", 2, "\x02\x02", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_reads_as_an_empty_string),
		cmocka_unit_test(append_keeps_bytes_and_a_nul_behind_them),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(reserve_makes_room_without_moving_later),
		cmocka_unit_test(reserve_counts_the_nul),
		cmocka_unit_test(what_is_too_big_is_refused),
		cmocka_unit_test(short_memory_changes_nothing),
		cmocka_unit_test(growing_and_wiping_leave_zeros_behind),
		cmocka_unit_test(wiping_covers_the_capacity),
		cmocka_unit_test(heap_secrets_are_wiped_too),
		cmocka_unit_test(a_wiped_secret_can_be_used_again),
		cmocka_unit_test(equal_compares_size_and_every_byte),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
