/* SPDX-License-Identifier: MIT */
/* How a token is renewed when the cache has nothing that will do. */
#ifndef RBR_RENEWAL_H
#define RBR_RENEWAL_H

#include "accounts/account.h"
#include "protocol/fastpath/wish.h"

/*
 * Renews under the lock of the account's binding, unless another process is just doing that: then waits for what it
 * finds out. Publishes the token, or the verdict. Fills RET_CREDENTIAL. ACCOUNT takes up the request's layer.
 */
int rbr_renewal_run(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential) RBR_MUST_CHECK;

/* Starts a renewal in a detached child, unless one is under way or has just failed; what the run has written must be out.
 * False if none is going on now. */
bool rbr_renewal_detach(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account);

/* Tries to finish what an earlier run has left: its answer waits in the kernel keyring. If that succeeds RET_CREDENTIAL is
 * fresh; if not, context->unfinished says why, and RET_CREDENTIAL is as it was. */
void rbr_renewal_finish(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *credential);

#endif
