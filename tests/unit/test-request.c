/* SPDX-License-Identifier: MIT */
/* What callers ask for: the request's keys, and what is refused. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/fastpath/challenge.h"
#include "protocol/fastpath/request.h"

static int
understand(struct rbr_request *request, const char *text, struct rbr_error *error)
{
	assert_int_equal(rbr_message_parse(&request->message, text, strlen(text), RBR_DIALECT_WIRE, "the request",
				 RINGBEARER_E_MALFORMED_REQUEST, error),
		0);
	return rbr_request_understand(request, error);
}

static void
take(struct rbr_request *request, const char *text)
{
	struct rbr_error error = {0};

	if (understand(request, text, &error) < 0)
		fail_msg("%s", error.detail);
}

static void
refuse(const char *text, const char *detail)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;
	struct rbr_error error = {0};

	if (understand(&request, text, &error) != RINGBEARER_E_MALFORMED_REQUEST)
		fail_msg("`%s` was taken", text);
	unit_assert_contains(error.detail, "the request: ");
	unit_assert_contains(error.detail, detail);
	rbr_request_wipe(&request);
}

static void
an_account_alone_is_enough(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	take(&request, "account=acme\n");
	assert_string_equal(request.account, "acme");
	assert_false(request.has_url);
	assert_null(request.username);
	assert_null(request.scope);
	assert_int_equal(request.min_valid, -1);
	assert_false(request.interactive);
	assert_false(request.authtype);
	assert_false(request.tells_errors);
	assert_false(request.rejected);
	assert_null(request.wanted_scope);
	assert_string_equal(request.format->name, "git");
	assert_null(rbr_request_named_token(&request));
	rbr_request_wipe(&request);
	assert_null(request.account);
}

static void
every_key_is_understood(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	take(&request,
		"capability[]=authtype\ncapability[]=state\ncapability[]=error\nprotocol=https\nhost=Example.org:8443\n"
		"path=a/b\nusername=jane\nscope=read write\nmin_valid=120\ninteractive=auto\nformat=json\n"
		"unknown=ignored\n");
	assert_null(request.account);
	assert_true(request.has_url);
	assert_string_equal(request.url.host, "example.org");
	assert_int_equal(request.url.port, 8443);
	assert_string_equal(request.url.path, "/a/b");
	assert_string_equal(request.username, "jane");
	assert_string_equal(request.scope, "read write");
	assert_int_equal(request.min_valid, 120);
	assert_true(request.interactive);
	assert_true(request.authtype);
	assert_true(request.tells_errors);
	assert_string_equal(request.format->name, "json");
	rbr_request_wipe(&request);
}

static void
who_or_where_must_be_said(void **state)
{
	(void)state;
	refuse("", "names neither an account nor a URL");
	refuse("scope=a\n", "names neither an account nor a URL");
	refuse("protocol=https\n", "names neither an account nor a URL");
	refuse("host=example.org\n", "names neither an account nor a URL");
}

static void
urls_may_come_in_one_piece(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	take(&request, "url=https://jane@example.org/a?b\n");
	assert_string_equal(request.url.host, "example.org");
	assert_string_equal(request.url.path, "/a");
	assert_string_equal(request.username, "jane");
	rbr_request_wipe(&request);
	take(&request, "url=https://jane@example.org/\nusername=joan\n");
	assert_string_equal(request.username, "joan");
	rbr_request_wipe(&request);
	take(&request, "url=https://jane@example.org/\nusername=\n");
	assert_string_equal(request.username, "jane");
	rbr_request_wipe(&request);
	take(&request, "url=https://one/a\nprotocol=HTTPS\nhost=One:443\n");
	assert_string_equal(request.url.host, "one");
	rbr_request_wipe(&request);
	take(&request, "url=https://one:8443/a\nprotocol=https\n");
	assert_int_equal(request.url.port, 8443);
	rbr_request_wipe(&request);
	/* no network knows such a host, and git wants its password kept */
	take(&request, "protocol=https\nhost=ab%41$:80\n");
	assert_string_equal(request.url.host, "ab%2541%24");
	assert_int_equal(request.url.port, 80);
	rbr_request_wipe(&request);
	take(&request, "protocol=https\nhost=h\n");
	assert_string_equal(request.url.path, "/");
	rbr_request_wipe(&request);
}

static void
broken_urls_are_refused(void **state)
{
	char text[RBR_URL_MAX + 64];

	(void)state;
	refuse("url=https://one/\nprotocol=https\nhost=two\n", "names one place");
	refuse("protocol=https\nhost=a b\n", "host or port");
	refuse("url=https://one/\nhost=two\n", "names one place");
	refuse("url=https://one/\nhost=\n", "names one place");
	refuse("url=https://one/\nhost=one:8443\n", "names one place");
	refuse("url=https://one/\nprotocol=http\n", "names one place");
	refuse("protocol=http\nhost=one\nurl=https://one/\n", "names one place");
	refuse("url=example.org\n", "is no URL");
	refuse("url=\n", "is no URL");
	refuse("protocol=https\nhost=\n", "host or port");
	refuse("protocol=https\nhost=a\tb\n", "host or port");
	refuse("url=https://h/%zz\n", "must be escaped");
	refuse("protocol=\nhost=h\n", "is no URL");
	(void)snprintf(text, sizeof text, "protocol=https\nhost=h\npath=%4096d\n", 1);
	refuse(text, "too long");
}

/* git has taken the escapes out of a path before it sends it. */
static void
paths_need_no_escapes(void **state)
{
	static const struct {
		const char *path, *expected;
	} cases[] = {
		{"a b\tc", "/a%20b%09c"}, {"100%", "/100%25"}, {"%zz%4", "/%25zz%254"}, {"a\\b\x7f", "/a%5Cb%7F"},
		{"\xc3\xbc", "/\xc3\xbc"}, {"%61%2Fb", "/a%2Fb"}, /* what could be an escape is one */
	};
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rbr_request request = RBR_REQUEST_EMPTY;

		(void)snprintf(text, sizeof text, "protocol=https\nhost=h\npath=%s\n", cases[i].path);
		take(&request, text);
		assert_string_equal(request.url.path, cases[i].expected);
		rbr_request_wipe(&request);
	}
}

/* git takes escapes out of the host: https://good.example%23.evil.example/ arrives with a "#", and would be another's. */
static void
host_is_a_host(void **state)
{
	static const char *const hosts[] = {"good.example/x", "good.example#.evil.example",
		"good.example?.evil.example", "good.example@evil.example", "evil.example@good.example",
		"good.example\\.evil.example", "/", "#", "@"};
	static const char *const protocols[] = {"https://good.example/x", "https://good.example#", "https:", "ht/tps"};
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		(void)snprintf(text, sizeof text, "protocol=https\nhost=%s\npath=y\n", hosts[i]);
		refuse(text, "`protocol` or `host` holds more than that");
	}
	for (i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
		(void)snprintf(text, sizeof text, "protocol=%s\nhost=evil.example\n", protocols[i]);
		refuse(text, "`protocol` or `host` holds more than that");
	}
}

static void
choices_have_their_values(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	refuse("account=a\ninteractive=yes\n", "`interactive`");
	refuse("account=a\ninteractive=\n", "`interactive`");
	refuse("account=a\nformat=xml\n", "`format`");
	refuse("account=a\nformat=\n", "`format`");
	take(&request, "account=a\ninteractive=never\nformat=header\n");
	assert_false(request.interactive);
	assert_string_equal(request.format->name, "header");
	rbr_request_wipe(&request);
}

static void
min_valid_is_a_number_of_seconds(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	refuse("account=a\nmin_valid=\n", "`min_valid`");
	refuse("account=a\nmin_valid=-1\n", "`min_valid`");
	refuse("account=a\nmin_valid=soon\n", "`min_valid`");
	refuse("account=a\nmin_valid=1.5\n", "`min_valid`");
	refuse("account=a\nmin_valid=315360001\n", "`min_valid`");
	refuse("account=a\nmin_valid=99999999999999999999\n", "`min_valid`");
	take(&request, "account=a\nmin_valid=0\n");
	assert_int_equal(request.min_valid, 0);
	rbr_request_wipe(&request);
	take(&request, "account=a\nmin_valid=315360000\n");
	assert_int_equal(request.min_valid, 315360000);
	rbr_request_wipe(&request);
}

static void
scopes_have_scope_characters(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	refuse("account=a\nscope=a\"b\n", "`scope`");
	refuse("account=a\nscope=a\\b\n", "`scope`");
	refuse("account=a\nscope=a\tb\n", "`scope`");
	refuse("account=a\nscope=\xc3\xa4\n", "`scope`");
	refuse("account=a\nscope=\x7f\n", "`scope`");
	take(&request, "account=a\nscope=!#[]~ https://x/y.read\n");
	assert_string_equal(request.scope, "!#[]~ https://x/y.read");
	rbr_request_wipe(&request);
	take(&request, "account=a\nscope=\n");
	assert_null(request.scope);
	rbr_request_wipe(&request);
}

static void
resources_come_as_one_or_as_a_list(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;
	size_t cursor = 0;

	(void)state;
	take(&request, "account=a\n");
	assert_null(rbr_request_resource(&request, &cursor));
	rbr_request_wipe(&request);
	cursor = 0;
	take(&request, "account=a\nresource=https://x/\n");
	assert_string_equal(rbr_request_resource(&request, &cursor), "https://x/");
	assert_null(rbr_request_resource(&request, &cursor));
	assert_null(rbr_request_resource(&request, &cursor));
	rbr_request_wipe(&request);
	cursor = 0;
	take(&request, "account=a\nresource[]=https://x/\nresource[]=urn:y\n");
	assert_string_equal(rbr_request_resource(&request, &cursor), "https://x/");
	assert_string_equal(rbr_request_resource(&request, &cursor), "urn:y");
	assert_null(rbr_request_resource(&request, &cursor));
	rbr_request_wipe(&request);
	refuse("account=a\nresource=https://x/#y\n", "`resource`");
	refuse("account=a\nresource[]=https://x/\nresource[]=a b\n", "`resource`");
	refuse("account=a\nresource=\x01\n", "`resource`");
}

static void
the_refused_token_is_named(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	take(&request, "account=a\npassword=p\n");
	assert_string_equal(rbr_request_named_token(&request), "p");
	rbr_request_wipe(&request);
	take(&request, "account=a\npassword=p\ncredential=c\n");
	assert_string_equal(rbr_request_named_token(&request), "c");
	rbr_request_wipe(&request);
}

static void
capabilities_can_be_taken_back(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	take(&request, "capability[]=authtype\ncapability[]=\ncapability[]=error\naccount=a\n");
	assert_false(request.authtype);
	assert_true(request.tells_errors);
	rbr_request_wipe(&request);
	take(&request, "capability=authtype\naccount=a\n");
	assert_false(request.authtype);
	rbr_request_wipe(&request);
}

/* -- challenges -- */

static void
invalid_token_means_rejected(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;

	(void)state;
	take(&request, "account=a\nwwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer error=\"invalid_token\"\n");
	assert_true(request.rejected);
	assert_null(request.wanted_scope);
	rbr_request_wipe(&request);
	take(&request, "account=a\nwwwauth[]=Bearer realm=\"x\"\n");
	assert_false(request.rejected);
	rbr_request_wipe(&request);
	take(&request, "account=a\nwwwauth[]=Bearer error=\"invalid_request\"\n");
	assert_false(request.rejected);
	rbr_request_wipe(&request);
	take(&request, "account=a\nwwwauth[]=Basic error=\"invalid_token\"\n");
	assert_false(request.rejected);
	rbr_request_wipe(&request);
	take(&request, "account=a\nwwwauth[]=Bearer error=\"invalid_token\"\nwwwauth[]=\n");
	assert_false(request.rejected);
	rbr_request_wipe(&request);
}

/* Many services say 401 and no more: who names the token that it was refused, means it. */
static void
a_named_token_with_any_challenge_is_refused(void **state)
{
	static const struct {
		const char *lines;
		bool rejected, login, named;
		int64_t told;
	} cases[] = {
		{"credential=t\nwwwauth[]=Bearer realm=\"x\"\n", true, false, true, 0},
		{"password=t\nwwwauth[]=Basic realm=\"x\"\n", true, false, true, 0},
		{"credential=t\nwwwauth[]=Bearer\n", true, false, true, 0},
		{"credential=t\nwwwauth[]=Bearer error=\"expired_token\"\n", true, false, true, 0},
		{"credential=t\nwwwauth[]=Bearer error=\"insufficient_scope\", scope=\"a\"\n", false, false, true, 0},
		{"credential=t\nwwwauth[]=Bearer error=insufficient_user_authentication, max_age=5\n", false, true,
			true, 0},
		{"credential=t\nwwwauth[]=Bearer error=\"insufficient_claims\", claims=\"e30=\"\n", false, true, true,
			0},
		{"credential=t\n", false, false, false, 0},
		{"credential=t\nwwwauth[]=Bearer\nwwwauth[]=\n", false, false, false, 0},
		{"wwwauth[]=Bearer\nstate[]=ringbearer:1234\n", true, false, false, 1234},
		{"wwwauth[]=Bearer\nstate[]=other:1\nstate[]=ringbearer:1234\nstate[]=x\n", true, false, false, 1234},
		{"wwwauth[]=Bearer\nstate[]=ringbearer:\n", false, false, false, 0},
		{"wwwauth[]=Bearer\nstate[]=ringbearer:-1\nstate[]=ringbearer:1x\n", false, false, false, 0},
		{"wwwauth[]=Bearer\nstate[]=ringbearer:9999999999999999999999\n", false, false, false, 0},
		{"state[]=ringbearer:1234\n", false, false, false, 0},
	};
	char lines[256];
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		struct rbr_request request = RBR_REQUEST_EMPTY;

		(void)snprintf(lines, sizeof lines, "account=a\n%s", cases[i].lines);
		take(&request, lines);
		if (request.rejected != cases[i].rejected || request.wants_login != cases[i].login ||
			(request.refused != NULL) != cases[i].named || request.refused_ms != cases[i].told)
			fail_msg("%s", cases[i].lines);
		rbr_request_wipe(&request);
	}
}

static void
insufficient_scope_names_what_is_wanted(void **state)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;
	char scope[64];

	(void)state;
	take(&request, "account=a\nwwwauth[]=Bearer error=\"insufficient_scope\", scope=\"read write\"\n");
	assert_false(request.rejected);
	assert_non_null(request.wanted_scope);
	assert_true(rbr_challenge_parameter(request.wanted_scope, "scope", scope, sizeof scope));
	assert_string_equal(scope, "read write");
	rbr_request_wipe(&request);
}

/* What a server offers decides how git gets the token. */
static void
basic_is_wanted_where_bearer_is_not_offered(void **state)
{
	static const struct {
		const char *challenges;
		bool basic;
	} cases[] = {
		{"", false},
		{"wwwauth[]=Basic realm=\"x\"\n", true},
		{"wwwauth[]=basic realm=\"x\", charset=\"UTF-8\"\n", true},
		{"wwwauth[]=Bearer realm=\"x\"\n", false},
		{"wwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer realm=\"x\"\n", false},
		{"wwwauth[]=Basic realm=\"x\", bearer realm=\"x\"\n", false},
		{"wwwauth[]=Negotiate\nwwwauth[]=Basic\n", true},
		{"wwwauth[]=Digest realm=\"Basic\", Basic=\"x\"\n", false},
		{"wwwauth[]=Basic realm=\"Bearer\", Bearer=\"x\"\n", true},
		{"wwwauth[]=Basic\nwwwauth[]=\n", false},
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(cases); i++) {
		struct rbr_request request = RBR_REQUEST_EMPTY;

		(void)snprintf(text, sizeof text, "account=a\ncapability[]=authtype\n%s", cases[i].challenges);
		take(&request, text);
		assert_true(request.authtype);
		assert_int_equal(request.wants_basic, cases[i].basic);
		rbr_request_wipe(&request);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_alone_is_enough),
		cmocka_unit_test(every_key_is_understood),
		cmocka_unit_test(who_or_where_must_be_said),
		cmocka_unit_test(urls_may_come_in_one_piece),
		cmocka_unit_test(broken_urls_are_refused),
		cmocka_unit_test(paths_need_no_escapes),
		cmocka_unit_test(host_is_a_host),
		cmocka_unit_test(choices_have_their_values),
		cmocka_unit_test(min_valid_is_a_number_of_seconds),
		cmocka_unit_test(scopes_have_scope_characters),
		cmocka_unit_test(resources_come_as_one_or_as_a_list),
		cmocka_unit_test(the_refused_token_is_named),
		cmocka_unit_test(capabilities_can_be_taken_back),
		cmocka_unit_test(invalid_token_means_rejected),
		cmocka_unit_test(a_named_token_with_any_challenge_is_refused),
		cmocka_unit_test(insufficient_scope_names_what_is_wanted),
		cmocka_unit_test(basic_is_wanted_where_bearer_is_not_offered),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
