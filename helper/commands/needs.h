/* SPDX-License-Identifier: MIT */
/* What an account cannot work without: the grant's needs, the provider's, a secret, a login. */
#ifndef RBR_NEEDS_H
#define RBR_NEEDS_H

#include "accounts/account.h"
#include "host/loader.h"
#include "protocol/fastpath/context.h"
#include "protocol/module.h"
#include "renewal/discovery.h"

/* Opens the grant of ACCOUNT (CALL's own), and has it find the endpoints that secrets are bound to. */
int rbr_needs_grant(struct ringbearer_call *call, struct rbr_account *account, enum rbr_freshness freshness,
	struct rbr_grant *ret_grant) RBR_MUST_CHECK;

/*
 * Which kind of secret a person must give for ACCOUNT (*RET_KIND is NULL if none), and whether it needs a login as well. Has
 * the issuer say what the secret is bound to, if the account does not, and refuses an account that cannot work.
 * RINGBEARER_E_MODULE, RINGBEARER_E_CONFIG.
 */
int rbr_needs_secret(struct rbr_context *context, struct rbr_account *account, const char **ret_kind, bool *ret_login)
	RBR_MUST_CHECK;

/* Has ACCOUNT what GRANT and its provider cannot do without? RINGBEARER_E_CONFIG. */
int rbr_needs_check(const struct rbr_account *account, const struct rbr_grant *grant, struct rbr_error *error)
	RBR_MUST_CHECK;

/* Does ACCOUNT's grant live from a login? False as well if there is no such grant. */
bool rbr_needs_login(struct rbr_context *context, const struct rbr_account *account);

#endif
