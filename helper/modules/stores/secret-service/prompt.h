/* SPDX-License-Identifier: MIT */
/* What a service wants to have asked before it does something. */
#ifndef RBR_SECRET_SERVICE_PROMPT_H
#define RBR_SECRET_SERVICE_PROMPT_H

#include "session.h"

enum rbr_question {
	RBR_ASKS_SURELY, /* to unlock, or to make a keyring: nothing else can follow but a window */
	RBR_ASKS_PERHAPS, /* to change an open keyring: some services have a prompt for every change, and a window for few */
};

/* Performs the prompt at PATH; "/" is none. 0 if it was granted, 1 if not: a person refused or did not answer, or the
 * question would have needed one and the call may not ask. RINGBEARER_E_STORE_UNAVAILABLE. */
int rbr_prompt(struct rbr_work *work, const char *path, enum rbr_question question) __attribute__((warn_unused_result));

#endif
