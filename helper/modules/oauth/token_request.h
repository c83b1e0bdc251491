/* SPDX-License-Identifier: MIT */
/* A request to the token endpoint, with the retries that its kind allows. */
#ifndef RBR_TOKEN_REQUEST_H
#define RBR_TOKEN_REQUEST_H

#include "oauth.h"

/* May a request be sent again after it may have reached the server? */
enum rbr_replay {
	RBR_REPLAY_SAFE, /* it uses nothing up: client credentials */
	RBR_REPLAY_UNSAFE, /* it may use up a code or a refresh token */
};

#define RBR_TOKEN_REQUEST_RETRIES 2 /* after the first */
#define RBR_RETRY_AFTER_WAIT_MAX_MS 30000 /* the longest wait that a server can ask of a caller */

/* Adds `scope` (unless send_scope = no), `resource` and `audience` as the account has them, and the client's
 * authentication, to PARAMETERS, posts them to the token endpoint and reads the answer. */
int rbr_token_request(const struct rbr_oauth *oauth, const struct ringbearer_secret *client_secret,
	struct ringbearer_secret *parameters, enum rbr_replay replay, struct ringbearer_tokens *ret_tokens)
	__attribute__((warn_unused_result));

#endif
