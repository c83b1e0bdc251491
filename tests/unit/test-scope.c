/* SPDX-License-Identifier: MIT */
/* Lists of scopes: unordered sets of case-sensitive words (RFC 6749 section 3.3). */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "protocol/fastpath/scope.h"

static bool
has(const char *list, const char *word)
{
	return rbr_scope_has(list, word, strlen(word));
}

static void
words_are_found_whole(void **state)
{
	(void)state;
	assert_true(has("read", "read"));
	assert_true(has("read write", "read"));
	assert_true(has("read write", "write"));
	assert_true(has("a read b", "read"));
	assert_true(has("  read   write ", "write"));
	assert_false(has("", "read"));
	assert_false(has("   ", "read"));
	assert_false(has("reads", "read"));
	assert_false(has("read", "reads"));
	assert_false(has("xread", "read"));
	assert_false(has("Read READ", "read"));
	assert_false(has("read:all", "read"));
	assert_true(rbr_scope_has("read write", "read write", 4));
	assert_true(rbr_scope_has("a:b/c.d", "a:b/c.d", 7));
}

static void
joining_appends_what_is_missing(void **state)
{
	static const struct {
		const char *list, *more, *joined;
	} cases[] = {
		{"", "", ""},
		{"", "a", "a"},
		{"a", "", "a"},
		{"a", "a", "a"},
		{"a", "b", "a b"},
		{"a b", "b c a d", "a b c d"},
		{"", "  a   b  ", "a b"},
		{"", "a a a", "a"},
		{"ab", "a b", "ab a b"},
		{"a", "A", "a A"},
	};
	char list[RBR_SCOPE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(list, sizeof list, "%s", cases[i].list);
		assert_true(rbr_scope_join(list, cases[i].more));
		assert_string_equal(list, cases[i].joined);
	}
}

static void
joining_stops_where_the_list_is_full(void **state)
{
	char list[RBR_SCOPE_MAX], more[RBR_SCOPE_MAX];

	(void)state;
	memset(list, 'a', sizeof list);
	list[RBR_SCOPE_MAX - 3] = '\0';
	assert_true(rbr_scope_join(list, "b")); /* exactly full */
	assert_int_equal(strlen(list), RBR_SCOPE_MAX - 1);
	assert_true(rbr_scope_join(list, "b"));
	assert_false(rbr_scope_join(list, "c"));
	memset(list, 'a', sizeof list);
	list[RBR_SCOPE_MAX - 3] = '\0';
	assert_false(rbr_scope_join(list, "bc"));
	list[0] = '\0';
	memset(more, 'm', sizeof more);
	more[RBR_SCOPE_MAX - 1] = '\0';
	assert_true(rbr_scope_join(list, more));
	assert_string_equal(list, more);
}

static void
covering_needs_every_word(void **state)
{
	(void)state;
	assert_true(rbr_scope_covers("a b c", "c a"));
	assert_true(rbr_scope_covers("a", "a"));
	assert_true(rbr_scope_covers("a", ""));
	assert_true(rbr_scope_covers("", ""));
	assert_true(rbr_scope_covers("a b", "  a   b  "));
	assert_false(rbr_scope_covers("a b", "a c"));
	assert_false(rbr_scope_covers("a b", "c a"));
	assert_false(rbr_scope_covers("", "a"));
	assert_false(rbr_scope_covers("ab", "a"));
	assert_false(rbr_scope_covers("a", "A"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_whole),
		cmocka_unit_test(joining_appends_what_is_missing),
		cmocka_unit_test(joining_stops_where_the_list_is_full),
		cmocka_unit_test(covering_needs_every_word),
	};

	return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
