/* SPDX-License-Identifier: MIT */
/*
 * What machines that share a login write down for each other, in the store's records: who is at it, which refresh token is on its
 * way, the token that came, and why none did. The texts are messages (protocol/message.h); the store seals them.
 */
#ifndef RBR_RECORDS_H
#define RBR_RECORDS_H

#include "exchange.h"
#include "journal/rotation.h"

#define RBR_MACHINE_MAX 160
#define RBR_MACHINE_HOST_MAX 65 /* of a host's name, with its NUL */

/* Names of records. */
#define RBR_RECORD_MARK "mark"
#define RBR_RECORD_DEAD "dead"

/* Who has the lease. */
struct rbr_holder {
	char machine
		[RBR_MACHINE_MAX]; /* which lock, of which boot of which kernel: who else has that is waited for there */
	char host[RBR_MACHINE_HOST_MAX]; /* for people */
	int64_t since; /* seconds since 1970 */
};

/* A refresh token that has left, and whose answer is not in the store. */
struct rbr_mark {
	struct rbr_holder by;
	char used[RBR_TOKEN_HASH_MAX];
	int64_t lease; /* that it was sent under */
	int64_t sent_ms; /* on that machine's CLOCK_BOOTTIME */
	int64_t sends;
	bool kept; /* the machine has a mark of its own as well, and knows better */
};

/* This machine: the lock that the account's turn is taken with. */
void rbr_holder_here(struct rbr_context *context, const struct rbr_account *account, struct rbr_holder *ret_holder);
bool rbr_holder_is_here(const struct rbr_holder *holder, const struct rbr_holder *here);

/* RINGBEARER_E_SYSTEM; reading is false for what is none. */
int rbr_record_write_holder(const struct rbr_holder *holder, struct ringbearer_secret *text) RBR_MUST_CHECK;
bool rbr_record_read_holder(const struct ringbearer_secret *text, struct rbr_holder *ret_holder);
int rbr_record_write_mark(const struct rbr_mark *mark, struct ringbearer_secret *text) RBR_MUST_CHECK;
bool rbr_record_read_mark(const struct ringbearer_record *record, struct rbr_mark *ret_mark);

/* "token-…" and "verdict-…" for what EXCHANGE's account asks for now: the same on all machines whose accounts ask for the same. */
struct rbr_record_names {
	struct rbr_cache_key asked; /* all of it, which the record repeats */
	char token[RINGBEARER_RECORD_NAME_MAX + 1];
	char verdict[RINGBEARER_RECORD_NAME_MAX + 1];
};

int rbr_record_names(const struct rbr_account *account, struct rbr_record_names *ret_names) RBR_MUST_CHECK;
void rbr_record_names_wipe(struct rbr_record_names *names);

/* The tokens of EXCHANGE, and *RET_SECONDS for how long. RINGBEARER_E_MALFORMED_RESPONSE if there is nothing to share. */
int rbr_record_write_token(const struct rbr_exchange *exchange, const struct rbr_record_names *names,
	struct ringbearer_secret *text, int64_t *ret_seconds) RBR_MUST_CHECK;

/* Makes RECORD EXCHANGE's tokens, as if they had just come here. False if it is none, or one for something else. */
bool rbr_record_read_token(
	const struct ringbearer_record *record, const struct rbr_record_names *names, struct rbr_exchange *exchange);

/* Is RECORD a token or a verdict of what others asked for: what can be had again? */
bool rbr_record_can_go(const struct ringbearer_record *record, const struct rbr_record_names *names);

/* Why context->error: for everybody for a while, or for those who are waiting now; false: no other machine should hear of it. */
bool rbr_record_write_verdict(const struct rbr_error *error, const struct rbr_record_names *names,
	struct ringbearer_secret *text, int64_t *ret_seconds);

/* Fills ERROR and returns its code; 0 if RECORD is none for this, or no longer one. NEW: it came while this run waited. */
int rbr_record_read_verdict(const struct ringbearer_record *record, const struct rbr_record_names *names, bool is_new,
	struct rbr_error *error);

#endif
