/* SPDX-License-Identifier: MIT */
/* Client authentication: one method in each request (RFC 6749 section 2.3). */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "fake-host.h"
#include "modules/oauth/client_auth.h"

/* With CLIENT_ID and SECRET, the body gets BODY and the header is HEADER (NULL: there is none). */
static void
makes(const char *client_id, const char *secret_text, const char *body_text, const char *header_text)
{
	const struct ringbearer_host *host = fake_oauth.host;
	struct ringbearer_secret *secret = secret_text ? host->secret_new(secret_text, strlen(secret_text)) : NULL;
	struct ringbearer_secret *body = host->secret_new("", 0), *header = NULL;

	fake_set(&fake_call, "client_id", client_id);
	assert_int_equal(rbr_client_auth(&fake_oauth, secret, body, &header), 0);
	assert_string_equal(host->secret_data(body), body_text);
	if (header_text)
		assert_string_equal(host->secret_data(header), header_text);
	else
		assert_null(header);
	host->secret_free(secret);
	host->secret_free(body);
	host->secret_free(header);
}

static void
the_vector_of_section_2_3_1(void **state)
{
	(void)state;
	makes("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", "",
		"Authorization: Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
}

/* "a+b%3A" and "c%2Fd%C2%A3", joined by a colon. */
static void
basic_encodes_each_half(void **state)
{
	(void)state;
	makes("a b:", "c/d\xc2\xa3", "", "Authorization: Basic YStiJTNBOmMlMkZkJUMyJUEz");
}

static void
basic_may_be_raw(void **state)
{
	(void)state;
	fake_set(&fake_call, "basic_encoding", "raw");
	makes("a b", "c/d:e", "", "Authorization: Basic YSBiOmMvZDpl");
	fake_set(&fake_call, "basic_encoding", NULL);
	makes("a b", "c/d:e", "", "Authorization: Basic YStiOmMlMkZkJTNBZQ==");
}

static void
post_puts_both_into_the_body(void **state)
{
	(void)state;
	fake_set(&fake_call, "client_auth", "client_secret_post");
	makes("an id", "s&cret=", "client_id=an+id&client_secret=s%26cret%3D", NULL);
}

static void
none_names_the_client_alone(void **state)
{
	(void)state;
	fake_set(&fake_call, "client_auth", "none");
	makes("id", NULL, "client_id=id", NULL);
	/* a secret that is there all the same is not sent */
	makes("id", "unused", "client_id=id", NULL);
}

static void
without_a_client_id_nothing_is_made(void **state)
{
	static const char *const methods[] = {"client_secret_basic", "client_secret_post", "none"};
	const struct ringbearer_host *host = fake_oauth.host;
	struct ringbearer_secret *secret = host->secret_new("topsecret", 9), *body = host->secret_new("", 0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		struct ringbearer_secret *header = secret;

		fake_set(&fake_call, "client_auth", methods[i]);
		assert_int_equal(rbr_client_auth(&fake_oauth, secret, body, &header), RINGBEARER_E_CONFIG);
		assert_null(header);
		assert_string_equal(host->secret_data(body), "");
		unit_assert_contains(fake_call.detail, "`client_id` is not set");
		unit_assert_lacks(fake_call.detail, "topsecret");
	}
	host->secret_free(secret);
	host->secret_free(body);
}

static void
short_memory_is_an_error(void **state)
{
	const struct ringbearer_host *host = fake_oauth.host;
	struct ringbearer_secret *secret = host->secret_new("topsecret", 9), *body = host->secret_new("", 0);
	struct ringbearer_secret *header = NULL;
	int i;

	(void)state;
	fake_set(&fake_call, "client_id", "id");
	for (i = 0; i < 2; i++) {
		fake_fail_secret(i);
		assert_int_equal(rbr_client_auth(&fake_oauth, secret, body, &header), RINGBEARER_E_SYSTEM);
		assert_null(header);
		assert_int_equal(fake_secrets(), 2);
	}
	host->secret_free(secret);
	host->secret_free(body);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_enter, fake_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vector_of_section_2_3_1),
		TEST(basic_encodes_each_half),
		TEST(basic_may_be_raw),
		TEST(post_puts_both_into_the_body),
		TEST(none_names_the_client_alone),
		TEST(without_a_client_id_nothing_is_made),
		TEST(short_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("client-auth", tests, NULL, NULL);
}
