/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "pkce.h"

#include <glib.h>
#include <string.h>
#include <sys/random.h>

#include "protocol/writer.h"

#define OCTETS 32

/* RFC 4648 section 5, without padding; 32 octets make 43 characters. */
static void
base64url(const unsigned char octets[OCTETS], char text[RBR_RANDOM_TEXT_SIZE])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct rbr_writer to = rbr_writer_start(text, RBR_RANDOM_TEXT_SIZE);
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
	base64url(octets, ret_text);
	explicit_bzero(octets, sizeof octets);
	return 0;
}

void
rbr_pkce_challenge(const char *verifier, char ret_challenge[RBR_RANDOM_TEXT_SIZE])
{
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
	unsigned char digest[OCTETS];
	gsize size = sizeof digest;

	g_checksum_update(checksum, (const guchar *)verifier, (gssize)strlen(verifier));
	g_checksum_get_digest(checksum, digest, &size);
	g_checksum_free(checksum);
	base64url(digest, ret_challenge);
}
