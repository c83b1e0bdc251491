/* SPDX-License-Identifier: MIT */
/* What the person's commands do with an account's secrets. */
#ifndef RBR_CUSTODY_H
#define RBR_CUSTODY_H

#include "accounts/account.h"
#include "protocol/fastpath/context.h"
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

/* Gets a secret of KIND from a person: without echo from the terminal, or from stdin to its end (one newline at the end is
 * dropped). */
int rbr_custody_ask(struct rbr_context *context, const struct rbr_account *account, const char *kind, bool from_stdin,
	struct ringbearer_secret *ret_secret) RBR_MUST_CHECK;

/* Reads standard input to its end; one newline there is dropped. RINGBEARER_E_MALFORMED_REQUEST if it is too long. */
int rbr_custody_read_stdin(struct rbr_context *context, struct ringbearer_secret *ret_secret) RBR_MUST_CHECK;

#endif
