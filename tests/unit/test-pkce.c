/* SPDX-License-Identifier: MIT */
/* Proof keys (RFC 7636). The kernel's random octets are the test's own where it says so. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fake-host.h"
#include "modules/oauth/pkce.h"

#define MANY 10000

/* RFC 7636 appendix B. */
static const unsigned char vector_octets[] = {116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187,
	186, 22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121};
static const char vector_verifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char vector_challenge[] = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

static enum { REAL, VECTOR, NONE } octets;

ssize_t __real_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);

ssize_t
__wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
	if (octets == REAL)
		return __real_getrandom(buffer, size, flags);
	if (octets == NONE)
		return -1;
	assert_int_equal(size, sizeof vector_octets);
	memcpy(buffer, vector_octets, size);
	return (ssize_t)size;
}

static int
enter(void **state)
{
	int rc = fake_enter(state);

	octets = REAL;
	return rc;
}

static void
the_vector_of_appendix_b(void **state)
{
	char verifier[RBR_RANDOM_TEXT_SIZE], challenge[RBR_RANDOM_TEXT_SIZE];

	(void)state;
	octets = VECTOR;
	assert_int_equal(rbr_random_text(&fake_oauth, verifier), 0);
	assert_string_equal(verifier, vector_verifier);
	rbr_pkce_challenge(verifier, challenge);
	assert_string_equal(challenge, vector_challenge);
}

static int
by_text(const void *a, const void *b)
{
	return memcmp(a, b, RBR_RANDOM_TEXT_SIZE);
}

static void
verifiers_differ_and_are_unreserved(void **state)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	char(*texts)[RBR_RANDOM_TEXT_SIZE] = calloc(MANY, sizeof *texts);
	size_t i;

	(void)state;
	assert_non_null(texts);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(rbr_random_text(&fake_oauth, texts[i]), 0);
		assert_int_equal(strlen(texts[i]), 43);
		assert_int_equal(strspn(texts[i], unreserved), 43);
	}
	qsort(texts, MANY, sizeof *texts, by_text);
	for (i = 1; i < MANY; i++)
		assert_string_not_equal(texts[i - 1], texts[i]);
	free(texts);
}

/* FIPS 180-4, and what is around the end of a block. */
static void
hashes_are_those_of_the_standard(void **state)
{
	static const struct {
		size_t size;
		const char *digest; /* its first octets */
	} cases[] = {
		{0, "\xe3\xb0\xc4\x42"},
		{55, "\x9f\x43\x90\xf8"},
		{56, "\xb3\x54\x39\xa4"},
		{63, "\x7d\x3e\x74\xa0"},
		{64, "\xff\xe0\x54\xfe"},
		{65, "\x63\x53\x61\xc4"},
		{1000, "\x41\xed\xec\xe4"},
	};
	unsigned char digest[RBR_SHA256_SIZE];
	char text[1000];
	size_t i;

	(void)state;
	memset(text, 'a', sizeof text);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		rbr_sha256(text, cases[i].size, digest);
		assert_memory_equal(digest, cases[i].digest, 4);
	}
}

static void
no_random_numbers_no_text(void **state)
{
	char verifier[RBR_RANDOM_TEXT_SIZE];

	(void)state;
	octets = NONE;
	assert_int_equal(rbr_random_text(&fake_oauth, verifier), RINGBEARER_E_SYSTEM);
	assert_int_equal(fake_call.code, RINGBEARER_E_SYSTEM);
}

#define TEST(name, function)                      \
	{                                         \
		name, function, enter, NULL, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S0:23 the_vector_of_appendix_b", the_vector_of_appendix_b),
		TEST("S0:23 verifiers_differ_and_are_unreserved", verifiers_differ_and_are_unreserved),
		TEST("hashes_are_those_of_the_standard", hashes_are_those_of_the_standard),
		TEST("no_random_numbers_no_text", no_random_numbers_no_text),
	};

	return cmocka_run_group_tests_name("pkce", tests, NULL, NULL);
}
