/* SPDX-License-Identifier: MIT */
/* The function table that modules are given. */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "account.h"
#include "host/host.h"

static struct rbr_context context;
static struct ringbearer_call call;
static struct rbr_account account;
static const struct ringbearer_host *host;

static int
enter(void **state)
{
	static const char lines[] = "grant=x\ntimeout=5\nmatch=https://a.test/\nmatch=https://b.test/\n";
	int rc = unit_account(lines, &account, NULL);

	(void)state;
	rbr_context_start(&context);
	context.trace = false;
	host = rbr_host();
	if (rc == 0)
		rbr_call_start(&call, &context, &account, true);
	return rc;
}

static int
leave(void **state)
{
	(void)state;
	rbr_account_wipe(&account);
	return 0;
}

static void
the_table_is_complete(void **state)
{
	(void)state;
	assert_int_equal(host->abi, RINGBEARER_MODULE_ABI);
	assert_int_equal(host->size, sizeof *host);
	assert_non_null(host->log);
	assert_non_null(host->fail);
	assert_non_null(host->retry_after);
	assert_non_null(host->config);
	assert_non_null(host->remaining_ms);
	assert_non_null(host->interactive);
	assert_non_null(host->secret_new);
	assert_non_null(host->secret_append);
	assert_non_null(host->secret_data);
	assert_non_null(host->secret_size);
	assert_non_null(host->secret_free);
	assert_ptr_equal(rbr_host(), host);
}

static void
configuration_is_the_accounts(void **state)
{
	(void)state;
	assert_string_equal(host->config(&call, "account", 0), "acme");
	assert_null(host->config(&call, "account", 1));
	assert_string_equal(host->config(&call, "match", 0), "https://a.test/");
	assert_string_equal(host->config(&call, "match", 1), "https://b.test/");
	assert_null(host->config(&call, "match", 2));
	assert_string_equal(host->config(&call, "basic_encoding", 0), "rfc");
	assert_null(host->config(&call, "scope", 0));
	assert_null(host->config(&call, "nonsense", 0));
}

static void
the_deadline_is_the_accounts(void **state)
{
	(void)state;
	assert_in_range(host->remaining_ms(&call), 4000, 5000);
	call.deadline_ms = rbr_now_ms() - 1;
	assert_int_equal(host->remaining_ms(&call), 0);
	assert_true(host->interactive(&call));
	call.interactive = false;
	assert_false(host->interactive(&call));
}

static void
failing_records_why(void **state)
{
	(void)state;
	assert_int_equal((host->fail)(&call, RINGBEARER_E_TLS, "%s: %d", "it", 1), RINGBEARER_E_TLS);
	assert_int_equal(context.error.code, RINGBEARER_E_TLS);
	assert_string_equal(context.error.detail, "it: 1");
	assert_int_equal((host->fail)(&call, RINGBEARER_E_TLS, "%s", "a\x1b[31m\nb"), RINGBEARER_E_TLS);
	assert_string_equal(context.error.detail, "a?[31m?b");
}

static void
secrets_do_not_get_into_messages(void **state)
{
	struct ringbearer_secret *one = rbr_secret_new("hunter2", 7), *two = rbr_secret_new("swordfish", 9);

	(void)state;
	rbr_call_hide(&call, one);
	rbr_call_hide(&call, NULL);
	rbr_call_hide(&call, two);
	(void)(host->fail)(&call, RINGBEARER_E_CONFIG, "%s", "the server says: hunter2, swordfish, hunter2");
	assert_string_equal(context.error.detail, "the server says: *******, *********, *******");
	unit_stderr_catch();
	host->log(&call, RINGBEARER_LOG_WARNING, "%s", "swordfish");
	assert_string_equal(unit_stderr_release(), "ringbearer: acme: *********\n");
	context.trace = true;
	unit_stderr_catch();
	host->log(&call, RINGBEARER_LOG_TRACE, "%s", "hunter2");
	assert_string_equal(unit_stderr_release(), "ringbearer: trace: *******\n");
	rbr_secret_free(one);
	rbr_secret_free(two);
}

/* The message is cut after it was blotted: no half of a secret stays at its end. */
static void
a_secret_at_the_cut_is_blotted_too(void **state)
{
	struct ringbearer_secret *secret = rbr_secret_new("hunter2", 7);
	char text[RBR_DETAIL_MAX + 64];

	(void)state;
	rbr_call_hide(&call, secret);
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	memcpy(text + RBR_DETAIL_MAX - 4, "hunter2", 7);
	(void)(host->fail)(&call, RINGBEARER_E_CONFIG, "%s", text);
	assert_string_equal(context.error.detail + RBR_DETAIL_MAX - 5, "x***");
	rbr_secret_free(secret);
}

static void
traces_are_asked_for(void **state)
{
	(void)state;
	unit_stderr_catch();
	host->log(&call, RINGBEARER_LOG_TRACE, "%s", "unseen");
	assert_string_equal(unit_stderr_release(), "");
}

static void
retry_after_is_bounded(void **state)
{
	(void)state;
	host->retry_after(&call, 17);
	assert_int_equal(context.error.retry_after, 17);
	host->retry_after(&call, -1);
	assert_int_equal(context.error.retry_after, 0);
	host->retry_after(&call, 1000000);
	assert_int_equal(context.error.retry_after, 86400);
}

static void
secret_functions_work(void **state)
{
	struct ringbearer_secret *secret = host->secret_new("ab", 2);

	(void)state;
	assert_non_null(secret);
	assert_int_equal(host->secret_append(secret, "\0c", 2), 0);
	assert_int_equal(host->secret_size(secret), 4);
	assert_memory_equal(host->secret_data(secret), "ab\0c", 5);
	host->secret_free(secret);
	host->secret_free(NULL);
	secret = host->secret_new("", 0);
	assert_string_equal(host->secret_data(secret), "");
	assert_int_equal(host->secret_size(secret), 0);
	host->secret_free(secret);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_table_is_complete),
		TEST(configuration_is_the_accounts),
		TEST(the_deadline_is_the_accounts),
		TEST(failing_records_why),
		TEST(secrets_do_not_get_into_messages),
		TEST(a_secret_at_the_cut_is_blotted_too),
		TEST(traces_are_asked_for),
		TEST(retry_after_is_bounded),
		TEST(secret_functions_work),
	};

	return cmocka_run_group_tests_name("host", tests, unit_enter, unit_leave);
}
