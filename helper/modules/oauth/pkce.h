/* SPDX-License-Identifier: MIT */
/* Proof keys (RFC 7636, method S256) and the random values of an authorization request. */
#ifndef RBR_PKCE_H
#define RBR_PKCE_H

#include "modules/oauth/oauth.h"
#include "modules/oauth/sha256.h"

#define RBR_RANDOM_TEXT_SIZE 44 /* 32 octets in base64url without padding, and a NUL */

/* RFC 4648 section 5, without padding. */
void rbr_base64url(const unsigned char octets[RBR_SHA256_SIZE], char ret_text[RBR_RANDOM_TEXT_SIZE]);

/* 32 fresh random octets as 43 characters: a code verifier (section 4.1), or a state. RINGBEARER_E_SYSTEM. */
int rbr_random_text(const struct rbr_oauth *oauth, char ret_text[RBR_RANDOM_TEXT_SIZE])
	__attribute__((warn_unused_result));

/* BASE64URL(SHA256(VERIFIER)) (section 4.2). */
void rbr_pkce_challenge(const char *verifier, char ret_challenge[RBR_RANDOM_TEXT_SIZE]);

#endif
