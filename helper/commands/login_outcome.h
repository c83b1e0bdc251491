/* SPDX-License-Identifier: MIT */
/* What a login has brought: it is kept, and told. */
#ifndef RBR_LOGIN_OUTCOME_H
#define RBR_LOGIN_OUTCOME_H

#include "protocol/credential.h"
#include "protocol/fastpath/wish.h"
#include "renewal/exchange.h"

/* Puts the refresh token (or the token that lasts) of EXCHANGE into the store before anything is said, in the account's turn, and
 * the access token into the cache. Gives all of it back to the service if the account is gone or another by now.
 * RINGBEARER_E_NO_ACCOUNT, RINGBEARER_E_CONFIG, RINGBEARER_E_STORE_…, and what rbr_exchange_check() and
 * rbr_exchange_publish() return. */
int rbr_outcome_keep(struct rbr_exchange *exchange, const struct rbr_wish *wish, struct rbr_credential *ret_credential)
	RBR_MUST_CHECK;

/* Tells the person who is logged in, for how long, and what is less than was wished for. */
void rbr_outcome_report(const struct rbr_exchange *exchange, const struct rbr_credential *credential);

#endif
