/* SPDX-License-Identifier: MIT */
/* Running git. */
#ifndef RBR_GIT_RUN_H
#define RBR_GIT_RUN_H

#include <stdbool.h>

#include "protocol/fastpath/context.h"

#define RBR_GIT_OUTPUT_MAX 65536 /* bytes; more is refused */

/* Runs git without a shell. *RET_STATUS is its exit status; RET_OUTPUT has RBR_GIT_OUTPUT_MAX bytes for what it writes, and
 * where it is NULL only git's errors are seen. With SILENT not even those. RINGBEARER_E_CONFIG if there is no git. */
int rbr_git_run(struct rbr_context *context, const char *const *arguments, bool silent, int *ret_status,
	char *ret_output) RBR_MUST_CHECK;

#endif
