/* SPDX-License-Identifier: MIT */
/* A renewal that may use up the refresh token. */
#ifndef RBR_ROTATE_H
#define RBR_ROTATE_H

#include "exchange.h"
#include "journal/rotation.h"

/* Renews ACCOUNT (EXCHANGE's own, with the request's layer) for WISH, under its turn; publishes the token. */
int rbr_rotate(struct rbr_exchange *exchange, struct rbr_account *account, const struct rbr_wish *wish,
	struct rbr_credential *ret_credential) RBR_MUST_CHECK;

/* Finishes what a run that died has begun: its answer is here, and nobody has looked at it. Its refresh token is kept in any
 * case; its access token is an answer to the wish that it was asked for alone: *RET_ANSWERED. 0 also if there was nothing. */
int rbr_rotate_finish(struct rbr_exchange *exchange, struct rbr_rotation *rotation, const struct rbr_wish *wish,
	struct rbr_credential *credential, bool *ret_answered) RBR_MUST_CHECK;

#endif
