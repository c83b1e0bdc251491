/* SPDX-License-Identifier: MIT */
/* What all grants with a refresh token share (RFC 6749 section 6, RFC 7009). */
#ifndef RBR_REFRESH_H
#define RBR_REFRESH_H

#include "oauth.h"

/* Renews with INPUT's refresh token. The scope is sent only where a narrower one is asked for by the request. */
int rbr_refresh(const struct rbr_oauth *oauth, const struct ringbearer_grant_input *input,
	struct ringbearer_tokens *ret_tokens) __attribute__((warn_unused_result));

/* Tells the revocation endpoint to forget TOKEN. 0 if the server says it has (or never knew it).
 * RINGBEARER_E_CONFIG if the account has no such endpoint, RINGBEARER_E_TEMPORARILY_UNAVAILABLE if the token must be taken
 * to be alive, RINGBEARER_E_FORBIDDEN if the server does not revoke tokens of KIND. */
int rbr_revoke(const struct rbr_oauth *oauth, const struct ringbearer_grant_input *input,
	const struct ringbearer_secret *token, const char *kind) __attribute__((warn_unused_result));

#endif
