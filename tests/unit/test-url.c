/* SPDX-License-Identifier: MIT */
/* URLs: taken apart, made comparable, and what may be sent where. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/fastpath/url.h"

static struct rbr_url
parse(const char *text)
{
	struct rbr_url url;
	struct rbr_error error = {0};

	if (rbr_url_parse(&url, text, "it", &error) < 0)
		fail_msg("`%s`: %s", text, error.detail);
	return url;
}

static void
refuse(const char *text)
{
	struct rbr_url url;
	struct rbr_error error = {0};

	if (rbr_url_parse(&url, text, "the key", &error) != RINGBEARER_E_CONFIG)
		fail_msg("`%s` was taken", text);
	assert_int_equal(error.code, RINGBEARER_E_CONFIG);
	unit_assert_contains(error.detail, "the key: ");
	assert_int_equal(rbr_url_parse(&url, text, "the key", NULL), RINGBEARER_E_CONFIG);
}

static void
urls_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *scheme, *host, *path, *username;
		unsigned port;
	} cases[] = {
		{"https://example.org", "https", "example.org", "/", "", 443},
		{"https://example.org/", "https", "example.org", "/", "", 443},
		{"http://example.org/a/b", "http", "example.org", "/a/b", "", 80},
		{"https://example.org:8443/a", "https", "example.org", "/a", "", 8443},
		{"https://example.org:443/a", "https", "example.org", "/a", "", 443},
		{"https://example.org:/a", "https", "example.org", "/a", "", 443},
		{"ssh://example.org:22/a", "ssh", "example.org", "/a", "", 22},
		{"ssh://example.org/a", "ssh", "example.org", "/a", "", 0},
		{"git+ssh-1.0://example.org/a", "git+ssh-1.0", "example.org", "/a", "", 0},
		{"HTTPS://EXAMPLE.Org/Path", "https", "example.org", "/Path", "", 443},
		{"https://jane@example.org/", "https", "example.org", "/", "jane", 443},
		{"https://jane:secret@example.org:1/", "https", "example.org", "/", "jane", 1},
		{"https://a@b@example.org/", "https", "example.org", "/", "a@b", 443},
		{"https://@example.org/", "https", "example.org", "/", "", 443},
		{"https://[::1]:65535/x", "https", "[::1]", "/x", "", 65535},
		{"https://[2001:DB8::1]", "https", "[2001:db8::1]", "/", "", 443},
		{"https://example.org?query=/x", "https", "example.org", "/", "", 443},
		{"https://example.org#fragment", "https", "example.org", "/", "", 443},
		{"https://example.org/a?b/c#d", "https", "example.org", "/a", "", 443},
		{"https://example.org/a@b:c", "https", "example.org", "/a@b:c", "", 443},
		{"cert:///home/jane/key.pem", "cert", "", "/home/jane/key.pem", "", 0},
		{"https://my_host-1.example/~x", "https", "my_host-1.example", "/~x", "", 443},
		/* a final dot is no other host; a second one is */
		{"https://Example.org./a", "https", "example.org", "/a", "", 443},
		{"https://example.org.:8443/a", "https", "example.org", "/a", "", 8443},
		{"https://example.org..", "https", "example.org..", "/", "", 443},
		{"https://./", "https", ".", "/", "", 443},
		/* escapes and Unicode; what is not seen, or is no UTF-8, stays escaped */
		{"https://ex%41mple%2Eorg/", "https", "example.org", "/", "", 443},
		{"https://b\xc3\xbc"
		 "cher.example/",
			"https",
			"b\xc3\xbc"
			"cher.example",
			"/", "", 443},
		{"https://b%C3%BCcher.example/", "https",
			"b\xc3\xbc"
			"cher.example",
			"/", "", 443},
		{"https://b\xe2\x80\xae"
		 "x.example/",
			"https", "b%e2%80%aex.example", "/", "", 443},
		{"https://b%FCcher.example/", "https", "b%fccher.example", "/", "", 443},
		{"https://a%24b.example/", "https", "a%24b.example", "/", "", 443},
		{"https://[FE80::1%25Eth0]:3000/", "https", "[fe80::1%25eth0]", "/", "", 3000},
		{"https://[fe80::1%eth0]/", "https", "[fe80::1%25eth0]", "/", "", 443},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rbr_url url = parse(cases[i].text);

		assert_string_equal(url.scheme, cases[i].scheme);
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.path, cases[i].path);
		assert_string_equal(url.username, cases[i].username);
		assert_int_equal(url.port, cases[i].port);
	}
}

static void
what_is_no_url_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"example.org",
		"//example.org/",
		"://example.org/",
		"https:/example.org",
		"https://",
		"https:///path",
		"https://:443/",
		"https://jane@/",
		"https://example.org:0/",
		"https://example.org:65536/",
		"https://example.org:99999999999999999999/",
		"https://example.org:44x/",
		"https://example.org:-1/",
		"https://example.org: 443/",
		"https://exa mple.org/",
		"https://example.org\\@evil.example/",
		"https://example.org:443:443/",
		"https://[::1/",
		"https://[::1]x/",
		"https://::1/",
		"https://example.org/a b",
		"https://example.org/a\tb",
		"https://example.org/a\x01",
		"https://example.org/a\x7f",
		"https://example.org/a\\b",
		"https://example.org/%",
		"https://example.org/%4",
		"https://example.org/%4x",
		"https://example.org/%x4",
		"averyveryverylongscheme://example.org/",
		"evil.example/x://example.org/",
		"https#://example.org/",
		"ht tps://example.org/",
		"1https://example.org/",
		"+https://example.org/",
		"http\x1bs://example.org/",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		refuse(cases[i]);
}

static void
lengths_are_bounded(void **state)
{
	char text[RBR_URL_MAX + 1];
	struct rbr_url url;

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "https://h/", 10);
	text[RBR_URL_MAX] = '\0';
	refuse(text);
	text[RBR_URL_MAX - 1] = '\0';
	url = parse(text);
	assert_int_equal(strlen(url.path), RBR_URL_MAX - 1 - 9);
	memcpy(text, "https://aa", 10);
	text[8 + sizeof url.host] = '\0';
	refuse(text);
	text[8 + sizeof url.host - 1] = '\0';
	url = parse(text);
	assert_int_equal(strlen(url.host), sizeof url.host - 1);
	text[8 + sizeof url.host - 1] = 'a';
	(void)snprintf(text + 8 + sizeof url.username, 8, "@h/");
	refuse(text);
	(void)snprintf(text + 8 + sizeof url.username - 1, 8, "@h/");
	url = parse(text);
	assert_int_equal(strlen(url.username), sizeof url.username - 1);
}

/* A user name in a URL is escaped (RFC 3986 section 3.2.1); in the message's `username` it is not. */
static void
user_names_are_unescaped(void **state)
{
	(void)state;
	assert_string_equal(parse("https://jane%40example.org@example.org/").username, "jane@example.org");
	assert_string_equal(parse("https://a%2Fb%3a:x%40y@example.org/").username, "a/b:");
	refuse("https://a%2fb.example/");
	refuse("https://a%40b.example/");
	refuse("https://a%00b.example/");
	refuse("https://a%3a80/");
	refuse("https://a%5cb.example/");
	refuse("https://a%2/");
	refuse("https://a b.example/");
	refuse("https://[fe80::1%eth%0]/");
	refuse("https://[fe80::1%25eth0");
	refuse("https://a%00b@example.org/");
	refuse("https://a%0ab@example.org/");
	refuse("https://a%zz@example.org/");
}

static void
paths_are_normalized(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"/%41%7e%2D%5f%2e%30", "/A~-_.0"}, {"/%2f%3a%c3%a4%20", "/%2F%3A%C3%A4%20"}, {"/a/./b", "/a/b"},
		{"/a/../b", "/b"}, {"/a/b/../../c", "/c"}, {"/../../a", "/a"}, {"/..", "/"}, {"/.", "/"},
		{"/a/..", "/"}, {"/a/.", "/a/"}, {"/a/b/..", "/a/"}, {"/a/%2e%2E/b", "/b"}, {"/a/.%2e/b", "/b"},
		{"/a//b", "/a//b"}, {"/a//../b", "/a/b"}, {"/...", "/..."}, {"/a/..b/.c", "/a/..b/.c"},
		{"/a%2f..%2fb", "/a%2F..%2Fb"}, {"//", "//"}, {"/a/b/c/./../../g", "/a/g"}, /* RFC 3986 section 5.2.4 */
	};
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(text, sizeof text, "https://h%s", cases[i].text);
		assert_string_equal(parse(text).path, cases[i].path);
		(void)snprintf(text, sizeof text, "https://h%s?x/../y", cases[i].text);
		assert_string_equal(parse(text).path, cases[i].path);
	}
}

static long
covers(const char *prefix, const char *text)
{
	struct rbr_url a = parse(prefix), b = parse(text);

	return rbr_url_covers(&a, &b);
}

static void
prefixes_cover_whole_segments(void **state)
{
	(void)state;
	assert_int_equal(covers("https://h", "https://h"), 0);
	assert_int_equal(covers("https://h", "https://h/any/thing"), 0);
	assert_int_equal(covers("https://h/a", "https://h/a"), 2);
	assert_int_equal(covers("https://h/a", "https://h/a/"), 2);
	assert_int_equal(covers("https://h/a", "https://h/a/b"), 2);
	assert_int_equal(covers("https://h/a/", "https://h/a"), 2);
	assert_int_equal(covers("https://h/a/", "https://h/a/b"), 2);
	assert_int_equal(covers("https://h/a/b", "https://h/a/b/c?x#y"), 4);
	assert_int_equal(covers("https://h/a", "https://h/ab"), -1);
	assert_int_equal(covers("https://h/a/", "https://h/ab"), -1);
	assert_int_equal(covers("https://h/a/b", "https://h/a"), -1);
	assert_int_equal(covers("https://h/a", "https://h/"), -1);
	assert_int_equal(covers("https://h/a", "https://h/A"), -1);
	assert_int_equal(covers("https://h/a", "https://h/b/../a/x"), 2);
	assert_int_equal(covers("https://h/a", "https://h/a/../b"), -1);
	assert_int_equal(covers("https://h/a", "https://h/a/%2e%2e/b"), -1);
	assert_int_equal(covers("https://h/a", "https://h/a%2Fb"), -1);
	assert_int_equal(covers("https://h/%61", "https://h/a"), 2);
}

static void
paths_alone_can_be_compared(void **state)
{
	(void)state;
	assert_int_equal(rbr_url_path_covers("/a/", "/a/b"), 2);
	assert_int_equal(rbr_url_path_covers("/", "/b"), 0);
	assert_int_equal(rbr_url_path_covers("/a", "/ab"), -1);
}

static void
scheme_host_and_port_must_be_the_same(void **state)
{
	(void)state;
	assert_int_equal(covers("https://h/", "http://h/"), -1);
	assert_int_equal(covers("https://h/", "http://h:443/"), -1);
	assert_int_equal(covers("https://h/", "https://h:8443/"), -1);
	assert_int_equal(covers("https://h/", "https://x.h/"), -1);
	assert_int_equal(covers("https://h/", "https://h.x/"), -1);
	assert_int_equal(covers("https://H:443/", "HTTPS://h/"), 0);
	assert_int_equal(covers("https://h:8443/", "https://h:8443/a"), 0);
}

static void
origins_have_their_port(void **state)
{
	char origin[RBR_URL_MAX];
	struct rbr_url url;

	(void)state;
	url = parse("HTTPS://jane:x@Example.org/a");
	rbr_url_origin(&url, origin, sizeof origin);
	assert_string_equal(origin, "https://example.org:443");
	url = parse("http://[::1]:8080/a");
	rbr_url_origin(&url, origin, sizeof origin);
	assert_string_equal(origin, "http://[::1]:8080");
}

static void
secrets_go_to_https_and_loopback_literals(void **state)
{
	static const char *const safe[] = {
		"https://example.org/",
		"HTTPS://example.org/",
		"http://127.0.0.1/",
		"http://127.0.0.1:8080/",
		"http://127.255.255.254/",
		"http://[::1]/",
		"http://[::1]:8080/",
	};
	static const char *const unsafe[] = {
		"http://example.org/",
		"http://localhost/",
		"http://128.0.0.1/",
		"http://127.0.0.1.example.org/",
		"http://127.0.0.1.1/",
		"http://127.0.0/",
		"http://127.0.0.256/",
		"http://127.0.0.1x/",
		"http://127.0.0.0001/",
		"http://127.-0.0.1/",
		"http://127.0.0.-1/",
		"http://127.example.org/",
		"http://[::2]/",
		"http://[::1:1]/",
		"http://[::ffff:10.0.0.1]/",
		"http://0.0.0.0/",
		"ftp://127.0.0.1:21/",
		"httpss://h:1/",
		"http://127.0.0.1@example.org/",
	};
	struct rbr_url url;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof safe / sizeof safe[0]; i++) {
		url = parse(safe[i]);
		if (!rbr_url_is_safe(&url))
			fail_msg("`%s` counts as unsafe", safe[i]);
	}
	for (i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
		url = parse(unsafe[i]);
		if (rbr_url_is_safe(&url))
			fail_msg("`%s` counts as safe", unsafe[i]);
	}
}

static void
a_failure_leaves_the_result_alone(void **state)
{
	struct rbr_url url = parse("https://example.org/a");

	(void)state;
	assert_int_equal(rbr_url_parse(&url, "https://other:x/b", "it", NULL), RINGBEARER_E_CONFIG);
	assert_string_equal(url.host, "example.org");
	assert_string_equal(url.path, "/a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(what_is_no_url_is_refused),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(user_names_are_unescaped),
		cmocka_unit_test(paths_are_normalized),
		cmocka_unit_test(prefixes_cover_whole_segments),
		cmocka_unit_test(paths_alone_can_be_compared),
		cmocka_unit_test(scheme_host_and_port_must_be_the_same),
		cmocka_unit_test(origins_have_their_port),
		cmocka_unit_test(secrets_go_to_https_and_loopback_literals),
		cmocka_unit_test(a_failure_leaves_the_result_alone),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
