/* SPDX-License-Identifier: MIT */
/* The commands: one const struct each, from which usage and help are made. */
#ifndef RBR_COMMAND_H
#define RBR_COMMAND_H

#include "cli/ask.h"
#include "cli/options.h"

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

/* RINGBEARER_E_USAGE, naming the command that may have been meant by NAME. */
int rbr_command_missing(struct rbr_context *context, const char *name);

int rbr_command_get(struct rbr_context *context, int argc, char **argv);
int rbr_command_store(struct rbr_context *context, int argc, char **argv);
int rbr_command_erase(struct rbr_context *context, int argc, char **argv);
int rbr_command_add(struct rbr_context *context, int argc, char **argv);
int rbr_command_secret(struct rbr_context *context, int argc, char **argv);
int rbr_command_list(struct rbr_context *context, int argc, char **argv);
int rbr_command_setup(struct rbr_context *context, int argc, char **argv);
int rbr_command_show(struct rbr_context *context, int argc, char **argv);
int rbr_command_providers(struct rbr_context *context, int argc, char **argv);
int rbr_command_login(struct rbr_context *context, int argc, char **argv);
int rbr_command_logout(struct rbr_context *context, int argc, char **argv);
int rbr_command_refresh(struct rbr_context *context, int argc, char **argv);
int rbr_command_move(struct rbr_context *context, int argc, char **argv);
int rbr_command_seal(struct rbr_context *context, int argc, char **argv);
int rbr_command_remove(struct rbr_context *context, int argc, char **argv);
int rbr_command_systemd(struct rbr_context *context, int argc, char **argv);
int rbr_command_doctor(struct rbr_context *context, int argc, char **argv);
int rbr_command_notice(struct rbr_context *context, int argc, char **argv);
int rbr_command_complete(struct rbr_context *context, int argc, char **argv);
int rbr_command_help(struct rbr_context *context, int argc, char **argv);

#endif
