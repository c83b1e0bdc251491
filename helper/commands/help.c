/* SPDX-License-Identifier: MIT */
/* `help`: made from the command table and the table of keys. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "accounts/account.h"
#include "accounts/keys.h"
#include "command.h"
#include "person/log.h"

static void
print_overview(void)
{
	const struct rbr_command *command;

	rbr_say("usage: ringbearer COMMAND [OPTION …]\n\n"
		"Hands OAuth 2.0 access tokens and API keys to the programs that ask for them.\n\n");
	for (command = rbr_commands; command->name; command++)
		rbr_say("  %-10s %s\n", command->name, command->summary);
	rbr_say("\n`ringbearer help COMMAND` says more; ringbearer(1) says it all.\n");
}

/* Every key is an option of `add`. */
static void
print_keys(void)
{
	char name[RBR_KEY_OPTION_MAX], option[RBR_KEY_OPTION_MAX + 24];
	int key;

	for (key = 0; key < RBR_KEYS; key++) {
		(void)snprintf(option, sizeof option, "%s=%s", rbr_key_option((enum rbr_key)key, name),
			rbr_keys[key].placeholder);
		rbr_say("  --%-38s %s", option, rbr_keys[key].help);
		if (rbr_keys[key].initial)
			rbr_say(" (%s)", rbr_keys[key].initial);
		rbr_say("\n");
	}
}

/* TEXT, with the forms of an answer where it says so. */
static void
print_about(const char *text)
{
	static const char mark[] = "@FORMS@";
	const char *found = strstr(text, mark);
	char names[RBR_FORMAT_NAMES_MAX];

	if (!found) {
		rbr_say("%s", text);
		return;
	}
	rbr_format_names(names);
	rbr_say("%.*s%s%s", (int)(found - text), text, names, found + sizeof mark - 1);
}

static void
print_command(const struct rbr_command *command)
{
	rbr_say("usage: ringbearer %s%s%s\n\n%c%s.\n", command->name, command->arguments[0] ? " " : "",
		command->arguments, command->summary[0] - 'a' + 'A', command->summary + 1);
	if (command->about[0] != '\0') {
		rbr_say("\n");
		print_about(command->about);
	}
	if (strcmp(command->name, "add") == 0)
		print_keys();
	rbr_say("\nringbearer-%s(1) says more.\n", command->name);
}

int
rbr_command_help(struct rbr_context *context, int argc, char **argv)
{
	const struct rbr_command *command = argc > 1 ? rbr_command_find(argv[1]) : NULL;

	if (argc < 2) {
		print_overview();
		return 0;
	}
	if (!command)
		return rbr_command_missing(context, argv[1]);
	print_command(command);
	return 0;
}
