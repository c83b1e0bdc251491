/* SPDX-License-Identifier: MIT */
/* git: the verbs are ringbearer's own. Options that stand in `credential.helper` come before the verb. */
#include "config.h"

#include <string.h>

#include "callers.h"
#include "commands/command.h"

#define ARGUMENTS_MAX 32

/* What this helper can do (git 2.46 and later; gitcredentials(7)). */
static int
print_capabilities(struct rbr_context *context)
{
	static const char text[] = "version 0\ncapability authtype\ncapability state\n";

	return rbr_caller_write(context, text);
}

/* There is nobody else to ask: git would have other helpers look for, and then a person type, a user name and a password that
 * the service does not want. */
static void
say_quit(struct rbr_context *context)
{
	const struct rbr_error why = context->error;

	if (rbr_caller_write(context, "quit=1\n") < 0)
		context->error = why; /* the first reason is the one to report */
}

int
rbr_caller_git(struct rbr_context *context, int argc, char **argv)
{
	const struct rbr_command *command;
	char *arguments[ARGUMENTS_MAX];
	const char *verb;
	int rc;

	if (argc < 2 || argc > ARGUMENTS_MAX)
		return rbr_caller_misuse(context, argv[0]);
	verb = argv[argc - 1];
	if (strcmp(verb, "capability") == 0)
		return print_capabilities(context);
	command = strcmp(verb, "get") == 0 || strcmp(verb, "store") == 0 || strcmp(verb, "erase") == 0
		? rbr_command_find(verb)
		: NULL;
	if (!command) /* git asks helpers to ignore what they do not know */
		return 0;
	arguments[0] = argv[argc - 1];
	memcpy(arguments + 1, argv + 1, (size_t)(argc - 2) * sizeof *argv);
	arguments[argc - 1] = NULL;
	context->for_git = true;
	context->interactive_hint = "run `ringbearer setup git --interactive`";
	rc = command->run(context, argc - 1, arguments);
	if (rc == RINGBEARER_E_LOGIN_REQUIRED && strcmp(verb, "get") == 0)
		say_quit(context);
	/* git asks for every host, and wants silence where there is nothing. */
	context->quiet = rc == RINGBEARER_E_NO_ACCOUNT && !context->trace;
	return rc;
}
