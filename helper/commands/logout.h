/* SPDX-License-Identifier: MIT */
/* Ending a login, for `logout` and `remove`. */
#ifndef RBR_LOGOUT_H
#define RBR_LOGOUT_H

#include "accounts/account.h"
#include "protocol/fastpath/context.h"

/* Has the service forget the account's tokens and forgets them here. A failure to read the secrets stops everything; a
 * refusal of the service is returned, and nothing is left here all the same: *RET_FORGOTTEN tells, set in any case. Happens in the
 * account's TURN: that is taken if it is -1, and left to the caller to close. */
int rbr_logout(struct rbr_context *context, struct rbr_account *account, int *turn, bool *ret_forgotten) RBR_MUST_CHECK;

/* Returns the CODE of context->error, with what is DONE here all the same in front of its detail. */
int rbr_logout_but(struct rbr_context *context, const char *done);

#endif
