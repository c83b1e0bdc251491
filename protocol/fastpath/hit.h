/* SPDX-License-Identifier: MIT */
/* The short way to an answer: one statx and the kernel keyring. */
#ifndef RBR_HIT_H
#define RBR_HIT_H

#include "wish.h"

/*
 * Fills WISH (empty) as far as REQUEST alone decides it, and RET_CREDENTIAL if a cached token will do. False if the long way
 * must be taken: nothing is cached, the account must be read to decide, or something is wrong; nothing is said about that
 * here. Of WISH's keys only the token's is made.
 */
bool rbr_hit(struct rbr_context *context, const struct rbr_request *request, enum rbr_urgency urgency,
	struct rbr_wish *wish, struct rbr_credential *ret_credential);

#endif
