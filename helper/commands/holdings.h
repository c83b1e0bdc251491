/* SPDX-License-Identifier: MIT */
/* Which accounts' stores hold something that a login has brought: names only. No secret is looked up, nobody is asked to unlock
 * anything. */
#ifndef RBR_HOLDINGS_H
#define RBR_HOLDINGS_H

#include "accounts/account.h"
#include "cli/names.h"
#include "protocol/fastpath/context.h"

#define RBR_HOLDINGS_MAX 8 /* stores that are remembered; of more, each is asked for each account */

enum rbr_holding {
	RBR_HOLDING_UNKNOWN, /* the keyring does not say */
	RBR_HOLDING_NONE,
	RBR_HOLDING_SOME,
};

struct rbr_store_holdings {
	char *store; /* which: all that says so in an account */
	struct rbr_names accounts; /* that have a refresh token, or a lasting token */
	bool known;
};

struct rbr_holdings {
	struct rbr_store_holdings list[RBR_HOLDINGS_MAX];
	size_t count;
};

/* What the store of ACCOUNT holds of it; one that others of ALL have, too, is asked once. */
enum rbr_holding rbr_holdings_ask(
	struct rbr_context *context, const struct rbr_account *account, struct rbr_holdings *all) RBR_MUST_CHECK;

void rbr_holdings_wipe(struct rbr_holdings *all);

#endif
