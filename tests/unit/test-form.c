/* SPDX-License-Identifier: MIT */
/* Form encoding (RFC 6749 appendix B) and base64 (RFC 4648 section 10). */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "fake-host.h"
#include "modules/oauth/form.h"

static void
encodes(const char *value, size_t size, const char *expected)
{
	struct ringbearer_secret *out = fake_oauth.host->secret_new("", 0);

	assert_int_equal(rbr_form_encode(&fake_oauth, out, value, size), 0);
	assert_string_equal(fake_oauth.host->secret_data(out), expected);
	fake_oauth.host->secret_free(out);
}

static void
the_vector_of_appendix_b(void **state)
{
	(void)state;
	encodes(UNIT_BYTES(" %&+\xc2\xa3\xe2\x82\xac"), "+%25%26%2B%C2%A3%E2%82%AC");
}

static void
every_byte_is_encoded(void **state)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	int c;

	(void)state;
	encodes("", 0, "");
	encodes(UNIT_BYTES(unreserved), unreserved);
	for (c = 0; c < 256; c++) {
		const char value[] = {'a', (char)c, 'b'};
		char expected[8];

		if (c == ' ')
			strcpy(expected, "a+b");
		else if (c != 0 && strchr(unreserved, c))
			(void)snprintf(expected, sizeof expected, "a%cb", c);
		else
			(void)snprintf(expected, sizeof expected, "a%%%02Xb", (unsigned)c);
		encodes(value, 3, expected);
		encodes(value + 1, 2, expected + 1);
	}
}

static void
only_the_stated_size_is_read(void **state)
{
	(void)state;
	encodes("abcdef", 3, "abc");
	encodes("a%cdef", 2, "a%25");
}

static void
parameters_are_joined(void **state)
{
	struct ringbearer_secret *out = fake_oauth.host->secret_new("", 0);
	struct ringbearer_secret *secret = fake_oauth.host->secret_new("a=b&c", 5);

	(void)state;
	assert_int_equal(rbr_form_add(&fake_oauth, out, "grant_type", "client_credentials"), 0);
	assert_int_equal(rbr_form_add(&fake_oauth, out, "scope", "a b"), 0);
	assert_int_equal(rbr_form_add_secret(&fake_oauth, out, "client_secret", secret), 0);
	assert_int_equal(rbr_form_add(&fake_oauth, out, "o&dd", "\xc3\xa4"), 0);
	assert_string_equal(fake_oauth.host->secret_data(out),
		"grant_type=client_credentials&scope=a+b&client_secret=a%3Db%26c&o%26dd=%C3%A4");
	fake_oauth.host->secret_free(secret);
	fake_oauth.host->secret_free(out);
}

static void
what_has_no_value_is_not_sent(void **state)
{
	struct ringbearer_secret *out = fake_oauth.host->secret_new("", 0), *empty = fake_oauth.host->secret_new("", 0);

	(void)state;
	assert_int_equal(rbr_form_add(&fake_oauth, out, "a", NULL), 0);
	assert_int_equal(rbr_form_add(&fake_oauth, out, "a", ""), 0);
	assert_int_equal(rbr_form_add_secret(&fake_oauth, out, "a", empty), 0);
	assert_string_equal(fake_oauth.host->secret_data(out), "");
	fake_oauth.host->secret_free(empty);
	fake_oauth.host->secret_free(out);
}

static void
no_secret_is_not_sent(void **state)
{
	struct ringbearer_secret *out = fake_oauth.host->secret_new("", 0);

	(void)state;
	assert_int_equal(rbr_form_add_secret(&fake_oauth, out, "a", NULL), 0);
	assert_string_equal(fake_oauth.host->secret_data(out), "");
	fake_oauth.host->secret_free(out);
}

static void
base64_vectors(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xff\xfe\xfd\xfb\xef\xbe", "//79++++"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ringbearer_secret *out = fake_oauth.host->secret_new(">", 1);

		assert_int_equal(rbr_base64(&fake_oauth, out, cases[i][0], strlen(cases[i][0])), 0);
		assert_string_equal(fake_oauth.host->secret_data(out) + 1, cases[i][1]);
		fake_oauth.host->secret_free(out);
	}
}

static void
base64_takes_any_byte(void **state)
{
	struct ringbearer_secret *out = fake_oauth.host->secret_new("", 0);

	(void)state;
	assert_int_equal(rbr_base64(&fake_oauth, out, "\0\0\0\xff\0", 5), 0);
	assert_string_equal(fake_oauth.host->secret_data(out), "AAAA/wA=");
	fake_oauth.host->secret_free(out);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_enter, fake_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vector_of_appendix_b),
		TEST(every_byte_is_encoded),
		TEST(only_the_stated_size_is_read),
		TEST(parameters_are_joined),
		TEST(what_has_no_value_is_not_sent),
		TEST(base64_vectors),
		TEST(base64_takes_any_byte),
		TEST(no_secret_is_not_sent),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
