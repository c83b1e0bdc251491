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

/* What services make of the same scopes. */
static void
scopes_are_compared_by_meaning(void **state)
{
	static const struct {
		const char *granted, *wanted;
		bool covered;
	} cases[] = {
		{"gist,repo", "repo", true}, /* GitHub */
		{"gist,repo", "gist repo", true},
		{"gist,repo", "gist,repo", true},
		{"gist repo", "repo,gist", true},
		{"gist,repo", "rep", false},
		{"gist,repo", "repo,admin", false},
		{"repo", "repo,", true},
		{"read", "read offline_access openid", true},
		{"", "openid", true},
		{"", "openid_connect", false},
		{"https://www.googleapis.com/auth/userinfo.email openid", "email", true}, /* Google */
		{"https://www.googleapis.com/auth/userinfo.email openid", "mail", false},
		{"User.Read Mail.Read", "https://graph.microsoft.com/User.Read", true}, /* Microsoft */
		{"https://graph.microsoft.com/User.Read", "User.Read", true},
		{"User.Read", "https://graph.microsoft.com/Mail.Read", false},
		{"User.Read", "https://graph.microsoft.com/.default", true},
		{"api://acme/access", "access", true},
		{"://access", "access", false},
		{"x", "https://x", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (rbr_scope_covers(cases[i].granted, cases[i].wanted) != cases[i].covered)
			fail_msg("`%s` of `%s`", cases[i].wanted, cases[i].granted);
}

/* What may be asked for is compared letter by letter. */
static void
what_may_be_asked_for_is_named(void **state)
{
	(void)state;
	assert_true(rbr_scope_names("a b", "b a"));
	assert_true(rbr_scope_names("a,b", "b"));
	assert_true(rbr_scope_names("a b", "b,a"));
	assert_true(rbr_scope_names("a,b c", "a,b"));
	assert_true(rbr_scope_names("", ""));
	assert_false(rbr_scope_names("a b", "a,c"));
	assert_false(rbr_scope_names("a b", "c,a"));
	assert_false(rbr_scope_names("a", "openid"));
	assert_false(rbr_scope_names("https://example.com/a", "a"));
	assert_false(rbr_scope_names("a", "https://example.com/a"));
	assert_false(rbr_scope_names("", "a"));
}

static void
a_sound_list_has_scope_characters(void **state)
{
	(void)state;
	assert_true(rbr_scope_is_sound("a b !~"));
	assert_true(rbr_scope_is_sound(""));
	assert_false(rbr_scope_is_sound("a\x1f"
					"b"));
	assert_false(rbr_scope_is_sound("a\tb"));
	assert_false(rbr_scope_is_sound("a\"b"));
	assert_false(rbr_scope_is_sound("a\\b"));
	assert_false(rbr_scope_is_sound("\xc3\xa4"));
	assert_false(rbr_scope_is_sound("\x7f"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_whole),
		cmocka_unit_test(joining_appends_what_is_missing),
		cmocka_unit_test(joining_stops_where_the_list_is_full),
		cmocka_unit_test(covering_needs_every_word),
		cmocka_unit_test(scopes_are_compared_by_meaning),
		cmocka_unit_test(what_may_be_asked_for_is_named),
		cmocka_unit_test(a_sound_list_has_scope_characters),
	};

	return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
