/* SPDX-License-Identifier: MIT */
/* What is kept in the kernel keyring while a refresh token is between two owners. */
#ifndef RBR_ROTATION_H
#define RBR_ROTATION_H

#include <signal.h>

#include "accounts/account.h"
#include "protocol/cache.h"
#include "protocol/credential.h"
#include "protocol/fastpath/context.h"

#define RBR_TOKEN_HASH_MAX 20
/* So soon after a request whose answer was lost, one more does no harm: shorter than any published grace period. */
#define RBR_RETRY_WINDOW_MS 5000
#define RBR_HELD_SIGNALS 4 /* INT, TERM, HUP, QUIT */

struct rbr_rotation;

/* May a request leave whose mark was KEPT in this machine? Other than 0: it must not, for this reason. */
typedef int (*rbr_rotation_guard)(struct rbr_rotation *rotation, bool kept);

struct rbr_rotation {
	struct rbr_context *context;
	const char *account;
	struct rbr_cache_key mark_key; /* a request with this refresh token has left, its outcome is not known */
	struct rbr_cache_key pending_key; /* the bytes of an answer that is not in the store yet */
	struct rbr_cache_key dead_key; /* a refresh token that the server has refused for good */
	struct rbr_cache_key leases_key; /* under which leases of a shared store this machine has sent */
	char used[RBR_TOKEN_HASH_MAX]; /* which refresh token this run uses */
	const char *wish; /* what this run asks for, for the answer that is parked */
	struct rbr_clock sent;
	int64_t sent_ms;
	unsigned
		sends; /* how often the token in use was sent, by this run and those before, without an answer so far */
	unsigned sends_before; /* by those before */
	rbr_rotation_guard guard; /* NULL: it may */
	void *guard_data;
	bool signals_held;
	struct sigaction actions[RBR_HELD_SIGNALS]; /* what they did before */
};

/* For ACCOUNT, which must outlive it. ENDPOINT is what its refresh token is bound to. RINGBEARER_E_SYSTEM. */
int rbr_rotation_start(struct rbr_rotation *rotation, struct rbr_context *context, const struct rbr_account *account,
	const char *endpoint) RBR_MUST_CHECK;

/* What is going to be asked for, as text that outlives ROTATION: who finishes an answer that is parked may use its access
 * token for that very wish alone. */
void rbr_rotation_wish(struct rbr_rotation *rotation, const char *wish);

/* Lets signals through again and frees; what is in the kernel stays there. */
void rbr_rotation_end(struct rbr_rotation *rotation);

/* This run is going to use TOKEN, from now on. What earlier runs have done with it is looked up. */
void rbr_rotation_use(struct rbr_rotation *rotation, const struct ringbearer_secret *token);

/* Has the server refused that token for good? */
bool rbr_rotation_is_dead(const struct rbr_rotation *rotation);
void rbr_rotation_bury(const struct rbr_rotation *rotation);

/* Milliseconds since a request with that token left whose outcome is not known; -1 if there is none. */
int64_t rbr_rotation_uncertain_ms(const struct rbr_rotation *rotation);

/* Somebody who knows better than this machine's records: so often was the token in use sent before, first at SENT_MS. */
void rbr_rotation_suppose(struct rbr_rotation *rotation, unsigned sends, int64_t sent_ms);

/* Is there a mark for the token with the hash USED? */
bool rbr_rotation_is_marked(const struct rbr_rotation *rotation, const char *used);

/* Where machines share the login: this one is about to send under LEASE, and its mark of EARLIER (0: none) stands in the store until
 * then. False if that cannot be kept. And: has it sent under LEASE? Not, as far as is known, if its journal was lost, or if it is a copy
 * of a machine that has. */
bool rbr_rotation_note_lease(const struct rbr_rotation *rotation, int64_t lease, int64_t earlier);
bool rbr_rotation_knows_lease(const struct rbr_rotation *rotation, int64_t lease);

/* The request leaves: holds back INT, TERM, HUP and QUIT, and writes the mark; unless the guard says no, then nothing was sent and
 * its code is returned. */
int rbr_rotation_mark(struct rbr_rotation *rotation) RBR_MUST_CHECK;

/* Keeps an answer's bytes. */
void rbr_rotation_park(struct rbr_rotation *rotation, const void *bytes, size_t size);

/* Is an answer in safety, whoever parked it? */
bool rbr_rotation_is_parked(const struct rbr_rotation *rotation);

/* An answer that was parked by another run: its bytes (in the record's `bytes`) and the times of its request. */
bool rbr_rotation_recall(
	struct rbr_rotation *rotation, struct rbr_message *record, struct rbr_clock *ret_sent, int64_t *ret_sent_ms);

/* Was what RECORD (recalled) has asked for by the wish that this run has? Not known of one that says nothing. */
bool rbr_rotation_is_wished(const struct rbr_rotation *rotation, const struct rbr_message *record);

/* Was TOKEN sent for the answer in RECORD? It is not where the store has got another meanwhile. */
bool rbr_rotation_was_sent(const struct rbr_message *record, const struct ringbearer_secret *token);

/* Has the server refused this login for good, whichever token it was? */
bool rbr_rotation_has_ended(const struct rbr_rotation *rotation);

/* The answer that was parked is of no use; whether the token was used up is as uncertain as before. */
void rbr_rotation_drop_pending(const struct rbr_rotation *rotation);

/* A new login, or none: nothing of the old one counts any more. */
void rbr_rotation_forget(struct rbr_rotation *rotation);

/* The answer is in the store, or was no token: nothing is pending or uncertain any more. */
void rbr_rotation_settle(struct rbr_rotation *rotation);

#endif
