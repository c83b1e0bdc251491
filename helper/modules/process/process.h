/* SPDX-License-Identifier: MIT */
/* Another program, run for a module: no shell, no descriptors but its three, within the call's deadline. */
#ifndef RBR_PROCESS_H
#define RBR_PROCESS_H

#include "protocol/module.h"

#define RBR_SAID_MAX 512

struct rbr_run {
	const struct ringbearer_host *host;
	struct ringbearer_call *call;
	char *const *words; /* the path of the program, its arguments, NULL */
	const struct ringbearer_secret *input; /* its standard input; NULL: nothing */
	/* It may speak to the terminal, and stays in the terminal's foreground. Otherwise it gets a process group of its own, which
	 * a key pressed there does not reach, and which ends as a whole with the deadline. */
	bool with_person;
	struct ringbearer_secret *output; /* its standard output; the caller's, to be freed by the host */
	char said[RBR_SAID_MAX]; /* the last line that it wrote to its standard error */
	int status; /* its exit status; -1: a signal ended it */
};

/* Runs it to its end. The signals that this process holds back are held back there as well: a store is not interrupted in
 * the middle. RINGBEARER_E_STORE_UNAVAILABLE if it cannot be run, is late, or writes too much; RINGBEARER_E_SYSTEM. */
int rbr_process_run(struct rbr_run *run);

#endif
