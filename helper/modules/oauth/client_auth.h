/* SPDX-License-Identifier: MIT */
/* Client authentication (RFC 6749 section 2.3.1): exactly one method in each request, never another one as a second try. */
#ifndef RBR_CLIENT_AUTH_H
#define RBR_CLIENT_AUTH_H

#include "oauth.h"

/* Adds to BODY what the account's `client_auth` puts there, and makes the Authorization header (RET_HEADER, the whole
 * line, NULL if there is none). SECRET may be NULL with `client_auth = none`. RINGBEARER_E_CONFIG. */
int rbr_client_auth(const struct rbr_oauth *oauth, const struct ringbearer_secret *secret,
	struct ringbearer_secret *body, struct ringbearer_secret **ret_header) __attribute__((warn_unused_result));

#endif
