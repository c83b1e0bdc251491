/* SPDX-License-Identifier: MIT */
/* Running the program `ringbearer` inside somebody else's process. */
#ifndef RBR_CHILD_H
#define RBR_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "secret.h"

struct rbr_errand {
	const char *program; /* an absolute path */
	const struct ringbearer_secret *request; /* what it reads */
	bool distrustful; /* secure execution: it gets an environment of ours */
	bool chatty; /* it writes to our stderr */
	int64_t until; /* rbr_now_ms() at which there must be an answer; INT64_MAX: whenever it comes */
};

/* Runs `get` and appends what it writes to stdout and to stderr. Its exit status is not told: another thread may
 * have taken it. RINGBEARER_E_CONFIG if it cannot be run, RINGBEARER_E_BUSY if it takes too long,
 * RINGBEARER_E_SYSTEM. */
int rbr_child_ask(const struct rbr_errand *errand, struct ringbearer_secret *out, struct ringbearer_secret *said,
	struct rbr_error *error) RBR_MUST_CHECK;

/* The same where nobody wants the answer: a renewal ahead of time. What goes wrong is not told. */
void rbr_child_send(const struct rbr_errand *errand);

#endif
