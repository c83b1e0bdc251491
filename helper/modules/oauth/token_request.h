/* SPDX-License-Identifier: MIT */
/* A request to the token endpoint, with the retries that its kind allows. */
#ifndef RBR_TOKEN_REQUEST_H
#define RBR_TOKEN_REQUEST_H

#include "http.h"

#define RBR_TOKEN_REQUEST_RETRIES 2 /* after the first */
#define RBR_RETRY_AFTER_WAIT_MAX_MS 30000 /* the longest wait that a server can ask of a caller */

/* After a refresh whose answer was lost, the longest time in which one more try does no harm: shorter than any published
 * grace period. */
#define RBR_UNCERTAIN_RETRY_MS 5000

/* Adds `resource` and `audience` to BODY as the account has them, and `scope` if WITH_SCOPE (and send_scope is not no). */
int rbr_token_parameters(const struct rbr_oauth *oauth, bool with_scope, struct ringbearer_secret *body)
	__attribute__((warn_unused_result));

/*
 * Adds `resource` and `audience` as the account has them, `scope` too if WITH_SCOPE (and send_scope is not no), and the
 * client's authentication, to PARAMETERS, posts them to the token endpoint and reads the answer.
 *
 * What was not sent, or was turned away with 429 or 503, is tried again as REPLAY allows. RINGBEARER_E_ROTATION_UNCERTAIN
 * if a refresh token may have been used up and no answer came.
 */
int rbr_token_request(const struct rbr_oauth *oauth, const struct ringbearer_secret *client_secret,
	struct ringbearer_secret *parameters, bool with_scope, enum rbr_replay replay,
	struct ringbearer_tokens *ret_tokens) __attribute__((warn_unused_result));

/* Reads the bytes of an answer that was parked. */
int rbr_token_accept(const struct rbr_oauth *oauth, const void *bytes, size_t size,
	struct ringbearer_tokens *ret_tokens) __attribute__((warn_unused_result));

#endif
