/* SPDX-License-Identifier: MIT */
/* What the person's commands do with an account's secrets and tokens. */
#ifndef RBR_CUSTODY_H
#define RBR_CUSTODY_H

#include "accounts/account.h"
#include "host/loader.h"
#include "protocol/fastpath/context.h"
#include "protocol/module.h"
#include "protocol/secret.h"

/* Checks SECRET, keeps it in the account's turn as its KIND, reads it back, and drops every cached token and verdict of the
 * account. RINGBEARER_E_MALFORMED_REQUEST, RINGBEARER_E_STORE_…, RINGBEARER_E_MODULE, RINGBEARER_E_CONFIG. */
int rbr_custody_keep(struct rbr_context *context, struct rbr_account *account, const char *kind,
	const struct ringbearer_secret *secret, bool interactive) RBR_MUST_CHECK;

/* Removes the secret KIND, or all secrets if it is NULL, in the account's TURN: that is taken if it is -1, and left to the
 * caller to close (see rbr_turn_take()). */
int rbr_custody_erase(struct rbr_context *context, struct rbr_account *account, const char *kind, bool interactive,
	int *turn) RBR_MUST_CHECK;

/* Removes every secret that the store holds under the name of ACCOUNT, whatever it is bound to; for one whose file says
 * too little. Drops its cached tokens as well. */
int rbr_custody_erase_named(struct rbr_context *context, const struct rbr_account *account) RBR_MUST_CHECK;

/*
 * Which kind of secret a person must give for ACCOUNT (*RET_KIND is NULL if none), and whether it needs a login as well. Has
 * the issuer say what the secret is bound to, if the account does not, and refuses an account that cannot work.
 * RINGBEARER_E_MODULE, RINGBEARER_E_CONFIG.
 */
int rbr_custody_kind(struct rbr_context *context, struct rbr_account *account, const char **ret_kind, bool *ret_login)
	RBR_MUST_CHECK;

/* Has ACCOUNT what GRANT and its provider cannot do without? RINGBEARER_E_CONFIG. */
int rbr_custody_check(const struct rbr_account *account, const struct rbr_grant *grant, struct rbr_error *error)
	RBR_MUST_CHECK;

/* Does ACCOUNT's grant live from a login? False as well if there is no such grant. */
bool rbr_custody_needs_login(struct rbr_context *context, const struct rbr_account *account);

/* Gets that secret: without echo from the terminal, or from stdin to its end (one newline at the end is dropped). */
int rbr_custody_ask(struct rbr_context *context, const struct rbr_account *account, const char *kind, bool from_stdin,
	struct ringbearer_secret *ret_secret) RBR_MUST_CHECK;

/* Drops what is cached for the account NAME: every token and verdict if TOKEN is NULL, else that one token alone. What a
 * rotation has left behind stays. */
void rbr_custody_forget(const char *name, const char *token);

/* Drops everything that the kernel keyring has for ACCOUNT, a rotation that is not finished included. */
void rbr_custody_forget_all(struct rbr_context *context, const struct rbr_account *account);

/* Calls VISIT with every access token that is cached for the account NAME; with an ISSUER (a token endpoint), only with what came
 * from there. */
typedef void (*rbr_token_visitor)(const struct ringbearer_secret *token, void *data);
void rbr_custody_tokens(const char *name, const char *issuer, rbr_token_visitor visit, void *data);

#endif
