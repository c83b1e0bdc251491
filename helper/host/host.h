/* SPDX-License-Identifier: MIT */
/* What modules get from the program: the function table, and the call that they hand back to it. */
#ifndef RBR_HOST_H
#define RBR_HOST_H

#include "accounts/account.h"
#include "protocol/fastpath/context.h"
#include "protocol/module.h"

#define RBR_CALL_SECRETS_MAX 32

struct rbr_rotation;

struct ringbearer_call {
	struct rbr_context *context;
	const struct rbr_account *account;
	int64_t deadline_ms; /* CLOCK_BOOTTIME */
	int64_t left_ms; /* what was left of that when a person began to be asked */
	bool asking; /* they still are: the deadline is theirs */
	bool interactive;
	bool paste; /* a login: the person pastes the address they were sent to */
	bool no_browser; /* a login: only show the address */
	struct rbr_clock sent; /* lifetimes count from here: when the last request left */
	int64_t sent_ms;
	struct rbr_message *metadata; /* where `discovered` puts things; NULL: nowhere */
	struct rbr_rotation *rotation; /* what `sending` and `park` are for; NULL: nothing */
	char folder[PATH_MAX]; /* that `config` was asked for last */
	bool local; /* a store of this machine is at work for one that is elsewhere */
	struct ringbearer_secret *owned[RBR_CALL_SECRETS_MAX]; /* copies that a module had hidden */
	/* what must never show up in a message */
	const struct ringbearer_secret *secrets[RBR_CALL_SECRETS_MAX];
	bool mute; /* one could not be noted: nothing that was written elsewhere is shown any more */
};

/* A call on behalf of ACCOUNT whose deadline is the account's `timeout` from now. */
void rbr_call_start(
	struct ringbearer_call *call, struct rbr_context *context, const struct rbr_account *account, bool interactive);

/* How long a request that cannot be repeated may be under way at the most, in milliseconds. */
int64_t rbr_call_answer_ms(const struct ringbearer_call *call);

/* The call only informs: nobody waits for it longer than a second in all. */
void rbr_call_hurry(struct ringbearer_call *call);

/* Has SECRET blotted out of messages from now on. It must outlive the call. */
void rbr_call_hide(struct ringbearer_call *call, const struct ringbearer_secret *secret);

/* Frees what the call owns. */
void rbr_call_end(struct ringbearer_call *call);

/* SECRET is about to be freed. */
void rbr_call_reveal(struct ringbearer_call *call, const struct ringbearer_secret *secret);

/* The function table. */
const struct ringbearer_host *rbr_host(void);

#endif
