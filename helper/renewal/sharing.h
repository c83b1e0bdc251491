/* SPDX-License-Identifier: MIT */
/* What people are told of a login that many machines share. */
#ifndef RBR_SHARING_H
#define RBR_SHARING_H

#include "exchange.h"
#include "vault/vault.h"

/* Does the account's store share logins between machines, and is there one that rotates to be shared? */
bool rbr_sharing_is_on(const struct rbr_vault *vault);

/* Looks at the account's login in VAULT's store once, and tells its version, who has the lease since when, what is on its way, and what
 * waits where to be stored. RINGBEARER_E_STORE_…, RINGBEARER_E_CONFIG. */
int rbr_sharing_tell(struct rbr_vault *vault, ringbearer_store_teller tell, void *data) RBR_MUST_CHECK;

/* Other machines need not ask for a token of their own after a login: shares the one that EXCHANGE has brought with the refresh token
 * that is in the store by now. Does nothing where the store is not shared, and says nothing if it fails. */
void rbr_sharing_offer(struct rbr_exchange *exchange);

#endif
