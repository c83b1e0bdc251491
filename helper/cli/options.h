/* SPDX-License-Identifier: MIT */
/* Command lines: GNU long options with messages of our own. */
#ifndef RBR_OPTIONS_H
#define RBR_OPTIONS_H

#include <getopt.h>

#include "protocol/fastpath/context.h"

/* getopt_long(). The option's value or -1 at the end; on a mistake 0, with context->error set. Options therefore have
 * values from 1 on. */
int rbr_option(struct rbr_context *context, int argc, char **argv, const struct option *options);

/* Wants exactly one more argument, the account's name; notes it in context->account. RINGBEARER_E_USAGE. */
int rbr_account_argument(struct rbr_context *context, int argc, char **argv, const char **ret_name) RBR_MUST_CHECK;

/* RINGBEARER_E_USAGE if there are arguments left. */
int rbr_no_argument(struct rbr_context *context, int argc, char **argv) RBR_MUST_CHECK;

#endif
