/* SPDX-License-Identifier: MIT */
/* What `add` asks a person for. */
#ifndef RBR_QUESTIONS_H
#define RBR_QUESTIONS_H

#include "protocol/fastpath/context.h"
#include "protocol/message.h"

/*
 * Asks on the terminal for what LINES, which are to be the account NAME, lack, one question at a time, with what is known as the
 * answer in brackets, and adds the answers. An answer that will not do is said and asked for again. Does nothing where they
 * lack nothing that an account cannot do without; *RET_ASKED says so. RINGBEARER_E_USAGE if nobody answers.
 */
int rbr_questions_ask(struct rbr_context *context, const char *name, struct rbr_message *lines, bool *ret_asked)
	RBR_MUST_CHECK;

#endif
