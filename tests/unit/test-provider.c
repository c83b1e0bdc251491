/* SPDX-License-Identifier: MIT */
/* Provider files: where they are found, what `{name}` becomes, and the ones that are shipped. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "accounts/account.h"
#include "accounts/provider.h"
#include "cli/names.h"

#define SHIPPED "shipped/"
#define SYSTEM "etc/ringbearer/providers/"
#define USER "config/ringbearer/providers/"

/* The token endpoint of the account that LINES describe. */
static void
endpoint_is(const char *lines, const char *endpoint)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	if (unit_account(lines, &account, &error) < 0)
		fail_msg("%s", error.detail);
	assert_string_equal(rbr_account_get(&account, RBR_KEY_TOKEN_ENDPOINT), endpoint);
	rbr_account_wipe(&account);
}

static void
refuse(const char *lines, const char *detail)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	assert_int_equal(unit_account(lines, &account, &error), RINGBEARER_E_CONFIG);
	assert_int_equal(account.count, 0);
	unit_assert_contains(error.detail, detail);
}

/* A user's file must not shadow what was shipped. */
static void
the_shipped_file_comes_first(void **state)
{
	struct rbr_provider provider = RBR_PROVIDER_EMPTY;

	(void)state;
	unit_write(USER "order", "title = user\n", 0600);
	assert_int_equal(rbr_provider_load("order", &provider, NULL), 0);
	assert_string_equal(rbr_message_get(&provider.lines, "title"), "user");
	assert_int_equal(provider.place, RBR_PLACE_USER);
	rbr_provider_wipe(&provider);
	unit_write(SYSTEM "order", "title = system\n", 0644);
	assert_int_equal(rbr_provider_load("order", &provider, NULL), 0);
	assert_string_equal(rbr_message_get(&provider.lines, "title"), "system");
	assert_int_equal(provider.place, RBR_PLACE_SYSTEM);
	rbr_provider_wipe(&provider);
	unit_write(SHIPPED "order", "title = shipped\n", 0644);
	assert_int_equal(rbr_provider_load("order", &provider, NULL), 0);
	assert_string_equal(rbr_message_get(&provider.lines, "title"), "shipped");
	assert_int_equal(provider.place, RBR_PLACE_SHIPPED);
	rbr_provider_wipe(&provider);
	assert_int_equal(provider.lines.count, 0);
}

static void
names_are_plain(void **state)
{
	static const char *const bad[] = {"", ".", "..", "../x", "a/b", ".a", "-a", "a b", "a@b", "a~", "\xc3\xa4"};
	struct rbr_provider provider = RBR_PROVIDER_EMPTY;
	struct rbr_error error = {0};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(bad); i++) {
		assert_int_equal(rbr_provider_load(bad[i], &provider, &error), RINGBEARER_E_CONFIG);
		unit_assert_contains(error.detail, "is no name of a provider");
	}
	assert_int_equal(rbr_provider_load("absent", &provider, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "there is no provider `absent`");
}

static void
files_that_others_can_write_are_refused(void **state)
{
	struct rbr_provider provider = RBR_PROVIDER_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	unit_write(SHIPPED "writable", "title = x\n", 0666);
	assert_int_equal(rbr_provider_load("writable", &provider, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "can be written by others");
	rbr_provider_wipe(&provider);
}

static void
only_providers_have_their_own_keys(void **state)
{
	(void)state;
	assert_true(rbr_provider_has_key("title"));
	assert_true(rbr_provider_has_key("documentation"));
	assert_true(rbr_provider_has_key("tenant_domain"));
	assert_true(rbr_provider_has_key("denied_hint"));
	assert_true(rbr_provider_has_key("rejected_hint"));
	assert_false(rbr_provider_has_key("client_id"));
	assert_false(rbr_provider_has_key(""));
	refuse("grant = api_key\ntitle = x\n", "there is no key `title`");
	unit_write(SHIPPED "odd", "client_ids = x\n", 0644);
	refuse("grant = api_key\nprovider = odd\n", "line 1: there is no key `client_ids`; did you mean `client_id`?");
}

static void
names_in_braces_are_filled_in(void **state)
{
	(void)state;
	unit_write(SHIPPED "braces",
		"tenant_domain = example.org\ntoken_endpoint = https://{tenant}/{client_id}/{tenant}\n", 0644);
	endpoint_is("grant = x\nprovider = braces\ntenant = acme\nclient_id = id\n",
		"https://acme.example.org/id/acme.example.org");
	endpoint_is(
		"grant = x\nprovider = braces\ntenant = acme.test\nclient_id = id\n", "https://acme.test/id/acme.test");
	endpoint_is(
		"grant = x\nprovider = braces\ntenant = acme:8443\nclient_id = id\n", "https://acme:8443/id/acme:8443");
	unit_write(SHIPPED "bare", "token_endpoint = https://{tenant}/token\n", 0644);
	endpoint_is("grant = x\nprovider = bare\ntenant = acme\n", "https://acme/token");
}

static void
the_account_can_override_what_needs_a_tenant(void **state)
{
	(void)state;
	unit_write(SHIPPED "fixed", "token_endpoint = https://fixed.example.org/token\n", 0644);
	endpoint_is(
		"grant = x\nprovider = fixed\ntoken_endpoint = https://own.example.org/\n", "https://own.example.org/");
}

static void
what_cannot_be_filled_in_is_refused(void **state)
{
	(void)state;
	unit_write(SHIPPED "wants", "token_endpoint = https://{tenant}/{client_id}\n", 0644);
	refuse("grant = x\nprovider = wants\n", "the provider `wants` needs `tenant`; add it to the account");
	refuse("grant = x\nprovider = wants\ntenant = a\n", "needs `client_id`");
	refuse("grant = x\nprovider = wants\ntenant = a\nclient_id = a/../b\n",
		"`client_id` goes into the provider's URLs");
	refuse("grant = x\nprovider = wants\ntenant = a\nclient_id = a?b\n",
		"`client_id` goes into the provider's URLs");
	unit_write(SHIPPED "inside", "token_endpoint = https://{tenant}.example.org/token\n", 0644);
	endpoint_is("grant = x\nprovider = inside\ntenant = acme\n", "https://acme.example.org/token");
	refuse("grant = x\nprovider = inside\ntenant = evil.test/acme\n",
		"`tenant` is only a part of a host's name for this provider: it may have no `/`");
	unit_write(SHIPPED "open", "token_endpoint = https://{tenant\n", 0644);
	refuse("grant = x\nprovider = open\ntenant = a\n", "has a `{` without `}`");
	unit_write(SHIPPED "unknown", "token_endpoint = https://{nothing}/\n", 0644);
	refuse("grant = x\nprovider = unknown\n", "needs `nothing`");
	unit_write(SHIPPED "empty", "token_endpoint = https://{}/\n", 0644);
	refuse("grant = x\nprovider = empty\n", "needs ``");
}

/* What was filled in is checked like anything else: a tenant cannot make a URL that is none. */
static void
the_result_is_checked(void **state)
{
	(void)state;
	unit_write(SHIPPED "checked", "token_endpoint = https://{tenant}/token\n", 0644);
	refuse("grant = x\nprovider = checked\ntenant = a:b\n", "line 1: ");
	unit_write(SHIPPED "plain", "token_endpoint = http://{tenant}/token\n", 0644);
	refuse("grant = x\nprovider = plain\ntenant = example.org\n", "must be https");
	endpoint_is("grant = x\nprovider = plain\ntenant = 127.0.0.1:8080\n", "http://127.0.0.1:8080/token");
}

/* Never cut: the end of a name decides whose it is. */
static void
long_values_are_filled_in_whole_or_refused(void **state)
{
	char lines[2048], host[1024];
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	memset(host, 'a', sizeof host);
	host[600] = '\0';
	unit_write(SHIPPED "long", "tenant_domain = example.org\ntoken_endpoint = https://h.test/{tenant}/x\n", 0644);
	(void)snprintf(lines, sizeof lines, "grant = x\nprovider = long\ntenant = %s\n", host);
	if (unit_account(lines, &account, &error) == 0)
		unit_assert_contains(rbr_account_get(&account, RBR_KEY_TOKEN_ENDPOINT), "a.example.org/x");
	else
		assert_int_equal(error.code, RINGBEARER_E_CONFIG);
	rbr_account_wipe(&account);
}

static void
every_provider_is_visited_once(void **state)
{
	struct rbr_names names = {NULL, 0};
	size_t i, found = 0;

	(void)state;
	unit_write(SHIPPED "visited", "title = x\n", 0644);
	unit_write(SYSTEM "visited", "title = x\n", 0644);
	unit_write(USER "visited", "title = x\n", 0644);
	unit_write(USER "mine", "title = x\n", 0644);
	unit_write(SHIPPED "backup~", "title = x\n", 0644);
	assert_int_equal(rbr_provider_visit(rbr_names_add, &names, NULL), 0);
	for (i = 0; i < names.count; i++) {
		found += strcmp(names.list[i], "visited") == 0 || strcmp(names.list[i], "mine") == 0;
		assert_null(strchr(names.list[i], '~'));
	}
	assert_int_equal(found, 2);
	rbr_names_wipe(&names);
}

/* Copies a provider of this source tree to where it is looked for. */
static void
ship(const char *name)
{
	char path[UNIT_PATH_MAX], text[8192];
	FILE *file;
	size_t size;

	(void)snprintf(path, sizeof path, "%s/%s", UNIT_PROVIDERS, name);
	file = fopen(path, "re");
	assert_non_null(file);
	size = fread(text, 1, sizeof text - 1, file);
	assert_in_range(size, 1, sizeof text - 2);
	text[size] = '\0';
	(void)fclose(file);
	(void)snprintf(path, sizeof path, SHIPPED "%s", name);
	unit_write(path, text, 0644);
}

/* Whatever the file names as an address is https, and it says whether anybody tried it. */
static void
check_text(const char *name)
{
	static const char *const kinds[] = {"_endpoint = ", "issuer = ", "match = ", "documentation = "};
	char path[UNIT_PATH_MAX], line[512];
	bool tried = false;
	FILE *file;
	size_t i;

	(void)snprintf(path, sizeof path, "%s/%s", UNIT_PROVIDERS, name);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		if (line[0] == '#') {
			tried = tried || strcasestr(line, "tried") != NULL;
			continue;
		}
		for (i = 0; i < RBR_ARRAY_SIZE(kinds); i++) {
			const char *value = strstr(line, kinds[i]);

			if (value && strncmp(value + strlen(kinds[i]), "https://", 8) != 0)
				fail_msg("%s: not https: %s", name, line);
		}
	}
	(void)fclose(file);
	if (!tried && strncmp(name, "oauth2", 6) != 0)
		fail_msg("%s does not say whether it was tried", name);
}

/* A grant that is offered has what it needs. */
static void
check_grants(const char *grants, const struct rbr_account *account)
{
	char grant[64];

	for (; grants && *grants; grants += strcspn(grants, " "), grants += strspn(grants, " ")) {
		(void)snprintf(grant, sizeof grant, "%.*s", (int)strcspn(grants, " "), grants);
		if (strcmp(grant, "authorization_code") == 0)
			assert_non_null(rbr_account_get(account, RBR_KEY_AUTHORIZATION_ENDPOINT));
		else if (strcmp(grant, "device_code") == 0)
			assert_non_null(rbr_account_get(account, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT));
		else if (strcmp(grant, "client_credentials") != 0)
			assert_string_equal(grant, "api_key");
	}
}

static int
try_provider(const char *name, void *data)
{
	RBR_CLEANUP(rbr_provider_wipe) struct rbr_provider provider = RBR_PROVIDER_EMPTY;
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};
	size_t *count = data, i;
	const char *tenant = "";
	char lines[512];

	ship(name);
	check_text(name);
	assert_int_equal(rbr_provider_load(name, &provider, NULL), 0);
	for (i = 0; i < provider.lines.count; i++)
		if (strstr(rbr_message_value(&provider.lines, i), "{tenant}"))
			tenant = "tenant = acme\n";
	(void)snprintf(
		lines, sizeof lines, "provider = %s\n%sgrant = client_credentials\nclient_id = id\n", name, tenant);
	if (unit_account(lines, &account, &error) < 0)
		fail_msg("%s: %s", name, error.detail);
	assert_non_null(rbr_message_get(&provider.lines, "title"));
	unit_assert_contains(rbr_message_get(&provider.lines, "documentation"), "https://");
	check_grants(rbr_message_get(&provider.lines, "grants"), &account);
	rbr_account_wipe(&account);
	(*count)++;
	return 0;
}

static void
every_shipped_file_is_sound(void **state)
{
	struct rbr_names names = {NULL, 0};
	size_t i, count = 0;

	(void)state;
	assert_int_equal(unit_leave(NULL), 0); /* the files of the tests before this one */
	assert_int_equal(unit_enter(NULL), 0);
	assert_int_equal(setenv("RINGBEARER_PROVIDER_DIR", UNIT_PROVIDERS, 1), 0);
	assert_int_equal(rbr_provider_visit(rbr_names_add, &names, NULL), 0);
	assert_int_equal(unit_leave(NULL), 0);
	assert_int_equal(unit_enter(NULL), 0);
	for (i = 0; i < names.count; i++)
		assert_int_equal(try_provider(names.list[i], &count), 0);
	assert_in_range(count, 30, 1000);
	rbr_names_wipe(&names);
}

/* As the vendors' documentation has them. */
static void
blueconic_is_as_documented(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;

	(void)state;
	ship("blueconic");
	assert_int_equal(unit_account("provider = blueconic\ntenant = acme\ngrant = x\n", &account, NULL), 0);
	assert_string_equal(
		rbr_account_get(&account, RBR_KEY_TOKEN_ENDPOINT), "https://acme.blueconic.net/rest/v2/oauth/token");
	assert_string_equal(rbr_account_get(&account, RBR_KEY_AUTHORIZATION_ENDPOINT),
		"https://acme.blueconic.net/rest/v2/oauth/authorize");
	assert_string_equal(rbr_account_get(&account, RBR_KEY_CLIENT_AUTH), "client_secret_post");
	assert_false(rbr_account_yes(&account, RBR_KEY_SEND_SCOPE));
	assert_string_equal(rbr_account_get(&account, RBR_KEY_MATCH), "https://acme.blueconic.net/rest/v2/");
	rbr_account_wipe(&account);
}

static void
bluesonde_is_as_documented(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;

	(void)state;
	ship("bluesonde");
	assert_int_equal(unit_account("provider = bluesonde\ngrant = x\n", &account, NULL), 0);
	assert_string_equal(
		rbr_account_get(&account, RBR_KEY_TOKEN_ENDPOINT), "https://auth.bluesonde.io/oauth2/token");
	assert_string_equal(
		rbr_account_get(&account, RBR_KEY_AUTHORIZATION_ENDPOINT), "https://auth.bluesonde.io/oauth2/auth");
	assert_string_equal(rbr_account_get(&account, RBR_KEY_CLIENT_AUTH), "client_secret_basic");
	rbr_account_wipe(&account);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_file_comes_first),
		cmocka_unit_test(names_are_plain),
		cmocka_unit_test(files_that_others_can_write_are_refused),
		cmocka_unit_test(only_providers_have_their_own_keys),
		cmocka_unit_test(names_in_braces_are_filled_in),
		cmocka_unit_test(the_account_can_override_what_needs_a_tenant),
		cmocka_unit_test(what_cannot_be_filled_in_is_refused),
		cmocka_unit_test(the_result_is_checked),
		cmocka_unit_test(long_values_are_filled_in_whole_or_refused),
		cmocka_unit_test(every_provider_is_visited_once),
		cmocka_unit_test(every_shipped_file_is_sound),
		cmocka_unit_test(blueconic_is_as_documented),
		cmocka_unit_test(bluesonde_is_as_documented),
	};

	return cmocka_run_group_tests_name("provider", tests, unit_enter, unit_leave);
}
