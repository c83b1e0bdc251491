/* SPDX-License-Identifier: MIT */
/* The short way to an answer: whether what is cached will do, with the real kernel keyring. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/fastpath/hit.h"

static struct rbr_context context;
static struct rbr_request request;
static struct rbr_wish wish;
static struct rbr_credential credential;

static int
enter(void **state)
{
	int rc = unit_enter(state);

	rbr_context_start(&context);
	request = RBR_REQUEST_EMPTY;
	wish = RBR_WISH_EMPTY;
	credential = RBR_CREDENTIAL_EMPTY;
	unit_write("config/ringbearer/accounts/acme", "grant = api_key\nmatch = https://a.test/\n", 0600);
	return rc;
}

static void
forget(void)
{
	if (wish.token_key.text.size > 0)
		rbr_cache_drop(&wish.token_key);
	rbr_wish_wipe(&wish);
	rbr_request_wipe(&request);
	rbr_credential_wipe(&credential);
	wish = RBR_WISH_EMPTY;
}

static int
leave(void **state)
{
	forget();
	return unit_leave(state);
}

static bool
ask(const char *lines, enum rbr_urgency urgency)
{
	rbr_wish_wipe(&wish);
	rbr_request_wipe(&request);
	rbr_credential_wipe(&credential);
	wish = RBR_WISH_EMPTY;
	assert_int_equal(rbr_message_parse(&request.message, lines, strlen(lines), RBR_DIALECT_WIRE, "it",
				 RINGBEARER_E_MALFORMED_REQUEST, NULL),
		0);
	assert_int_equal(rbr_request_understand(&request, NULL), 0);
	return rbr_hit(&context, &request, urgency, &wish, &credential);
}

/* Keeps a token for what was asked last: LEFT more seconds to live of an hour. */
static void
keep(const char *token, int64_t left)
{
	struct rbr_clock now = rbr_clock_now();
	struct rbr_message record = RBR_MESSAGE_EMPTY;

	if (!unit_has_keyring())
		skip();
	assert_int_equal(rbr_message_add(&record, "token", token), 0);
	assert_int_equal(rbr_message_add(&record, "type", "Bearer"), 0);
	assert_int_equal(rbr_message_add(&record, "account", "acme"), 0);
	assert_int_equal(rbr_message_add_number(&record, "obtained", now.real + left - 3600), 0);
	assert_int_equal(rbr_message_add_number(&record, "expires", now.real + left), 0);
	assert_int_equal(rbr_message_add_number(&record, "boot_expires", now.boot + left), 0);
	assert_int_equal(rbr_message_add_number(&record, "obtained_ms", context.started_ms - 1000), 0);
	assert_true(rbr_cache_write(&wish.token_key, &record, 60));
	rbr_message_wipe(&record);
}

static void
what_is_kept_is_a_hit(void **state)
{
	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 3000);
	assert_true(ask("account=acme\n", RBR_IF_NEEDED));
	assert_string_equal(credential.token, "t0ken");
	assert_string_equal(wish.account, "acme");
}

static void
scope_and_resource_have_tokens_of_their_own(void **state)
{
	(void)state;
	assert_false(ask("account=acme\nscope=a\n", RBR_IF_NEEDED));
	keep("for-a", 3000);
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\nscope=b\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\nscope=a\nresource=urn:x\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\nresource=a\n", RBR_IF_NEEDED));
	assert_true(ask("account=acme\nscope=a\n", RBR_IF_NEEDED));
	assert_string_equal(credential.token, "for-a");
	rbr_cache_drop(&wish.token_key);
	assert_false(ask("account=acme\nresource=urn:x\n", RBR_IF_NEEDED));
	keep("for-x", 3000);
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\nresource=urn:y\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\nresource[]=urn:x\nresource[]=urn:y\n", RBR_IF_NEEDED));
	assert_true(ask("account=acme\nresource=urn:x\n", RBR_IF_NEEDED));
	rbr_cache_drop(&wish.token_key);
}

static void
what_is_no_token_is_no_hit(void **state)
{
	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("a blank", 3000);
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
}

static void
min_valid_is_heeded(void **state)
{
	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 100);
	assert_true(ask("account=acme\nmin_valid=60\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\nmin_valid=120\n", RBR_IF_NEEDED));
	keep("t0ken", 20);
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	assert_true(ask("account=acme\nmin_valid=5\n", RBR_IF_NEEDED));
}

static void
an_edited_account_is_another(void **state)
{
	struct rbr_cache_key old = RBR_CACHE_KEY_EMPTY;

	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 3000);
	assert_int_equal(rbr_secret_append_string(&old.text, rbr_secret_string(&wish.token_key.text)), 0);
	unit_write("config/ringbearer/accounts/acme", "grant = api_key\nmatch = https://b.test/\n# longer\n", 0600);
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	rbr_cache_drop(&old);
	rbr_cache_key_wipe(&old);
}

static void
a_rejected_token_is_not_handed_out_again(void **state)
{
	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 3000);
	assert_false(ask("account=acme\nwwwauth[]=Bearer error=\"invalid_token\"\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\npassword=t0ken\nwwwauth[]=Bearer error=\"invalid_token\"\n", RBR_IF_NEEDED));
	/* somebody has renewed it meanwhile */
	assert_true(ask("account=acme\npassword=older\nwwwauth[]=Bearer error=\"invalid_token\"\n", RBR_IF_NEEDED));
	assert_string_equal(credential.token, "t0ken");
}

static void
nor_is_one_that_was_refused_without_a_reason(void **state)
{
	char lines[128];

	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 3000);
	assert_false(ask("account=acme\ncredential=t0ken\nwwwauth[]=Bearer\n", RBR_IF_NEEDED));
	assert_false(ask("account=acme\ncredential=t0ken\nwwwauth[]=Bearer error=insufficient_user_authentication\n",
		RBR_IF_NEEDED));
	assert_true(ask("account=acme\ncredential=older\nwwwauth[]=Bearer\n", RBR_IF_NEEDED));
	assert_true(ask("account=acme\ncredential=t0ken\n", RBR_IF_NEEDED)); /* nobody has refused it */
	assert_true(ask("account=acme\nwwwauth[]=Bearer\n", RBR_IF_NEEDED)); /* git's first question */
	/* as git says it: when the token was obtained that it was handed */
	(void)snprintf(lines, sizeof lines, "account=acme\nwwwauth[]=Bearer\nstate[]=ringbearer:%lld\n",
		(long long)credential.obtained_ms);
	assert_false(ask(lines, RBR_IF_NEEDED));
	assert_true(ask("account=acme\nwwwauth[]=Bearer\nstate[]=ringbearer:1\n", RBR_IF_NEEDED));
}

static void
a_forced_renewal_takes_only_what_is_newer(void **state)
{
	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 3000);
	assert_false(ask("account=acme\n", RBR_FORCED));
	assert_false(ask("account=acme\npassword=older\n", RBR_FORCED));
	context.started_ms -= 2000;
	assert_true(ask("account=acme\n", RBR_FORCED));
}

static void
doubts_take_the_long_way(void **state)
{
	static const char *const lines[] = {
		"account=acme\nurl=https://a.test/\n", /* does it answer for that? */
		"account=acme\nwwwauth[]=Bearer error=\"insufficient_scope\", scope=\"x\"\n", "account=nobody\n",
		"account=../acme\n", "url=https://a.test/\n", /* the index does not know it yet */
	};
	size_t i;

	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 3000);
	for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_false(ask(lines[i], RBR_IF_NEEDED));
	assert_true(ask("account=acme\n", RBR_IF_NEEDED));
}

static void
a_writable_account_is_no_hit(void **state)
{
	(void)state;
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
	keep("t0ken", 3000);
	assert_int_equal(chmod("config/ringbearer/accounts/acme", 0666), 0);
	assert_false(ask("account=acme\n", RBR_IF_NEEDED));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_a_hit),
		TEST(scope_and_resource_have_tokens_of_their_own),
		TEST(what_is_no_token_is_no_hit),
		TEST(min_valid_is_heeded),
		TEST(an_edited_account_is_another),
		TEST(a_rejected_token_is_not_handed_out_again),
		TEST(nor_is_one_that_was_refused_without_a_reason),
		TEST(a_forced_renewal_takes_only_what_is_newer),
		TEST(doubts_take_the_long_way),
		TEST(a_writable_account_is_no_hit),
	};

	return cmocka_run_group_tests_name("hit", tests, NULL, NULL);
}
