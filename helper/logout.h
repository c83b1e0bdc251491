/* SPDX-License-Identifier: MIT */
/* Ending a login, for `logout` and `remove`. */
#ifndef RBR_LOGOUT_H
#define RBR_LOGOUT_H

#include "account.h"
#include "context.h"

/* Has the service forget the account's tokens and forgets them here. A failure to read the secrets stops everything; a
 * refusal of the service is returned, and nothing is left here all the same. */
int rbr_logout(struct rbr_context *context, struct rbr_account *account) RBR_MUST_CHECK;

#endif
