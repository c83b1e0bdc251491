/* SPDX-License-Identifier: MIT */
/* How an account stands: its token, its login, a rotation that is not finished. Nobody is asked. */
#ifndef RBR_STANDING_H
#define RBR_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "accounts/account.h"
#include "holdings.h"
#include "protocol/fastpath/context.h"

struct rbr_standing {
	const char *name;
	const char *provider;
	const char *grant;
	const char *state; /* "valid", "none", "needs_login", "pending", "refused" or "broken" */
	enum rbr_holding refresh_token; /* what only a login brings; RBR_HOLDING_UNKNOWN also where none is needed */
	bool ended; /* the keyring holds what the server has refused for good */
	int64_t expires; /* 0: not known */
	int64_t left;
	const char *detail; /* why it is refused or broken */
};

/* Puts what the cache says of ACCOUNT's own token into STANDING, which has the holding already. Its `detail` may point into
 * CONTEXT. */
void rbr_standing_consult(
	struct rbr_context *context, const struct rbr_account *account, struct rbr_standing *standing);

/* Is ACCOUNT's login one that its store shares between machines? */
bool rbr_standing_is_shared(struct rbr_context *context, const struct rbr_account *account);

/* How that login stands in the store, looked at once, and for MILLISECONDS at most: "version: 3; lease: …" is added to TEXT, and the
 * same as members of an object to JSON, unless that is NULL. RINGBEARER_E_STORE_…, RINGBEARER_E_NO_SECRET if this machine has no
 * key, RINGBEARER_E_CONFIG. */
int rbr_standing_shared(struct rbr_context *context, const struct rbr_account *account, int64_t milliseconds,
	struct ringbearer_secret *text, struct ringbearer_secret *json) RBR_MUST_CHECK;

#endif
