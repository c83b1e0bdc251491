/* SPDX-License-Identifier: MIT */
/* Accounts: names, files, layers, and what an account file may not hold. */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/account.h"
#include "cli/names.h"
#include "protocol/fastpath/index.h"
#include "watch.h"

#define USER "config/ringbearer/accounts/"
#define SYSTEM "etc/ringbearer/accounts/"
#define NOBODY 65534

static const char plain[] = "grant = client_credentials\nclient_id = id\n"
			    "token_endpoint = https://auth.example.org/token\n";

static int
load(const char *name, struct rbr_account *account, struct rbr_error *error)
{
	return rbr_account_load(name, account, error);
}

/* Loads the account that TEXT describes. */
static void
take(const char *text, struct rbr_account *account)
{
	struct rbr_error error = {0};

	unit_write(USER "taken", text, 0600);
	if (load("taken", account, &error) < 0)
		fail_msg("%s", error.detail);
}

/* TEXT is refused, with DETAIL. */
static void
refuse(const char *text, const char *detail)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	unit_write(USER "refused", text, 0600);
	assert_int_equal(load("refused", &account, &error), RINGBEARER_E_CONFIG);
	assert_int_equal(account.count, 0);
	unit_assert_contains(error.detail, detail);
}

/* -- names -- */

static void
names_are_short_and_plain(void **state)
{
	static const char *const good[] = {"a", "acme", "A.b_c@d-9", "0", "_x", "@x"};
	static const char *const bad[] = {
		"", ".", "..", ".a", "-a", "a/b", "../a", "a b", "a\n", "\xc3\xa4", "a:b", "a%"};
	char name[67];
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(good); i++)
		assert_int_equal(rbr_account_check_name(good[i], NULL), 0);
	for (i = 0; i < RBR_ARRAY_SIZE(bad); i++)
		assert_int_equal(rbr_account_check_name(bad[i], NULL), RINGBEARER_E_USAGE);
	memset(name, 'a', sizeof name);
	name[64] = '\0';
	assert_int_equal(rbr_account_check_name(name, NULL), 0);
	name[64] = 'a';
	name[65] = '\0';
	assert_int_equal(rbr_account_check_name(name, NULL), RINGBEARER_E_USAGE);
}

/* -- files -- */

static void
the_users_file_comes_before_the_systems(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	unit_write(SYSTEM "both", "grant = api_key\nclient_id = system\n", 0644);
	assert_int_equal(load("both", &account, &error), 0);
	assert_string_equal(rbr_account_get(&account, RBR_KEY_CLIENT_ID), "system");
	assert_string_equal(account.path, SYSTEM "both");
	assert_string_equal(account.name, "both");
	rbr_account_wipe(&account);
	unit_write(USER "both", "grant = api_key\nclient_id = user\n", 0600);
	assert_int_equal(load("both", &account, &error), 0);
	assert_string_equal(rbr_account_get(&account, RBR_KEY_CLIENT_ID), "user");
	rbr_account_wipe(&account);
	assert_int_equal(account.count, 0);
}

static void
an_account_without_a_file_is_none(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_located located;
	struct rbr_error error = {0};

	(void)state;
	assert_int_equal(load("nobody", &account, &error), RINGBEARER_E_NO_ACCOUNT);
	unit_assert_contains(error.detail, "nobody");
	assert_int_equal(rbr_account_locate("nobody", &located, NULL), RINGBEARER_E_NO_ACCOUNT);
	assert_int_equal(rbr_account_locate("../nobody", &located, NULL), RINGBEARER_E_USAGE);
}

static void
the_stamp_changes_with_the_file(void **state)
{
	struct rbr_located first, second;
	char stamp[RBR_STAMP_MAX];

	(void)state;
	unit_write(USER "stamped", plain, 0600);
	assert_int_equal(rbr_account_locate("stamped", &first, NULL), 0);
	assert_int_equal(rbr_account_locate("stamped", &second, NULL), 0);
	assert_string_equal(first.stamp, second.stamp);
	rbr_stamp(first.path, stamp);
	assert_string_equal(first.stamp, stamp);
	unit_write(USER "stamped", "grant = api_key\n", 0600);
	assert_int_equal(rbr_account_locate("stamped", &second, NULL), 0);
	assert_string_not_equal(first.stamp, second.stamp);
	unit_write(USER "other", "grant = api_key\n", 0600);
	assert_int_equal(rename(USER "other", USER "stamped"), 0);
	assert_int_equal(rbr_account_locate("stamped", &first, NULL), 0);
	assert_string_not_equal(first.stamp, second.stamp);
	rbr_stamp("there/is/no/such/file", stamp);
	assert_string_equal(stamp, "-");
}

/* -- defaults -- */

#define USER_DEFAULTS "config/ringbearer/defaults"
#define SYSTEM_DEFAULTS "etc/ringbearer/defaults"

static void
assert_value(const struct rbr_account *account, enum rbr_key key, const char *text, enum rbr_layer layer)
{
	const struct rbr_value *value = rbr_account_value(account, (int)key, 0);

	assert_non_null(value);
	assert_string_equal(value->text, text);
	assert_int_equal(value->layer, layer);
}

static void
defaults_stand_below_provider_and_account(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	unit_write("shipped/prescribing", "title = P\ntimeout = 11\n", 0600);
	unit_write(SYSTEM_DEFAULTS, "# for all\ntimeout = 12\nstore = file\nproxy = none\nip_version = 4\n", 0600);
	unit_write(USER_DEFAULTS, "timeout = 13\nproxy = http://127.0.0.1:1/\nip_version = 6\n", 0600);
	unit_write(USER "defaulted", "grant = api_key\nprovider = prescribing\nip_version = any\n", 0600);
	if (load("defaulted", &account, &error) < 0)
		fail_msg("%s", error.detail);
	assert_value(&account, RBR_KEY_TIMEOUT, "11", RBR_LAYER_PROVIDER);
	assert_value(&account, RBR_KEY_STORE, "file", RBR_LAYER_SYSTEM_DEFAULTS);
	assert_value(&account, RBR_KEY_PROXY, "http://127.0.0.1:1/", RBR_LAYER_USER_DEFAULTS);
	assert_value(&account, RBR_KEY_IP_VERSION, "any", RBR_LAYER_ACCOUNT);
	assert_value(&account, RBR_KEY_PKCE, "S256", RBR_LAYER_DEFAULT);
	assert_int_equal(rbr_account_value(&account, RBR_KEY_STORE, 0)->line, 3);
	rbr_account_wipe(&account);
	assert_int_equal(unlink(USER_DEFAULTS), 0);
	assert_int_equal(unlink(SYSTEM_DEFAULTS), 0);
}

static void
defaults_are_checked_as_an_account_is(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	unit_write(USER "defaulted", "grant = api_key\n", 0600);
	unit_write(USER_DEFAULTS, "timeuot = 13\n", 0600);
	assert_int_equal(load("defaulted", &account, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "defaults, line 1");
	unit_write(USER_DEFAULTS, "client_secret = x\n", 0600);
	assert_int_equal(load("defaulted", &account, &error), RINGBEARER_E_CONFIG);
	unit_write(USER_DEFAULTS, "timeout = 13\n", 0666);
	assert_int_equal(load("defaulted", &account, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "can be written by others");
	assert_int_equal(unlink(USER_DEFAULTS), 0);
}

/* Tokens that were cached under the stamp before are not found any more. */
static void
the_stamp_changes_with_the_defaults(void **state)
{
	static const char *const files[] = {SYSTEM_DEFAULTS, USER_DEFAULTS};
	struct rbr_located before, made, edited, gone;
	size_t i;

	(void)state;
	unit_write(USER "stamped", plain, 0600);
	unit_write(SYSTEM "stamped-there", plain, 0600);
	for (i = 0; i < 2 * RBR_ARRAY_SIZE(files); i++) {
		const char *name = i < RBR_ARRAY_SIZE(files) ? "stamped" : "stamped-there", *file = files[i % 2];

		assert_int_equal(rbr_account_locate(name, &before, NULL), 0);
		unit_write(file, "timeout = 5\n", 0600);
		assert_int_equal(rbr_account_locate(name, &made, NULL), 0);
		assert_string_not_equal(before.stamp, made.stamp);
		unit_write(file, "timeout = 50\n", 0600);
		assert_int_equal(rbr_account_locate(name, &edited, NULL), 0);
		assert_string_not_equal(made.stamp, edited.stamp);
		assert_int_equal(unlink(file), 0);
		assert_int_equal(rbr_account_locate(name, &gone, NULL), 0);
		assert_string_equal(before.stamp, gone.stamp);
	}
}

/* The same size, another inode, and the time of the first: still another file. */
static void
the_stamp_tells_files_of_one_time_apart(void **state)
{
	const struct timespec times[2] = {{1700000000, 1}, {1700000000, 1}},
			      other[2] = {{1700000000, 2}, {1700000000, 2}};
	char first[RBR_STAMP_MAX], second[RBR_STAMP_MAX];

	(void)state;
	unit_write("a", "x", 0600);
	unit_write("b", "x", 0600);
	assert_int_equal(utimensat(AT_FDCWD, "a", times, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, "b", times, 0), 0);
	rbr_stamp("a", first);
	rbr_stamp("b", second);
	assert_string_not_equal(first, second);
	assert_int_equal(utimensat(AT_FDCWD, "a", other, 0), 0);
	rbr_stamp("a", second);
	assert_string_not_equal(first, second);
	(void)usleep(20000); /* a tick of the kernel's clock */
	unit_write("a", "y", 0600); /* in place, of the same size, and with the time that it had: as cp -p does */
	assert_int_equal(utimensat(AT_FDCWD, "a", times, 0), 0);
	rbr_stamp("a", second);
	assert_string_not_equal(first, second);
	unit_write("a", "xy", 0600);
	assert_int_equal(utimensat(AT_FDCWD, "a", times, 0), 0);
	rbr_stamp("a", second);
	assert_string_not_equal(first, second);
}

/* Long numbers, and files of defaults in both places: an account that is chosen by its place is known by all of it. */
static void
the_longest_stamp_is_kept_with_a_choice(void **state)
{
	struct rbr_choice choice = RBR_CHOICE_EMPTY;
	char stamp[RBR_STAMPS_MAX];
	struct rbr_url url;

	(void)state;
	memset(stamp, 'f', sizeof stamp - 1);
	stamp[sizeof stamp - 1] = '\0';
	assert_int_equal(rbr_url_parse(&url, "https://example.com/", "url", NULL), 0);
	rbr_choice_weigh(&choice, &url, NULL, "work", stamp, "", "/");
	assert_string_equal(choice.account, "work");
	assert_string_equal(choice.stamp, stamp);
}

static void
files_that_others_can_write_are_refused(void **state)
{
	static const mode_t modes[] = {0620, 0602, 0666, 0660};
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_located located;
	struct rbr_error error = {0};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(modes); i++) {
		unit_write(USER "writable", plain, modes[i]);
		assert_int_equal(load("writable", &account, &error), RINGBEARER_E_CONFIG);
		unit_assert_contains(error.detail, "can be written by others; run `chmod go-w ");
		assert_int_equal(rbr_account_locate("writable", &located, NULL), RINGBEARER_E_CONFIG);
	}
	unit_write(USER "writable", plain, 0644);
	assert_int_equal(load("writable", &account, &error), 0);
	rbr_account_wipe(&account);
}

static void
files_of_others_are_refused(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	unit_write(USER "foreign", plain, 0644);
	if (geteuid() != 0 || chown(USER "foreign", NOBODY, NOBODY) < 0)
		skip(); /* only root can give a file away; nobody gives it to itself */
	assert_int_equal(load("foreign", &account, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "belongs to another user");
}

static void
only_regular_files_are_read(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};

	(void)state;
	unit_write(USER "folder/x", "", 0600);
	assert_int_equal(load("folder", &account, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "not a regular file");
	assert_int_equal(mkfifo(USER "pipe", 0600), 0);
	assert_int_equal(load("pipe", &account, &error), RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "not a regular file");
}

static void
without_a_home_there_is_a_clear_message(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	char home[UNIT_PATH_MAX + 16];

	(void)state;
	(void)snprintf(home, sizeof home, "%s/home", unit_folder());
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	unit_write("home/.config/ringbearer/accounts/athome", plain, 0600);
	assert_int_equal(load("athome", &account, NULL), 0);
	rbr_account_wipe(&account);
	/* only an absolute path counts */
	assert_int_equal(setenv("XDG_CONFIG_HOME", "config", 1), 0);
	assert_int_equal(load("athome", &account, NULL), 0);
	rbr_account_wipe(&account);
	(void)snprintf(home, sizeof home, "%s/config", unit_folder());
	assert_int_equal(setenv("XDG_CONFIG_HOME", home, 1), 0);
	assert_int_equal(load("athome", &account, NULL), RINGBEARER_E_NO_ACCOUNT);
}

/* -- contents -- */

static void
defaults_are_there(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;

	(void)state;
	take("grant = api_key\n", &account);
	assert_string_equal(rbr_account_get(&account, RBR_KEY_CLIENT_AUTH), "client_secret_basic");
	assert_string_equal(rbr_account_get(&account, RBR_KEY_BASIC_ENCODING), "rfc");
	assert_string_equal(rbr_account_get(&account, RBR_KEY_PKCE), "S256");
	assert_string_equal(rbr_account_get(&account, RBR_KEY_STORE), "secret_service");
	assert_string_equal(rbr_account_get(&account, RBR_KEY_REFRESH_RETRY), "once");
	assert_true(rbr_account_yes(&account, RBR_KEY_SEND_SCOPE));
	assert_true(rbr_account_yes(&account, RBR_KEY_TOKEN_TYPE_REQUIRED));
	assert_int_equal(rbr_account_seconds(&account, RBR_KEY_TIMEOUT), 30);
	assert_int_equal(rbr_account_seconds(&account, RBR_KEY_DEFAULT_EXPIRES_IN), -1);
	assert_null(rbr_account_get(&account, RBR_KEY_SCOPE));
	assert_false(rbr_account_yes(&account, RBR_KEY_SCOPE));
	assert_null(rbr_account_value(&account, -1, 0));
	rbr_account_wipe(&account);
}

static void
values_come_in_layers(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const struct rbr_value *value;

	(void)state;
	unit_write("shipped/layers", "client_auth = none\nscope = a b\naudience = theirs\n", 0644);
	take("provider = layers\ngrant = api_key\n\nscope = c\n", &account);
	value = rbr_account_value(&account, RBR_KEY_CLIENT_AUTH, 0);
	assert_string_equal(value->text, "none");
	assert_int_equal(value->layer, RBR_LAYER_PROVIDER);
	assert_int_equal(value->line, 1);
	value = rbr_account_value(&account, RBR_KEY_SCOPE, 0);
	assert_string_equal(value->text, "c");
	assert_int_equal(value->layer, RBR_LAYER_ACCOUNT);
	assert_int_equal(value->line, 4);
	assert_null(rbr_account_value(&account, RBR_KEY_SCOPE, 1));
	assert_int_equal(rbr_account_override(&account, RBR_KEY_SCOPE, "d", NULL), 0);
	value = rbr_account_value(&account, RBR_KEY_SCOPE, 0);
	assert_string_equal(value->text, "d");
	assert_int_equal(value->layer, RBR_LAYER_REQUEST);
	assert_int_equal(rbr_account_value(&account, RBR_KEY_STORE, 0)->layer, RBR_LAYER_DEFAULT);
	assert_int_equal(rbr_account_override(&account, RBR_KEY_SCOPE, "\x1b", NULL), RINGBEARER_E_CONFIG);
	rbr_account_wipe(&account);
}

static void
some_keys_repeat(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;

	(void)state;
	unit_write("shipped/repeats", "match = https://theirs/\n", 0644);
	take("provider = repeats\ngrant = api_key\nmatch = https://a/\nmatch = https://b/\n", &account);
	assert_string_equal(rbr_account_value(&account, RBR_KEY_MATCH, 0)->text, "https://a/");
	assert_string_equal(rbr_account_value(&account, RBR_KEY_MATCH, 1)->text, "https://b/");
	assert_null(rbr_account_value(&account, RBR_KEY_MATCH, 2)); /* the layer below is covered */
	assert_int_equal(rbr_account_override(&account, RBR_KEY_RESOURCE, "https://x/", NULL), 0);
	assert_int_equal(rbr_account_override(&account, RBR_KEY_RESOURCE, "https://y/", NULL), 0);
	assert_string_equal(rbr_account_value(&account, RBR_KEY_RESOURCE, 1)->text, "https://y/");
	rbr_account_wipe(&account);
}

static void
renewal_ahead_is_seconds_or_a_part(void **state)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;

	(void)state;
	take("grant = api_key\n", &account);
	assert_int_equal(rbr_account_renew_ahead(&account, 3600), 720);
	rbr_account_wipe(&account);
	take("grant = api_key\nrenew_ahead = 90\n", &account);
	assert_int_equal(rbr_account_renew_ahead(&account, 3600), 90);
	rbr_account_wipe(&account);
	take("grant = api_key\nrenew_ahead = 50%\n", &account);
	assert_int_equal(rbr_account_renew_ahead(&account, 315360000), 157680000);
	rbr_account_wipe(&account);
}

static void
mistakes_are_named_with_their_line(void **state)
{
	(void)state;
	refuse("grant = api_key\n# x\nclientid = x\n", "line 3: there is no key `clientid`; did you mean `client_id`?");
	refuse("grant = api_key\ngrant = api_key\n", "line 2: `grant` stands there twice");
	refuse("grant = api_key\nscope =\n", "line 2: `scope` is empty");
	refuse("grant = api_key\ntimeout = soon\n", "line 2: `timeout` cannot be `soon`");
	refuse("grant = api_key\ntoken_endpoint = http://example.org/\n", "line 2: `token_endpoint` must be https");
	refuse("grant api_key\n", "line 1: has no `=`");
	refuse("client_id = x\n", "`grant` is missing");
	refuse("", "`grant` is missing");
	refuse("grant = api_key\nprovider = nothing\n", "there is no provider `nothing`");
	refuse("grant = api_key\nprovider = ..\n", "`..` is no name of a provider");
}

static void
secrets_do_not_belong_into_the_file(void **state)
{
	static const char *const names[] = {"client_secret", "refresh_token", "api_key", "access_token", "password"};
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(names); i++) {
		(void)snprintf(text, sizeof text, "grant = api_key\n%s = hunter2\n", names[i]);
		refuse(text, "line 2: a configuration file must not hold a secret");
		refuse(text, "ringbearer secret");
		unit_write("shipped/leaky", text, 0644);
		refuse("grant = api_key\nprovider = leaky\n", "must not hold a secret");
	}
}

static void
too_many_values_are_refused(void **state)
{
	char text[8192] = "grant = api_key\n";
	size_t i, used = strlen(text);

	(void)state;
	for (i = 0; i < RBR_ACCOUNT_VALUES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "match = https://h%zu/\n", i);
	refuse(text, "more than 128 values");
}

/* -- all of them -- */

static void
every_account_is_visited_once(void **state)
{
	struct rbr_names names = {NULL, 0};
	size_t i, found = 0;

	(void)state;
	unit_write(USER "twice", plain, 0600);
	unit_write(SYSTEM "twice", plain, 0644);
	unit_write(SYSTEM "once", plain, 0644);
	unit_write(USER ".hidden", plain, 0600);
	unit_write(USER "no name~", plain, 0600);
	assert_int_equal(rbr_account_visit(rbr_names_add, &names, NULL), 0);
	rbr_names_sort(&names);
	for (i = 0; i < names.count; i++) {
		found += strcmp(names.list[i], "twice") == 0 || strcmp(names.list[i], "once") == 0;
		assert_true(names.list[i][0] != '.' && !strchr(names.list[i], '~'));
		assert_true(i == 0 || strcmp(names.list[i - 1], names.list[i]) < 0);
	}
	assert_int_equal(found, 2);
	rbr_names_wipe(&names);
	assert_int_equal(names.count, 0);
	rbr_names_sort(&names);
}

/* Whichever allocation fails: an error, no crash, no leak. */
static void
short_memory_is_an_error(void **state)
{
	size_t i, failed = 1;

	(void)state;
	unit_write("shipped/memory", "tenant_domain = example.org\nmatch = https://{tenant}/\n", 0644);
	unit_write(USER "memory", "provider = memory\ntenant = acme\ngrant = api_key\nscope = a\n", 0600);
	for (i = 0; failed > 0; i++) {
		struct rbr_account account = RBR_ACCOUNT_EMPTY;
		int rc;

		watch_fail_after(i);
		rc = load("memory", &account, NULL);
		failed = watch_fail_never();
		if (failed == 0)
			assert_int_equal(rc, 0);
		else
			assert_true(rc < 0);
		rbr_account_wipe(&account);
		assert_true(i < 200);
	}
	assert_true(i > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_short_and_plain),
		cmocka_unit_test(the_users_file_comes_before_the_systems),
		cmocka_unit_test(an_account_without_a_file_is_none),
		cmocka_unit_test(the_stamp_changes_with_the_file),
		cmocka_unit_test(the_stamp_tells_files_of_one_time_apart),
		cmocka_unit_test(defaults_stand_below_provider_and_account),
		cmocka_unit_test(defaults_are_checked_as_an_account_is),
		cmocka_unit_test(the_stamp_changes_with_the_defaults),
		cmocka_unit_test(files_that_others_can_write_are_refused),
		cmocka_unit_test(files_of_others_are_refused),
		cmocka_unit_test(only_regular_files_are_read),
		cmocka_unit_test(without_a_home_there_is_a_clear_message),
		cmocka_unit_test(defaults_are_there),
		cmocka_unit_test(values_come_in_layers),
		cmocka_unit_test(some_keys_repeat),
		cmocka_unit_test(renewal_ahead_is_seconds_or_a_part),
		cmocka_unit_test(the_longest_stamp_is_kept_with_a_choice),
		cmocka_unit_test(mistakes_are_named_with_their_line),
		cmocka_unit_test(secrets_do_not_belong_into_the_file),
		cmocka_unit_test(too_many_values_are_refused),
		cmocka_unit_test(every_account_is_visited_once),
		cmocka_unit_test(short_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("account", tests, unit_enter, unit_leave);
}
