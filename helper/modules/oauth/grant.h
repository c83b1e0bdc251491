/* SPDX-License-Identifier: MIT */
/* What the OAuth grants have in common: their host, their entry point, and the life of a standing grant after the login.
 * Each grant is a module of its own and defines rbr_grant_module. */
#ifndef RBR_GRANT_H
#define RBR_GRANT_H

#include "oauth.h"

extern const struct ringbearer_module rbr_grant_module;

/* Set when the module is loaded. */
extern const struct ringbearer_host *rbr_grant_host;

/* For the operations of grants with a refresh token. */
struct rbr_oauth rbr_grant_standing(struct ringbearer_call *call);
int rbr_grant_renew(
	struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens);
int rbr_grant_accept(
	struct ringbearer_call *call, const void *bytes, size_t size, struct ringbearer_tokens *ret_tokens);

/* For all. */
int rbr_grant_revoke(struct ringbearer_call *call, const struct ringbearer_grant_input *input,
	const struct ringbearer_secret *token, const char *kind);
int rbr_grant_discover(struct ringbearer_call *call);
int rbr_grant_probe(struct ringbearer_call *call, const char *key, struct ringbearer_probe *ret_probe);

#endif
