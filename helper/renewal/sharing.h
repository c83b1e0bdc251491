/* SPDX-License-Identifier: MIT */
/* A login that many machines share, from the outside: what people are told of it, and what a command does with it. */
#ifndef RBR_SHARING_H
#define RBR_SHARING_H

#include "exchange.h"
#include "vault/shared.h"
#include "vault/vault.h"

/* Does the account's store share logins between machines, and is there one that rotates to be shared? */
bool rbr_sharing_is_on(const struct rbr_vault *vault);

/* Looks at the account's login in VAULT's store once, and tells its version, who has the lease since when, what is on its way, and what
 * waits where to be stored. RINGBEARER_E_STORE_…, RINGBEARER_E_CONFIG. */
int rbr_sharing_tell(struct rbr_vault *vault, ringbearer_store_teller tell, void *data) RBR_MUST_CHECK;

/* Other machines need not ask for a token of their own after a login: shares the one that EXCHANGE has brought with the refresh token
 * that is in the store by now. Does nothing where the store is not shared, and says nothing if it fails. */
void rbr_sharing_offer(struct rbr_exchange *exchange);

/* What VAULT's store has is going to be carried away: has no other machine renew until rbr_sharing_resume(), which SHARED is given to in
 * any case. RINGBEARER_E_BUSY: one is at it, or was cut off while it was. Does nothing where the store is not shared. */
int rbr_sharing_pause(struct rbr_vault *vault, struct rbr_shared *shared) RBR_MUST_CHECK;
void rbr_sharing_resume(struct rbr_shared *shared);

/* Has none renewed since? RINGBEARER_E_BUSY if that is not sure. */
int rbr_sharing_check(struct rbr_shared *shared) RBR_MUST_CHECK;

#endif
