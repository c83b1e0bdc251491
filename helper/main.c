/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callers/callers.h"
#include "cli/harden.h"
#include "commands/command.h"
#include "host/idn.h"
#include "person/log.h"
#include "person/notice.h"

static int
usage(struct rbr_context *context, const char *what)
{
	return rbr_fail(&context->error, RINGBEARER_E_USAGE, "%s; see `ringbearer help`", what);
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool
is_version(const char *word)
{
	return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

static int
run_caller(struct rbr_context *context, const struct rbr_caller *caller, int argc, char **argv)
{
	if (argc == 2 && is_version(argv[1]))
		rbr_say("%s (ringbearer) %s\n", caller->link, ringbearer_version());
	else if (argc == 2 && is_help(argv[1]))
		rbr_say("%s.\nringbearer(1) says more.\n", caller->usage);
	else
		return caller->run(context, argc, argv);
	return 0;
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
	if (is_version(argv[1])) {
		rbr_say("ringbearer %s\n", ringbearer_version());
		return 0;
	}
	if (is_help(argv[1]))
		return rbr_command_help(context, 1, help_argv);
	if (argv[1][0] == '-')
		return usage(context, "options come after the command");
	command = rbr_command_find(argv[1]);
	if (!command) {
		/* git asks helpers to ignore what they do not know; a person at a terminal wants to be told. */
		return isatty(STDIN_FILENO) ? rbr_command_missing(context, argv[1]) : 0;
	}
	for (i = 2; i < argc; i++)
		if (is_help(argv[i])) {
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
	context.settle_host = rbr_idn_settle;
	rc = caller ? run_caller(&context, caller, argc, argv) : run(&context, argc, argv);
	if (fflush(stdout) != 0 && rc == 0)
		rc = rbr_fail(&context.error, RINGBEARER_E_SYSTEM, "the answer cannot be written");
	if (rc < 0)
		rbr_report(&context, context.account[0] != '\0' ? context.account : NULL);
	if (rc == RINGBEARER_E_LOGIN_REQUIRED && context.in_background && context.account[0] != '\0' &&
		rbr_notice_is_wanted())
		rbr_notice_start(context.account);
	if (rc < 0 && caller && caller->failure)
		return caller->failure;
	return ringbearer_error_exit_status(rc < 0 ? rc : context.unfinished);
}
