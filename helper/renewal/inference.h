/* SPDX-License-Identifier: MIT */
/* Callers that cannot say that a token was refused: what can be told from how they ask. */
#ifndef RBR_INFERENCE_H
#define RBR_INFERENCE_H

#include "protocol/fastpath/wish.h"

/*
 * CREDENTIAL is about to be handed out for WISH in a form whose callers cannot say that the last one was refused. Notes
 * that, and if it looks as if it had been, renews it first: CREDENTIAL is the new one then. It stays as it is where that does not
 * work or takes longer than a few seconds; there is no failure.
 */
void rbr_inference_apply(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_credential *credential);

#endif
