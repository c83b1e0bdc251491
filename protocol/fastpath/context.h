/* SPDX-License-Identifier: MIT */
/* What one run of the program carries along: no globals. */
#ifndef RBR_CONTEXT_H
#define RBR_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/credential.h"
#include "protocol/error.h"

struct rbr_context {
	/* Writes HOST, which is in Unicode, as a network knows it (punycode), into its ROOM bytes; leaves it as it is where that
	 * cannot be done. NULL on the short way, which compares what it is given. */
	void (*settle_host)(struct rbr_context *context, char *host, size_t room);
	bool trace; /* RINGBEARER_TRACE=1 */
	bool for_git; /* git asks: it says on standard input where the token goes, whatever the options say */
	bool quiet; /* nobody reads what the run says: a detached renewal, a caller that wants silence */
	bool interactive; /* the caller's name says that a person may be asked */
	const char
		*interactive_hint; /* how the program that asks has a person asked; NULL: by ringbearer's own options */
	bool in_background; /* what asks is no person's command: a login that is needed is told at the desktop */
	bool opened_modules; /* there may be threads: a forked child could do nothing but exec */
	struct rbr_clock started; /* when the run began */
	int64_t started_ms; /* the same on CLOCK_BOOTTIME in milliseconds */
	bool said_lock; /* that locks are not where they should be */
	bool said_unkept; /* that nothing can be kept in memory */
	char account[72]; /* whom the message is about; "" while that is not known */
	int unfinished; /* the run gives an answer, and this is what went wrong all the same */
	struct rbr_error error; /* why the run fails */
};

void rbr_context_start(struct rbr_context *context);

/* CLOCK_BOOTTIME in milliseconds: what deadlines are measured with. */
int64_t rbr_now_ms(void);

/* Waits MILLISECONDS, whatever signals come. */
void rbr_sleep_ms(int64_t milliseconds);

#endif
