/* SPDX-License-Identifier: MIT */
/* A request, answered in the form that it names: what commands and callers have in common. */
#ifndef RBR_ANSWER_H
#define RBR_ANSWER_H

#include "protocol/fastpath/context.h"
#include "protocol/fastpath/request.h"

/* Answers REQUEST on standard output. What is wrong is in context->error; what is unfinished although there is an answer, in
 * context->unfinished. */
int rbr_answer(struct rbr_context *context, const struct rbr_request *request) RBR_MUST_CHECK;

#endif
