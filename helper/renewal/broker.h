/* SPDX-License-Identifier: MIT */
/* The decision: which account, is a token cached, must it be renewed. */
#ifndef RBR_BROKER_H
#define RBR_BROKER_H

#include "renewal.h"

/*
 * Answers REQUEST, from the cache if it can. WISH (empty) holds afterwards what was decided, for
 * rbr_broker_renew_ahead(); its `account` is set as soon as the account is known, for messages.
 */
int rbr_broker_answer(struct rbr_context *context, const struct rbr_request *request, enum rbr_urgency urgency,
	struct rbr_wish *wish, struct rbr_credential *ret_credential) RBR_MUST_CHECK;

/* Renews in the background if the token that was handed out has little life left and came from the cache. Call it when the
 * answer is out. */
void rbr_broker_renew_ahead(
	struct rbr_context *context, const struct rbr_wish *wish, const struct rbr_credential *credential);

#endif
