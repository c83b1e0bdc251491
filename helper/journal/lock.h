/* SPDX-License-Identifier: MIT */
/*
 * One renewal at a time. Locks are keyed by effective user and by what a secret is bound to, and never by anything of the
 * environment: two programs with different HOME or XDG folders must meet at the same lock.
 */
#ifndef RBR_LOCK_H
#define RBR_LOCK_H

#include <stdbool.h>

#include "protocol/fastpath/context.h"

/* Opens the lock file called NAME in /run/user/UID/ringbearer, else in /tmp/ringbearer-UID, or, if another user got there
 * first, in the first of those that stand in for it; that is said once. RINGBEARER_E_SYSTEM if none can be used safely. Close
 * the descriptor to let go of the lock. */
int rbr_lock_open(struct rbr_context *context, const char *name, int *ret_descriptor) RBR_MUST_CHECK;

/* Tries to get the lock without waiting. It belongs to the open file: a forked child shares it. */
bool rbr_lock_try(int descriptor);

#endif
