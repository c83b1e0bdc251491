/* SPDX-License-Identifier: MIT */
/*
 * The account's refresh token in a store that many machines share: its version, the records beside it, and the lease, which one machine
 * has at a time. What they are used for is decided in renewal/machines.c.
 */
#ifndef RBR_SHARED_H
#define RBR_SHARED_H

#include "vault.h"

struct rbr_shared {
	struct rbr_vault *vault;
	struct rbr_binding binding;
	struct ringbearer_view view; /* as it was at the last look, and what this run has changed since */
	bool fresh; /* the view's value was not taken yet */
	int64_t lease; /* this run's; 0: it has none */
	int64_t seconds; /* that it was taken for */
	int64_t lasts_ms; /* until then at least (rbr_now_ms()) */
};

/* Can the store do what it takes to share a login? */
bool rbr_shared_is_possible(const struct rbr_vault *vault);

/* For VAULT, which must outlive it. RINGBEARER_E_CONFIG. End it with rbr_shared_end() whatever happens. */
int rbr_shared_start(struct rbr_shared *shared, struct rbr_vault *vault) RBR_MUST_CHECK;

/* Frees; a lease stays until it ends by itself. */
void rbr_shared_end(struct rbr_shared *shared);

/* Fills the view. RINGBEARER_E_STORE_… */
int rbr_shared_look(struct rbr_shared *shared) RBR_MUST_CHECK;

/* The value of the view, which is the caller's from then on, looked up anew if it was taken before. RINGBEARER_E_NO_SECRET. */
int rbr_shared_value(struct rbr_shared *shared, struct ringbearer_secret **ret_value) RBR_MUST_CHECK;

/* Takes the lease for SECONDS in the name of HOLDER, away from the one with the number DISPLACES if there is that, and looks.
 * RINGBEARER_E_BUSY: another has it, or there is one of the records UNLESS (the last NULL; NULL: none); see the view. RINGBEARER_E_STORE_… */
int rbr_shared_take(struct rbr_shared *shared, const char *holder, int64_t seconds, int64_t displaces,
	const char *const *unless) RBR_MUST_CHECK;

/* Sees to it that this run's lease lasts until UNTIL_MS. RINGBEARER_E_BUSY if it does not. */
int rbr_shared_hold(struct rbr_shared *shared, int64_t until_ms) RBR_MUST_CHECK;

/* Makes CHANGE. RINGBEARER_E_BUSY if its conditions are not met, RINGBEARER_E_STORE_… */
int rbr_shared_change(struct rbr_shared *shared, const struct ringbearer_change *change) RBR_MUST_CHECK;

/* Returns when something has changed since the last look, or MILLISECONDS have passed, or sooner. */
int rbr_shared_wait(struct rbr_shared *shared, int64_t milliseconds) RBR_MUST_CHECK;

/* The view's record of that NAME, or NULL. */
const struct ringbearer_record *rbr_shared_record(const struct rbr_shared *shared, const char *name);

#endif
