/* SPDX-License-Identifier: MIT */
/* What a token endpoint's answer means (RFC 6749 sections 5.1 and 5.2, and what servers really send). */
#ifndef RBR_TOKEN_RESPONSE_H
#define RBR_TOKEN_RESPONSE_H

#include "http.h"

#define RBR_EXPIRES_IN_MAX (INT64_C(10) * 365 * 86400) /* seconds; more is not believed */

/* Fills RET_TOKENS, or says why there are none. A JSON `error` counts before the status: some servers send one with
 * 200 or 403. Nothing that the server wrote reaches the message without having been cleaned. */
int rbr_token_response(const struct rbr_oauth *oauth, const struct rbr_http_answer *answer,
	struct ringbearer_tokens *ret_tokens) __attribute__((warn_unused_result));

/* Looks for a refresh token in an answer that cannot be read as a whole (cut, too long, broken): by now the server may know no
 * other. Only one that stands there once, complete and clean is believed. */
void rbr_token_salvage(
	const struct rbr_oauth *oauth, const struct ringbearer_secret *body, struct ringbearer_tokens *ret_tokens);

#endif
