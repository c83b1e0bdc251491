/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callers.h"
#include "command.h"
#include "harden.h"
#include "log.h"

static int
usage(struct rbr_context *context, const char *what)
{
	return rbr_fail(&context->error, RINGBEARER_E_USAGE, "%s; see `ringbearer help`", what);
}

static int
run(struct rbr_context *context, int argc, char **argv)
{
	char help[] = "help";
	char *help_argv[] = {help, NULL};
	const struct rbr_command *command;
	int i;

	if (argc < 2)
		return usage(context, "name a command");
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("ringbearer %s\n", ringbearer_version());
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0)
		return rbr_command_help(context, 1, help_argv);
	if (argv[1][0] == '-')
		return usage(context, "options come after the command");
	command = rbr_command_find(argv[1]);
	if (!command) {
		/* git asks helpers to ignore what they do not know; a person at a terminal wants to be told. */
		return isatty(STDIN_FILENO) ? rbr_command_missing(context, argv[1]) : 0;
	}
	for (i = 2; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0) {
			char *about[] = {help, argv[1], NULL};

			return rbr_command_help(context, 2, about);
		}
	return command->run(context, argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
	const struct rbr_caller *caller = argc > 0 ? rbr_caller_find(argv[0]) : NULL;
	struct rbr_context context;
	int rc;

	if (!rbr_harden())
		return ringbearer_error_exit_status(RINGBEARER_E_CONFIG);
	rbr_context_start(&context);
	rc = caller ? caller->run(&context, argc, argv) : run(&context, argc, argv);
	if (fflush(stdout) != 0 && rc == 0)
		rc = rbr_fail(&context.error, RINGBEARER_E_SYSTEM, "the answer cannot be written");
	if (rc < 0)
		rbr_report(&context, context.account[0] != '\0' ? context.account : NULL);
	if (rc < 0 && caller && caller->failure)
		return caller->failure;
	return ringbearer_error_exit_status(rc < 0 ? rc : context.unfinished);
}
