/* SPDX-License-Identifier: MIT */
/*
 * `add`: account file and secret, both or none. Everything is checked before anything is kept; the secret goes first,
 * since a keyring that cannot be written is the likelier failure, and is taken back if the file cannot be made.
 */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "accounts/keys.h"
#include "command.h"
#include "custody.h"
#include "needs.h"
#include "person/log.h"
#include "person/terminal.h"
#include "protocol/fastpath/paths.h"
#include "questions.h"
#include "stores.h"
#include "write.h"

#define OPTION_SECRET_STDIN (RBR_KEYS + 1)
#define OPTION_NO_QUESTIONS (RBR_KEYS + 2)

struct choices {
	bool from_stdin; /* the secret is read there */
	bool no_questions;
	bool asked; /* a person has answered some */
};

/* Every key of keys.def is an option, with dashes for underscores. */
static void
make_options(struct option options[RBR_KEYS + 3], char names[RBR_KEYS][RBR_KEY_OPTION_MAX])
{
	int key;

	for (key = 0; key < RBR_KEYS; key++)
		options[key] = (struct option){
			rbr_key_option((enum rbr_key)key, names[key]), required_argument, NULL, key + 1};
	options[RBR_KEYS] = (struct option){"secret-stdin", no_argument, NULL, OPTION_SECRET_STDIN};
	options[RBR_KEYS + 1] = (struct option){"no-questions", no_argument, NULL, OPTION_NO_QUESTIONS};
	options[RBR_KEYS + 2] = (struct option){NULL, 0, NULL, 0};
}

static int
read_options(struct rbr_context *context, int argc, char **argv, struct rbr_message *lines, struct choices *choices)
{
	struct option options[RBR_KEYS + 3];
	char names[RBR_KEYS][RBR_KEY_OPTION_MAX];
	int option;

	make_options(options, names);
	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		if (option == OPTION_SECRET_STDIN)
			choices->from_stdin = true;
		else if (option == OPTION_NO_QUESTIONS)
			choices->no_questions = true;
		else if (rbr_message_add(lines, rbr_keys[option - 1].name, optarg) < 0)
			return rbr_fail(&context->error, RINGBEARER_E_USAGE,
				"the value of --%s has a newline or is too long; shorten it", names[option - 1]);
	}
	return 0;
}

/* The account must not be there yet: an old one is never overwritten. */
static int
refuse_existing(struct rbr_context *context, const char *name, char ret_path[PATH_MAX])
{
	char folder[PATH_MAX];
	struct rbr_located located;
	struct rbr_error *error = &context->error;
	int rc = rbr_account_locate(name, &located, error);

	if (rc == 0)
		return rbr_fail(error, RINGBEARER_E_USAGE,
			"there is already an account of this name; edit %s, or run `ringbearer remove %s` first",
			located.path, name);
	if (rc != RINGBEARER_E_NO_ACCOUNT)
		return rc;
	rc = rbr_path_folder(RBR_PLACE_USER, "accounts", folder, error);
	if (rc == 0)
		rc = rbr_path_make(folder, error);
	return rc < 0 ? rc : rbr_path_join(folder, name, ret_path, error);
}

static int
keep_secret(struct rbr_context *context, struct rbr_account *account, const char *kind, const struct choices *choices)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	int rc = rbr_custody_ask(context, account, kind, choices->from_stdin, &secret);

	return rc < 0 ? rc : rbr_custody_keep(context, account, kind, &secret, true);
}

/* Tries the store, has a person choose another, and notes that one in LINES. */
static int
choose_store(struct rbr_context *context, struct rbr_account *account, struct rbr_message *lines,
	const struct choices *choices, struct rbr_choice_of_store *choice)
{
	int rc;

	choice->may_ask = !choices->from_stdin && !choices->no_questions && isatty(STDIN_FILENO);
	rc = rbr_stores_choose(context, account, choice);
	if (rc == 0 && choice->given && choices->from_stdin)
		rc = rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the store `%s` is only read: put the secret there, and leave --secret-stdin out",
			rbr_account_get(account, RBR_KEY_STORE));
	if (rc == 0 && choice->chosen[0] != '\0' && rbr_message_add(lines, "store", choice->chosen) < 0)
		rc = rbr_fail_memory(&context->error);
	if (choice->given)
		choice->kind = NULL;
	return rc;
}

/* What a person types next. */
static void
tell_next(const char *name, bool login, bool asked)
{
	if (asked && login)
		rbr_say("%s: added. Now run:\n  ringbearer login %s\n  ringbearer token %s --show\n", name, name, name);
	else if (asked)
		rbr_say("%s: added. Now run:\n  ringbearer token %s --show\n  ringbearer doctor %s\n", name, name,
			name);
	else
		rbr_say(login ? "%s: added; now run `ringbearer login %s`\n"
			      : "%s: added; try `ringbearer token %s --show`\n",
			name, name);
}

static int
add(struct rbr_context *context, const char *name, struct rbr_message *lines, struct choices *choices)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	struct rbr_choice_of_store choice = {.kind = NULL};
	char path[PATH_MAX];
	int rc = refuse_existing(context, name, path);

	if (rc == 0 && !choices->from_stdin && !choices->no_questions && isatty(STDIN_FILENO) && rbr_terminal_present())
		rc = rbr_questions_ask(context, name, lines, &choices->asked);
	if (rc == 0)
		rc = rbr_account_assemble(name, lines, "the command line", &account, &context->error);
	if (rc == 0)
		rc = rbr_needs_secret(context, &account, &choice.kind, &choice.login);
	if (rc == 0)
		rc = choose_store(context, &account, lines, choices, &choice);
	if (rc == 0 && rbr_message_format(lines, &text) < 0)
		rc = rbr_fail_memory(&context->error);
	if (rc == 0 && choice.kind)
		rc = keep_secret(context, &account, choice.kind, choices);
	if (rc < 0)
		return rc;
	rc = rbr_write_new(context, path, &text);
	if (rc < 0 && choice.kind) {
		RBR_CLEANUP(rbr_close) int turn = -1;
		struct rbr_error first = context->error;

		if (rbr_custody_erase(context, &account, choice.kind, false, &turn) < 0)
			rbr_warn(context, name, "its secret stays in the store: %s", context->error.detail);
		context->error = first;
		return rc;
	}
	if (rc == 0)
		tell_next(name, choice.login, choices->asked);
	return rc;
}

int
rbr_command_add(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	struct choices choices = {false, false, false};
	const char *name = NULL;
	int rc = read_options(context, argc, argv, &lines, &choices);

	if (rc == 0)
		rc = rbr_account_argument(context, argc, argv, &name);
	return rc < 0 ? rc : add(context, name, &lines, &choices);
}
