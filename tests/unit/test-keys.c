/* SPDX-License-Identifier: MIT */
/* The table of account keys, and which values each takes. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "accounts/keys.h"

static int
check(const char *name, const char *text, struct rbr_error *error)
{
	int key = rbr_key_find(name);

	assert_true(key >= 0);
	return rbr_key_check(&rbr_keys[key], text, "here", error);
}

static void
takes(const char *name, const char *text)
{
	struct rbr_error error = {0};

	if (check(name, text, &error) != 0)
		fail_msg("%s = `%s`: %s", name, text, error.detail);
}

static void
refuses(const char *name, const char *text)
{
	struct rbr_error error = {0};

	if (check(name, text, &error) != RINGBEARER_E_CONFIG)
		fail_msg("%s = `%s` was taken", name, text);
	unit_assert_contains(error.detail, "here: ");
	unit_assert_contains(error.detail, name);
}

static const char *
nearest_to(const char *name)
{
	static struct rbr_nearest nearest;

	nearest = RBR_NEAREST(name);
	rbr_key_nearest(&nearest);
	return nearest.name;
}

static void
the_table_is_sound(void **state)
{
	int key, other;

	(void)state;
	for (key = 0; key < RBR_KEYS; key++) {
		const struct rbr_key_info *info = &rbr_keys[key];

		assert_int_equal(rbr_key_find(info->name), key);
		assert_string_equal(nearest_to(info->name), info->name);
		assert_string_not_equal(info->help, "");
		assert_string_not_equal(info->placeholder, "");
		if (info->initial)
			takes(info->name, info->initial);
		for (other = 0; other < key; other++)
			assert_string_not_equal(rbr_keys[other].name, info->name);
	}
	assert_true(rbr_keys[RBR_KEY_MATCH].repeats);
	assert_true(rbr_keys[RBR_KEY_RESOURCE].repeats);
	assert_false(rbr_keys[RBR_KEY_TOKEN_ENDPOINT].repeats);
	assert_int_equal(rbr_key_find("client_secret"), -1);
	assert_int_equal(rbr_key_find(""), -1);
	assert_int_equal(rbr_key_find("client-id"), -1);
}

static void
the_nearest_key_is_a_good_guess(void **state)
{
	(void)state;
	assert_string_equal(nearest_to("clientid"), "client_id");
	assert_string_equal(nearest_to("client-id"), "client_id");
	assert_string_equal(nearest_to("tokn_endpoint"), "token_endpoint");
	assert_string_equal(nearest_to("scopes"), "scope");
	assert_string_equal(nearest_to("macth"), "match");
	assert_non_null(nearest_to(""));
	assert_non_null(nearest_to("a name that is much longer than any key could ever be, so long that "
				   "it goes past every row"));
}

static void
only_what_looks_alike_may_have_been_meant(void **state)
{
	static const char *const words[][2] = {{"lst", "list"}, {"jsn", "json"}, {"githb", "github"}, {"acmee", "acme"},
		{"apikey", "api_key"}, {"tokenendpoint", "token-endpoint"}};
	static const char *const others[][2] = {
		{"nonsense", "list"}, {"", "a"}, {"b", "a"}, {"two", "list"}, {"gitea", "github"}};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(words); i++) {
		struct rbr_nearest nearest = RBR_NEAREST(words[i][0]);

		assert_false(rbr_nearest_fits(&nearest));
		rbr_nearest_try(&nearest, words[i][1]);
		assert_true(rbr_nearest_fits(&nearest));
		rbr_nearest_try(&nearest, "something that is far away");
		assert_string_equal(nearest.name, words[i][1]);
	}
	for (i = 0; i < RBR_ARRAY_SIZE(others); i++) {
		struct rbr_nearest nearest = RBR_NEAREST(others[i][0]);

		rbr_nearest_try(&nearest, others[i][1]);
		assert_false(rbr_nearest_fits(&nearest));
	}
}

static void
a_comment_is_no_part_of_a_value(void **state)
{
	static const char *const comments[] = {
		"acme # production", "acme #production", "acme\t# x", "#", "# x", "a# b #", "#\tx"};
	static const char *const values[] = {"a#b", "#b", "a#", "#a c#d", "a b#"};
	struct rbr_error error = {0};
	size_t i;
	int key;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(comments); i++)
		for (key = 0; key < RBR_KEYS; key++) { /* whatever else it may have */
			assert_int_equal(rbr_key_check_written(&rbr_keys[key], comments[i], "here", &error),
				RINGBEARER_E_CONFIG);
			unit_assert_contains(error.detail, "here: a comment behind the value of");
		}
	for (i = 0; i < RBR_ARRAY_SIZE(values); i++)
		assert_int_equal(rbr_key_check_written(&rbr_keys[RBR_KEY_SCOPE], values[i], "here", &error), 0);
}

static void
nothing_may_be_empty(void **state)
{
	int key;

	(void)state;
	for (key = 0; key < RBR_KEYS; key++)
		refuses(rbr_keys[key].name, "");
}

static void
endpoints_are_https_or_loopback(void **state)
{
	static const char *const names[] = {"token_endpoint", "authorization_endpoint", "revocation_endpoint",
		"device_authorization_endpoint", "issuer"};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(names); i++) {
		takes(names[i], "https://example.org/token");
		takes(names[i], "https://example.org:8443/token?audience=x");
		takes(names[i], "http://127.0.0.1:8080/token");
		takes(names[i], "http://[::1]:8080/token");
		refuses(names[i], "http://example.org/token");
		refuses(names[i], "http://localhost/token");
		refuses(names[i], "https://example.org/token#fragment");
		refuses(names[i], "https://jane@example.org/token");
		refuses(names[i], "https://jane:secret@example.org/token");
		refuses(names[i], "example.org/token");
		refuses(names[i], "ftp://example.org:21/");
		refuses(names[i], "https://example.org/a b");
	}
}

/* A token goes where `match` says: http is for loopback literals, as it is for endpoints. */
static void
matches_are_urls(void **state)
{
	(void)state;
	takes("match", "https://example.org/api/");
	takes("match", "http://127.0.0.1:8080/");
	takes("match", "ssh://example.org/");
	refuses("match", "http://example.org/");
	refuses("match", "http://localhost/");
	takes("match", "https://example.org:8443");
	refuses("match", "example.org");
	refuses("match", "https://jane@example.org/");
	refuses("match", "https://");
}

static void
words_have_no_odd_characters(void **state)
{
	(void)state;
	takes("tenant", "acme");
	takes("tenant", "acme-1.example.org:8443");
	takes("tenant", "[::1]");
	takes("provider", "blue_conic~");
	takes("tenant", "git.example.org/forge");
	takes("tenant", "git.example.org:8443/a/b.c");
	takes("tenant", "localhost:3000/forge");
	refuses("tenant", "acme/x");
	refuses("tenant", "git.example.org/");
	refuses("tenant", "/git.example.org");
	refuses("tenant", "git.example.org//x");
	refuses("tenant", "git.example.org/../x");
	refuses("tenant", "git.example.org/a/.");
	refuses("tenant", "git.example.org/a?b");
	refuses("provider", "git.example.org/forge");
	refuses("tenant", "acme x");
	refuses("tenant", "acme@x");
	refuses("tenant", "acme?x");
	refuses("tenant", "acme#x");
	refuses("tenant", "{x}");
	refuses("tenant", "\xc3\xa4");
	refuses("grant", "../x");
	refuses("store", "a%2f");
}

static void
seconds_are_from_1_to_86400(void **state)
{
	static const char *const names[] = {"timeout", "default_expires_in", "renew_ahead"};
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(names); i++) {
		takes(names[i], "1");
		takes(names[i], "86400");
		refuses(names[i], "0");
		refuses(names[i], "86401");
		refuses(names[i], "-1");
		refuses(names[i], "+1");
		refuses(names[i], "1s");
		refuses(names[i], " 1");
		refuses(names[i], "1.5");
		refuses(names[i], "99999999999999999999");
		refuses(names[i], "18446744073709551617");
	}
	refuses("timeout", "20%");
}

static void
ahead_may_be_a_percentage(void **state)
{
	(void)state;
	takes("renew_ahead", "1%");
	takes("renew_ahead", "99%");
	refuses("renew_ahead", "0%");
	refuses("renew_ahead", "100%");
	refuses("renew_ahead", "20%%");
	refuses("renew_ahead", "20 %");
	refuses("renew_ahead", "%");
	refuses("renew_ahead", "-5%");
}

static void
choices_are_whole_words(void **state)
{
	(void)state;
	takes("client_auth", "client_secret_basic");
	takes("client_auth", "client_secret_post");
	takes("client_auth", "none");
	refuses("client_auth", "client_secret");
	refuses("client_auth", "client_secret_basic|none");
	refuses("client_auth", "None");
	refuses("client_auth", "nonee");
	refuses("client_auth", "|");
	takes("basic_encoding", "rfc");
	takes("basic_encoding", "raw");
	refuses("basic_encoding", "both");
	takes("pkce", "S256");
	refuses("pkce", "plain");
	refuses("pkce", "s256");
	takes("ip_version", "4");
	takes("ip_version", "any");
	refuses("ip_version", "46");
	takes("send_scope", "yes");
	takes("send_scope", "no");
	refuses("send_scope", "true");
	refuses("send_scope", "yes|no");
	takes("refresh_retry", "never");
	refuses("refresh_retry", "twice");
}

static void
paths_are_absolute(void **state)
{
	(void)state;
	takes("ca_file", "/etc/ssl/ca.pem");
	refuses("ca_file", "ca.pem");
	refuses("ca_file", "./ca.pem");
	refuses("ca_file", "~/ca.pem");
}

static void
units_are_named_with_their_type(void **state)
{
	(void)state;
	takes("allow_unit", "backup.service");
	takes("allow_unit", "backup@.service");
	takes("allow_unit", "backup@a\\x2db.service");
	takes("allow_unit", "srv-data.mount");
	refuses("allow_unit", "backup");
	refuses("allow_unit", ".service");
	refuses("allow_unit", "*.service ");
	refuses("allow_unit", "back*.service");
	refuses("allow_unit", "a/b.service");
	refuses("allow_unit", "backup.timer");
}

static void
text_has_no_control_characters(void **state)
{
	char text[] = "a?b";
	int c;

	(void)state;
	takes("client_id", "any text, 100% \xc3\xa4 {of} \"it\"");
	for (c = 1; c < 0x20; c++) {
		text[1] = (char)c;
		if (c != '\t')
			refuses("client_id", text);
	}
	refuses("client_id", "a\x7f");
	refuses("scope", "\x1b[2J");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(the_nearest_key_is_a_good_guess),
		cmocka_unit_test(only_what_looks_alike_may_have_been_meant),
		cmocka_unit_test(a_comment_is_no_part_of_a_value),
		cmocka_unit_test(nothing_may_be_empty),
		cmocka_unit_test(endpoints_are_https_or_loopback),
		cmocka_unit_test(matches_are_urls),
		cmocka_unit_test(words_have_no_odd_characters),
		cmocka_unit_test(seconds_are_from_1_to_86400),
		cmocka_unit_test(ahead_may_be_a_percentage),
		cmocka_unit_test(choices_are_whole_words),
		cmocka_unit_test(paths_are_absolute),
		cmocka_unit_test(units_are_named_with_their_type),
		cmocka_unit_test(text_has_no_control_characters),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
