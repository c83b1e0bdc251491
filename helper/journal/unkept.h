/* SPDX-License-Identifier: MIT */
/* What can be kept in neither tier of the cache, said once. */
#ifndef RBR_UNKEPT_H
#define RBR_UNKEPT_H

#include "protocol/fastpath/context.h"

/* The token of ACCOUNT could not be kept. */
void rbr_unkept_token(struct rbr_context *context, const char *account);

/* What protects a renewal of ACCOUNT could not be kept: its mark, or its answer. The renewal goes on all the same: nothing gets
 * better by a token that nobody has. */
void rbr_unkept_rotation(struct rbr_context *context, const char *account);

/* Tries whether a token of the usual size could be kept, and says so if not. */
void rbr_unkept_check(struct rbr_context *context);

#endif
