/* SPDX-License-Identifier: MIT */
/* What secrets are bound to, and what may be one; and the store behind it, played by this program. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "vault/vault.h"

static struct rbr_context context;
static struct ringbearer_call call;
static struct rbr_account account;

/* What the store was asked last, and what it holds. */
static struct ringbearer_item asked;
static char asked_endpoint[RBR_BINDING_MAX], asked_label[256];
static const char *held;
static int answer_code;

static int
note(const struct ringbearer_item *item)
{
	asked = *item;
	(void)snprintf(asked_endpoint, sizeof asked_endpoint, "%s", item->endpoint);
	(void)snprintf(asked_label, sizeof asked_label, "%s", item->label ? item->label : "");
	assert_int_equal(item->size, sizeof *item);
	return answer_code;
}

static int
store_lookup(struct ringbearer_call *of, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	assert_ptr_equal(of, &call);
	if (note(item) == 0 && held)
		*ret_value = rbr_secret_new(held, strlen(held));
	return answer_code;
}

static int
store_store(struct ringbearer_call *of, const struct ringbearer_item *item, const struct ringbearer_secret *value)
{
	assert_ptr_equal(of, &call);
	if (!held)
		held = rbr_secret_string(value);
	return note(item);
}

static int
store_erase(struct ringbearer_call *of, const struct ringbearer_item *item)
{
	assert_ptr_equal(of, &call);
	held = NULL;
	return note(item);
}

static struct rbr_vault vault;

static int
enter(void **state)
{
	static const char lines[] = "grant=x\nclient_id=the id\ntoken_endpoint=https://auth.test/token\n"
				    "match=https://a.test/\nmatch=https://b.test/\n";
	int rc = unit_account(lines, &account, NULL);

	(void)state;
	rbr_context_start(&context);
	if (rc == 0)
		rbr_call_start(&call, &context, &account, false);
	vault = (struct rbr_vault){.call = &call,
		.store = {.name = "store-unit",
			.ops = {.lookup = store_lookup, .store = store_store, .erase = store_erase}}};
	held = NULL;
	answer_code = 0;
	return rc;
}

static int
leave(void **state)
{
	(void)state;
	rbr_account_wipe(&account);
	return 0;
}

static int
check(const char *bytes, size_t size)
{
	struct ringbearer_secret *secret = rbr_secret_new(bytes, size);
	struct rbr_error error = {0};
	int rc = rbr_vault_check(secret, &error);

	if (rc < 0 && size > 4)
		unit_assert_lacks(error.detail, rbr_secret_string(secret));
	rbr_secret_free(secret);
	return rc;
}

static void
secrets_are_printable_ascii(void **state)
{
	char *large = malloc(65001);
	int c;

	(void)state;
	assert_non_null(large);
	assert_int_equal(check("a secret ~!", 11), 0);
	assert_int_equal(check("", 0), RINGBEARER_E_MALFORMED_REQUEST);
	for (c = 0; c < 256; c++) {
		const char bytes[] = {'x', (char)c, 'y'};

		assert_int_equal(check(bytes, 3), c >= 0x20 && c <= 0x7e ? 0 : RINGBEARER_E_MALFORMED_REQUEST);
	}
	memset(large, 'x', 65001);
	assert_int_equal(check(large, 65000), 0);
	assert_int_equal(check(large, 65001), RINGBEARER_E_MALFORMED_REQUEST);
	free(large);
}

static void
kinds_are_known(void **state)
{
	(void)state;
	assert_true(rbr_vault_knows("client_secret"));
	assert_true(rbr_vault_knows("refresh_token"));
	assert_true(rbr_vault_knows("api_key"));
	assert_false(rbr_vault_knows("access_token"));
	assert_false(rbr_vault_knows(""));
}

static void
secrets_are_bound_to_where_they_may_go(void **state)
{
	char endpoint[RBR_BINDING_MAX];

	(void)state;
	assert_int_equal(rbr_vault_binding(&account, "client_secret", endpoint, NULL), 0);
	assert_string_equal(endpoint, "https://auth.test/token");
	assert_int_equal(rbr_vault_binding(&account, "refresh_token", endpoint, NULL), 0);
	assert_string_equal(endpoint, "https://auth.test/token");
	assert_int_equal(rbr_vault_binding(&account, "api_key", endpoint, NULL), 0);
	assert_string_equal(endpoint, "https://a.test/ https://b.test/");
}

static void
without_an_endpoint_there_is_no_binding(void **state)
{
	struct rbr_account other = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};
	char endpoint[RBR_BINDING_MAX];

	(void)state;
	assert_int_equal(unit_account("grant=x\n", &other, NULL), 0);
	assert_int_equal(rbr_vault_binding(&other, "client_secret", endpoint, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "`token_endpoint` is not set");
	assert_int_equal(rbr_vault_binding(&other, "api_key", endpoint, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "`match` is not set");
	rbr_account_wipe(&other);
	assert_int_equal(unit_account("grant=x\nissuer=https://issuer.test\n", &other, NULL), 0);
	/* An issuer alone binds nothing: its metadata must be read first, or they could move the secret. */
	assert_int_equal(rbr_vault_binding(&other, "client_secret", endpoint, NULL), RINGBEARER_E_CONFIG);
	assert_int_equal(rbr_account_learn(&other, RBR_KEY_TOKEN_ENDPOINT, "https://issuer.test/token", NULL), 0);
	assert_int_equal(rbr_vault_binding(&other, "client_secret", endpoint, NULL), 0);
	assert_string_equal(endpoint, "https://issuer.test/token");
	rbr_account_wipe(&other);
}

static void
the_store_is_asked_by_everything(void **state)
{
	struct ringbearer_secret *secret = NULL;

	(void)state;
	held = "the secret";
	assert_int_equal(rbr_vault_lookup(&vault, "client_secret", &secret), 0);
	assert_string_equal(rbr_secret_string(secret), "the secret");
	assert_string_equal(asked.account, "acme");
	assert_string_equal(asked.kind, "client_secret");
	assert_string_equal(asked.client_id, "the id");
	assert_string_equal(asked_endpoint, "https://auth.test/token");
	rbr_secret_free(secret);
}

/* KWallet takes a slash in a label for a folder. */
static void
labels_are_for_people(void **state)
{
	struct ringbearer_secret *secret = rbr_secret_new("x", 1);

	(void)state;
	assert_int_equal(rbr_vault_keep(&vault, "api_key", secret), 0);
	assert_string_equal(asked_label, "acme: API key");
	assert_string_equal(asked_endpoint, "https://a.test/ https://b.test/");
	rbr_secret_free(secret);
}

static void
absent_is_not_locked(void **state)
{
	struct ringbearer_secret *secret = NULL;

	(void)state;
	answer_code = RINGBEARER_E_NO_SECRET;
	assert_int_equal(rbr_vault_lookup(&vault, "client_secret", &secret), RINGBEARER_E_NO_SECRET);
	unit_assert_contains(
		context.error.detail, "the keyring holds no client secret for the id at https://auth.test/token");
	unit_assert_contains(context.error.detail, "`ringbearer secret acme`");
	answer_code = RINGBEARER_E_STORE_LOCKED;
	assert_int_equal(rbr_vault_lookup(&vault, "client_secret", &secret), RINGBEARER_E_STORE_LOCKED);
	unit_assert_lacks(context.error.detail, "holds no");
	answer_code = 0;
	assert_int_equal(rbr_vault_lookup(&vault, "client_secret", &secret), RINGBEARER_E_MODULE);
	assert_null(secret);
}

static void
what_is_kept_is_read_back(void **state)
{
	struct ringbearer_secret *secret = rbr_secret_new("new secret", 10);

	(void)state;
	assert_int_equal(rbr_vault_keep(&vault, "client_secret", secret), 0);
	held = "old secret"; /* a keyring that does not do what it says */
	assert_int_equal(rbr_vault_keep(&vault, "client_secret", secret), RINGBEARER_E_STORE_UNAVAILABLE);
	unit_assert_contains(context.error.detail, "gave back another client secret");
	unit_assert_lacks(context.error.detail, "old secret");
	answer_code = RINGBEARER_E_STORE_DISMISSED;
	assert_int_equal(rbr_vault_keep(&vault, "client_secret", secret), RINGBEARER_E_STORE_DISMISSED);
	rbr_secret_free(secret);
}

static void
erasing_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(rbr_vault_erase(&vault, "refresh_token"), 0);
	assert_string_equal(asked.kind, "refresh_token");
	answer_code = RINGBEARER_E_STORE_LOCKED;
	assert_int_equal(rbr_vault_erase(&vault, "refresh_token"), RINGBEARER_E_STORE_LOCKED);
}

static void
what_a_store_lacks_is_named(void **state)
{
	struct ringbearer_secret *secret = rbr_secret_new("x", 1), *found = NULL;

	(void)state;
	vault.store.ops.lookup = NULL;
	vault.store.ops.store = NULL;
	vault.store.ops.erase = NULL;
	assert_int_equal(rbr_vault_lookup(&vault, "api_key", &found), RINGBEARER_E_MODULE);
	unit_assert_contains(context.error.detail, "store-unit");
	assert_int_equal(rbr_vault_keep(&vault, "api_key", secret), RINGBEARER_E_MODULE);
	assert_int_equal(rbr_vault_erase(&vault, "api_key"), RINGBEARER_E_MODULE);
	rbr_secret_free(secret);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_printable_ascii),
		cmocka_unit_test(kinds_are_known),
		TEST(secrets_are_bound_to_where_they_may_go),
		TEST(without_an_endpoint_there_is_no_binding),
		TEST(the_store_is_asked_by_everything),
		TEST(labels_are_for_people),
		TEST(absent_is_not_locked),
		TEST(what_is_kept_is_read_back),
		TEST(erasing_is_passed_on),
		TEST(what_a_store_lacks_is_named),
	};

	return cmocka_run_group_tests_name("vault", tests, unit_enter, unit_leave);
}
