/* SPDX-License-Identifier: MIT */
/*
 * `doctor`: what works, what does not, and the command that mends it. It stands above all other rooms, since it looks into each:
 * first this machine, then the accounts. A look changes nothing and asks nobody; what could not be looked at is said.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "cli/names.h"
#include "commands/command.h"
#include "protocol/fastpath/locate.h"

bool
rbr_done_has(const struct rbr_done *done, const char *text)
{
	size_t i;

	for (i = 0; i < done->count; i++)
		if (strcmp(done->list[i], text) == 0)
			return true;
	return false;
}

bool
rbr_done_before(struct rbr_done *done, const char *text)
{
	if (rbr_done_has(done, text))
		return true;
	if (done->count < RBR_DONE_MAX) {
		done->list[done->count] = strdup(text);
		if (done->list[done->count])
			done->count++;
	}
	return false;
}

void
rbr_done_wipe(struct rbr_done *done)
{
	while (done->count > 0)
		free(done->list[--done->count]);
}

static int
check_accounts(struct rbr_checkup *checkup, struct rbr_done *done)
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	struct rbr_context *context = checkup->context;
	size_t i;
	int rc = rbr_account_visit(rbr_names_add, &names, &context->error);

	rbr_names_sort(&names);
	for (i = 0; rc == 0 && i < names.count; i++)
		rbr_check_account(checkup, names.list[i], done);
	if (rc == 0 && names.count == 0)
		rbr_unchecked(checkup, "accounts", "there is none yet; `ringbearer add NAME` makes one");
	return rc;
}

/* Where no account says so, the store that one would have. Without a session it is ill only where an account has it. */
static void
check_default_store(struct rbr_checkup *checkup, struct rbr_done *done)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;

	if (rbr_message_add(&lines, "grant", "api_key") < 0)
		return;
	if (rbr_account_assemble("store", &lines, "the defaults", &account, &checkup->context->error) < 0)
		rbr_ill_by_error(checkup, "defaults", NULL);
	else if (rbr_bus_is_absent() && rbr_account_value(&account, RBR_KEY_STORE, 0)->layer == RBR_LAYER_DEFAULT)
		rbr_unchecked(checkup, "store secret_service",
			"no keyring service here; `ringbearer store init` and then `ringbearer add NAME --store=file` do without");
	else
		(void)rbr_check_store(checkup, &account, done);
}

static int
check_all(struct rbr_checkup *checkup, struct rbr_done *done)
{
	int rc;

	rbr_check_cache(checkup);
	rbr_check_modules(checkup);
	rbr_check_bus(checkup);
	check_default_store(checkup, done);
	rbr_check_callers(checkup);
	rbr_check_providers(checkup);
	rc = check_accounts(checkup, done);
	if (rc == 0)
		rbr_check_matches(checkup);
	return rc;
}

static int
check_one(struct rbr_checkup *checkup, struct rbr_done *done)
{
	struct rbr_located located;
	int rc = rbr_account_locate(checkup->only, &located, &checkup->context->error);

	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return rbr_account_missing(checkup->only, &checkup->context->error);
	rbr_check_cache(checkup);
	rbr_check_account(checkup, checkup->only, done);
	return 0;
}

enum { OPTION_JSON = 1, OPTION_WITH_SECRETS };

static bool
may_colour(void)
{
	const char *terminal = secure_getenv("TERM"), *none = secure_getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (!none || *none == '\0') && terminal && strcmp(terminal, "dumb") != 0;
}

int
rbr_command_doctor(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
		{"with-secrets", no_argument, NULL, OPTION_WITH_SECRETS}, {NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_done_wipe) struct rbr_done done = {.count = 0};
	struct rbr_checkup checkup = {.context = context};
	int option, rc = 0;

	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		if (option == OPTION_JSON)
			checkup.json = true;
		else
			checkup.with_secrets = true;
	}
	if (optind < argc)
		rc = rbr_account_argument(context, argc, argv, &checkup.only);
	checkup.colour = !checkup.json && may_colour();
	if (rc == 0)
		rc = checkup.only ? check_one(&checkup, &done) : check_all(&checkup, &done);
	if (rc == 0)
		rc = rbr_report_end(&checkup);
	rbr_secret_wipe(&checkup.out);
	if (rc < 0)
		return rc;
	context->quiet = true; /* all has been said */
	return checkup.first;
}
