/* SPDX-License-Identifier: MIT */
/* Which account answers for a URL, and the record that saves reading all of them. */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/match.h"

#define ACCOUNTS "config/ringbearer/accounts"

static struct rbr_context context;

/* Each test has a folder of its own and a clock at which that folder has just been changed: nothing is kept. */
static int
enter(void **state)
{
	int rc = unit_enter(state);

	rbr_context_start(&context);
	return rc;
}

static void
account(const char *name, const char *lines)
{
	char path[128], text[1024];

	(void)snprintf(path, sizeof path, ACCOUNTS "/%s", name);
	(void)snprintf(text, sizeof text, "grant = api_key\n%s", lines);
	unit_write(path, text, 0600);
}

static int
find(const char *text, const char *username, char name[RBR_ACCOUNT_NAME_MAX + 1])
{
	struct rbr_url url;

	memset(&context.error, 0, sizeof context.error);
	assert_int_equal(rbr_url_parse(&url, text, "it", NULL), 0);
	return rbr_match_find(&context, &url, username, name);
}

static void
answers(const char *text, const char *username, const char *expected)
{
	char name[RBR_ACCOUNT_NAME_MAX + 1] = "";

	if (find(text, username, name) != 0)
		fail_msg("%s", context.error.detail);
	assert_string_equal(name, expected);
}

static void
nobody_answers(const char *text, const char *username)
{
	char name[RBR_ACCOUNT_NAME_MAX + 1] = "";

	assert_int_equal(find(text, username, name), RINGBEARER_E_NO_ACCOUNT);
	assert_string_equal(name, "");
	unit_assert_contains(context.error.detail, "no account answers for");
}

static void
two_answer(const char *text, const char *username)
{
	char name[RBR_ACCOUNT_NAME_MAX + 1] = "";

	assert_int_equal(find(text, username, name), RINGBEARER_E_AMBIGUOUS_ACCOUNT);
	assert_string_equal(name, "");
	unit_assert_contains(context.error.detail, "answer equally well");
}

static void
without_accounts_nobody_answers(void **state)
{
	(void)state;
	nobody_answers("https://example.org/", NULL);
	unit_write(ACCOUNTS "/.keep", "", 0600);
	nobody_answers("https://example.org/", NULL);
}

static void
the_longest_match_wins(void **state)
{
	(void)state;
	account("host", "match = https://example.org/\n");
	account("deep", "match = https://example.org/a/b\nmatch = https://elsewhere.test\n");
	account("middle", "match = https://example.org/a/\n");
	answers("https://example.org/", NULL, "host");
	answers("https://example.org/x", NULL, "host");
	answers("https://example.org/ab", NULL, "host");
	answers("https://example.org/a", NULL, "middle");
	answers("https://example.org/a/c", NULL, "middle");
	answers("https://example.org/a/b", NULL, "deep");
	answers("https://example.org/a/b/c?d", NULL, "deep");
	answers("https://example.org/a/b/../c", NULL, "middle");
	answers("https://elsewhere.test/any", NULL, "deep");
	nobody_answers("https://example.org:8443/", NULL);
	nobody_answers("http://example.org/", NULL);
	nobody_answers("https://sub.example.org/", NULL);
}

static void
equal_matches_are_ambiguous(void **state)
{
	(void)state;
	account("one", "match = https://example.org/a\n");
	account("two", "match = https://example.org/a/\n");
	two_answer("https://example.org/a", NULL);
	unit_assert_contains(context.error.detail, "`one`");
	unit_assert_contains(context.error.detail, "`two`");
	two_answer("https://example.org/a/b", "anybody");
	account("three", "match = https://example.org/a/b\n");
	answers("https://example.org/a/b", NULL, "three");
	two_answer("https://example.org/a", NULL);
}

/* The same account twice is no rival of itself. */
static void
one_account_may_match_twice(void **state)
{
	(void)state;
	account("one", "match = https://example.org/a\nmatch = https://example.org/a/\nmatch = https://example.org/\n");
	answers("https://example.org/a/b", NULL, "one");
	answers("https://example.org/", NULL, "one");
}

static void
user_names_decide(void **state)
{
	(void)state;
	account("jane", "match = https://example.org/\nusername = jane\n");
	account("joan", "match = https://example.org/\nusername = joan\n");
	answers("https://example.org/", "jane", "jane");
	answers("https://example.org/", "joan", "joan");
	two_answer("https://example.org/", NULL);
	nobody_answers("https://example.org/", "mary");
	account("any", "match = https://example.org/\n");
	answers("https://example.org/", "jane", "jane");
	answers("https://example.org/", "mary", "any");
}

static void
a_longer_match_beats_a_user_name(void **state)
{
	(void)state;
	account("jane", "match = https://example.org/\nusername = jane\n");
	account("deep", "match = https://example.org/a\n");
	answers("https://example.org/a", "jane", "deep");
	answers("https://example.org/b", "jane", "jane");
	account("other", "match = https://example.org/a/b\nusername = joan\n");
	answers("https://example.org/a/b", "jane", "deep");
}

static void
a_broken_account_does_not_hide_the_others(void **state)
{
	(void)state;
	account("good", "match = https://example.org/\n");
	account("bad", "nonsense = 1\n");
	answers("https://example.org/", NULL, "good");
	unit_stderr_catch();
	nobody_answers("https://elsewhere.test/", NULL);
	unit_assert_contains(unit_stderr_release(), "the account `bad` cannot be read");
}

static void
providers_bring_matches(void **state)
{
	(void)state;
	unit_write("shipped/p", "tenant_domain = example.org\nmatch = https://{tenant}/api/\n", 0644);
	account("acme", "provider = p\ntenant = acme\n");
	answers("https://acme.example.org/api/x", NULL, "acme");
	nobody_answers("https://acme.example.org/", NULL);
}

static void
covering_asks_every_match(void **state)
{
	struct rbr_account loaded = RBR_ACCOUNT_EMPTY;
	struct rbr_url url;

	(void)state;
	account("one", "match = https://a.test/x\nmatch = https://b.test/\n");
	assert_int_equal(rbr_account_load("one", &loaded, NULL), 0);
	assert_int_equal(rbr_url_parse(&url, "https://a.test/x/y", "it", NULL), 0);
	assert_int_equal(rbr_match_require(&context, &loaded, &url), 0);
	assert_int_equal(rbr_url_parse(&url, "https://b.test/z", "it", NULL), 0);
	assert_int_equal(rbr_match_require(&context, &loaded, &url), 0);
	assert_int_equal(rbr_url_parse(&url, "https://a.test/z", "it", NULL), 0);
	assert_int_equal(rbr_match_require(&context, &loaded, &url), RINGBEARER_E_NO_ACCOUNT);
	assert_int_equal(rbr_url_parse(&url, "https://evil.test/x", "it", NULL), 0);
	assert_int_equal(rbr_match_require(&context, &loaded, &url), RINGBEARER_E_NO_ACCOUNT);
	rbr_account_wipe(&loaded);
}

/* -- the record -- */

/* Makes the folder look as if nobody had touched it for an hour. */
static void
settle(void)
{
	const struct timespec times[2] = {{context.started.real - 3600, 1}, {context.started.real - 3600, 1}};

	assert_int_equal(utimensat(AT_FDCWD, ACCOUNTS, times, 0), 0);
}

static void
the_record_is_used_while_the_folder_is_the_same(void **state)
{
	(void)state;
	if (!unit_has_keyring())
		skip();
	account("one", "match = https://example.org/\n");
	account("more", "match = https://other.test/\n");
	settle();
	answers("https://example.org/a", NULL, "one");
	/* edited in place: the record does not know yet that there is a better one */
	account("more", "match = https://example.org/a/\n");
	answers("https://example.org/a", NULL, "one");
	/* but one that was edited itself answers for what it says now, and for nothing else */
	account("one", "match = https://other.test/\n");
	answers("https://example.org/a", NULL, "more");
	nobody_answers("https://example.org/", NULL);
	/* another file in the folder: looked up afresh */
	account("two", "match = https://example.org/\n");
	answers("https://example.org/", NULL, "two");
	assert_int_equal(unlink(ACCOUNTS "/two"), 0);
	nobody_answers("https://example.org/", NULL);
}

/* Within the time stamp's grain the folder could change again unseen. */
static void
nothing_is_kept_of_a_folder_that_was_just_changed(void **state)
{
	struct stat status;

	(void)state;
	account("one", "match = https://example.org/\n");
	assert_int_equal(stat(ACCOUNTS, &status), 0);
	context.started.real = status.st_mtime + 1;
	answers("https://example.org/", NULL, "one");
	account("one", "match = https://other.test/\n");
	nobody_answers("https://example.org/", NULL);
}

/* What could not be read now may be readable in a moment. */
static void
nothing_is_kept_while_an_account_is_broken(void **state)
{
	(void)state;
	account("bad", "nonsense = 1\n");
	account("good", "match = https://example.org/\n");
	settle();
	answers("https://example.org/", NULL, "good");
	account("bad", "match = https://example.org/a\n");
	settle();
	answers("https://example.org/a", NULL, "bad");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter, unit_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_accounts_nobody_answers),
		TEST(the_longest_match_wins),
		TEST(equal_matches_are_ambiguous),
		TEST(one_account_may_match_twice),
		TEST(user_names_decide),
		TEST(a_longer_match_beats_a_user_name),
		TEST(a_broken_account_does_not_hide_the_others),
		TEST(providers_bring_matches),
		TEST(covering_asks_every_match),
		TEST(the_record_is_used_while_the_folder_is_the_same),
		TEST(nothing_is_kept_of_a_folder_that_was_just_changed),
		TEST(nothing_is_kept_while_an_account_is_broken),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
