/* SPDX-License-Identifier: MIT */
/*
 * One login on many machines: what a renewal does beside the machine's own lock and journal where the account's store can be shared
 * (module.h, "The shared journal"). Where it cannot, all of this does nothing.
 */
#ifndef RBR_MACHINES_H
#define RBR_MACHINES_H

#include "exchange.h"
#include "journal/rotation.h"
#include "records.h"
#include "vault/shared.h"

struct rbr_machines {
	bool open; /* the store is shared, and has been looked at */
	struct rbr_shared shared;
	struct rbr_exchange *exchange;
	struct rbr_rotation *rotation;
	struct rbr_holder here;
	int64_t since; /* the store's moment when this run looked first */
	int64_t met_lease; /* another machine's, and since when this run has seen it */
	int64_t met_ms;
	char met_host[RBR_MACHINE_HOST_MAX];
	bool overtaken; /* another machine has taken the lease before anything was sent */
	bool marked; /* this run's mark is in the store */
	bool sent; /* and a request has left since */
	bool told; /* another machine's verdict is what this run ends with */
	bool settled; /* and nothing is uncertain any more */
	bool dead; /* the service has refused the refresh token for good */
};

/* Opens the store of EXCHANGE's account, which MACHINES becomes a part of, and has a LOOK at it where what is there is needed before the turn. ROTATION's requests leave only with the lease from then on.
 * RINGBEARER_E_STORE_… End it with rbr_machines_end() whatever happens. */
int rbr_machines_open(struct rbr_machines *machines, struct rbr_exchange *exchange, struct rbr_rotation *rotation,
	bool look) RBR_MUST_CHECK;
void rbr_machines_end(struct rbr_machines *machines);

/* The turn among machines. Waits while another has it, and leaves with what that finds out: *RET_ANSWERED with CREDENTIAL, or its
 * verdict. Otherwise this one has the lease. RINGBEARER_E_BUSY, RINGBEARER_E_STORE_… */
int rbr_machines_enter(struct rbr_machines *machines, const struct rbr_wish *wish, struct rbr_credential *credential,
	bool *ret_answered) RBR_MUST_CHECK;

/* Was the lease lost before anything was sent? Then entering again will do. */
bool rbr_machines_is_overtaken(const struct rbr_machines *machines);

/* The refresh token with the version that it will be replaced under. RINGBEARER_E_NO_SECRET, RINGBEARER_E_STORE_… */
int rbr_machines_refresh_token(struct rbr_machines *machines, struct ringbearer_secret **ret_token) RBR_MUST_CHECK;

/* What machines have done with the token in use: ROTATION says so afterwards as if it had been this one. Other than NULL: the
 * machine that knows more, for people. */
const char *rbr_machines_recall(struct rbr_machines *machines);
bool rbr_machines_is_dead(const struct rbr_machines *machines);

/* Replaces the refresh token that was read by NEXT (NULL: it stays), shares the tokens that came, takes the mark away and lets go of the
 * lease, all in one. 0 also if a login has put another in its place meanwhile. RINGBEARER_E_STORE_… */
int rbr_machines_keep(struct rbr_machines *machines, const struct ringbearer_secret *next) RBR_MUST_CHECK;

/* Nothing is uncertain any more: the server has answered. And: it has refused the refresh token for good. */
void rbr_machines_settle(struct rbr_machines *machines);
void rbr_machines_bury(struct rbr_machines *machines);

/* Lets go of the lease, if this run has it, and tells those who wait why there is no token: RC is how the renewal ended. */
void rbr_machines_leave(struct rbr_machines *machines, int rc, bool everybodys);

/* A mark that this machine has left in the store, and that its own journal has settled since, goes. */
int rbr_machines_tidy(struct rbr_machines *machines) RBR_MUST_CHECK;

#endif
