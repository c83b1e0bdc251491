/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is with an account's secrets.
 *
 * A secret is bound to the account, the client and the endpoint it may be sent to; who uses or replaces it does so one at a time,
 * under a lock that is named after exactly that. Two configurations that find the same secret meet at the same lock, whichever
 * way they found the endpoint.
 */
#ifndef RBR_TURN_H
#define RBR_TURN_H

#include "accounts/account.h"
#include "host/host.h"

/* Opens the lock of ACCOUNT's secrets without taking it; see rbr_lock_try(). The endpoints must be known, see rbr_turn_is_named().
 * Close the descriptor to let go of the lock. RINGBEARER_E_SYSTEM. */
int rbr_turn_open(struct rbr_context *context, const struct rbr_account *account, int *ret_lock) RBR_MUST_CHECK;

/* Is it known what ACCOUNT's secrets are bound to? If not, its issuer must be asked first. */
bool rbr_turn_is_named(const struct rbr_account *account);

/* The lock of those who ask ACCOUNT's issuer meanwhile. RINGBEARER_E_SYSTEM. */
int rbr_turn_open_discovery(struct rbr_context *context, const struct rbr_account *account, int *ret_lock)
	RBR_MUST_CHECK;

/* Takes the turn, waiting for it if need be; does nothing if *TURN is one already. Close it to let go of it.
 * RINGBEARER_E_BUSY after a minute, RINGBEARER_E_SYSTEM. */
int rbr_turn_take(struct rbr_context *context, const struct rbr_account *account, int *turn) RBR_MUST_CHECK;

/* The same for one secret of the account NAME, by what it is bound to. */
int rbr_turn_take_of(struct rbr_context *context, const char *name, const char *client_id, const char *endpoint,
	int *turn) RBR_MUST_CHECK;

/* RINGBEARER_E_BUSY: the turn has not come in time. */
int rbr_turn_fail_busy(struct rbr_context *context);

#define RBR_TURN_WAIT_MS (60 * 1000)
#define RBR_TURN_POLL_MS 50

#endif
