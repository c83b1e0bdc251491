/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "pkce.h"

#include <string.h>
#include <sys/random.h>

#include "modules/oauth/sha256.h"
#include "protocol/writer.h"

#define OCTETS RBR_SHA256_SIZE

void
rbr_base64url(const unsigned char octets[OCTETS], char ret_text[RBR_RANDOM_TEXT_SIZE])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct rbr_writer to = rbr_writer_start(ret_text, RBR_RANDOM_TEXT_SIZE);
	size_t i, j;

	for (i = 0; i < OCTETS; i += 3) {
		unsigned bits = 0;

		for (j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < OCTETS ? octets[i + j] : 0);
		for (j = 0; j < 4 && i + j <= OCTETS; j++)
			rbr_write_char(&to, alphabet[bits >> (18 - 6 * j) & 63]);
	}
}

int
rbr_random_text(const struct rbr_oauth *oauth, char ret_text[RBR_RANDOM_TEXT_SIZE])
{
	unsigned char octets[OCTETS];

	if (getrandom(octets, sizeof octets, 0) != sizeof octets)
		return oauth->host->fail(oauth->call, RINGBEARER_E_SYSTEM, "the kernel gives no random numbers");
	rbr_base64url(octets, ret_text);
	explicit_bzero(octets, sizeof octets);
	return 0;
}

void
rbr_pkce_challenge(const char *verifier, char ret_challenge[RBR_RANDOM_TEXT_SIZE])
{
	unsigned char digest[OCTETS];

	rbr_sha256(verifier, strlen(verifier), digest);
	rbr_base64url(digest, ret_challenge);
}
