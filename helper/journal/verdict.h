/* SPDX-License-Identifier: MIT */
/*
 * A failure that is shared, so that a thousand callers do not all ask a server that has just said no.
 *
 * A refusal (wrong secret, login needed, not allowed) is shared with everybody for a minute, a request to come back later
 * for as long as the server asked. Anything else (no network, keyring locked) is shared only with those who were already
 * waiting when it happened: who asks afterwards gets a try of their own.
 */
#ifndef RBR_VERDICT_H
#define RBR_VERDICT_H

#include "protocol/cache.h"
#include "protocol/fastpath/context.h"

#define RBR_VERDICT_SECONDS 60

/* Shares context->error under KEY, as a record of ACCOUNT: only with those who were waiting, unless it is EVERYBODYS. */
void rbr_verdict_share(
	const struct rbr_context *context, const struct rbr_cache_key *key, const char *account, bool everybodys);

/* Is there a verdict from SINCE_MS (CLOCK_BOOTTIME) or later, or, with EVERYBODYS, one that is shared with everybody and
 * still counts? Then fills context->error and returns its code; otherwise 0. */
int rbr_verdict_recall(struct rbr_context *context, const struct rbr_cache_key *key, int64_t since_ms, bool everybodys);

#endif
