/* SPDX-License-Identifier: MIT */
/* The commands: one const struct each, from which usage and help are made. */
#ifndef RBR_COMMAND_H
#define RBR_COMMAND_H

#include <getopt.h>

#include "context.h"

struct rbr_command {
	const char *name;
	/* ARGV[0] is the command's name. 0, or a code; the detail is in context->error and is reported by main(). */
	int (*run)(struct rbr_context *context, int argc, char **argv);
	const char *arguments; /* for the usage line */
	const char *summary; /* one line */
	const char *about; /* what `ringbearer help COMMAND` adds */
};

/* The table; the last entry has no name. */
extern const struct rbr_command rbr_commands[];

const struct rbr_command *rbr_command_find(const char *name);

int rbr_command_get(struct rbr_context *context, int argc, char **argv);
int rbr_command_token(struct rbr_context *context, int argc, char **argv);
int rbr_command_store(struct rbr_context *context, int argc, char **argv);
int rbr_command_erase(struct rbr_context *context, int argc, char **argv);
int rbr_command_add(struct rbr_context *context, int argc, char **argv);
int rbr_command_secret(struct rbr_context *context, int argc, char **argv);
int rbr_command_list(struct rbr_context *context, int argc, char **argv);
int rbr_command_show(struct rbr_context *context, int argc, char **argv);
int rbr_command_providers(struct rbr_context *context, int argc, char **argv);
int rbr_command_refresh(struct rbr_context *context, int argc, char **argv);
int rbr_command_remove(struct rbr_context *context, int argc, char **argv);
int rbr_command_help(struct rbr_context *context, int argc, char **argv);

/* getopt_long() with our own message. The option's value or -1 at the end; on a mistake 0, with context->error set.
 * Options therefore have values from 1 on. */
int rbr_option(struct rbr_context *context, int argc, char **argv, const struct option *options);

/* Wants exactly one more argument, the account's name; notes it in context->account. RINGBEARER_E_USAGE. */
int rbr_account_argument(struct rbr_context *context, int argc, char **argv, const char **ret_name) RBR_MUST_CHECK;

/* RINGBEARER_E_USAGE if there are arguments left. */
int rbr_no_argument(struct rbr_context *context, int argc, char **argv) RBR_MUST_CHECK;

/* Writes OUT to stdout in one go. RINGBEARER_E_SYSTEM. */
int rbr_output(struct rbr_context *context, const struct ringbearer_secret *out) RBR_MUST_CHECK;

#endif
