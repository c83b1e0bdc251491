/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "stores.h"

#include <stdio.h>
#include <string.h>

#include "accounts/keys.h"
#include "cli/names.h"
#include "host/host.h"
#include "person/log.h"
#include "person/terminal.h"
#include "protocol/writer.h"
#include "vault/vault.h"

#define WITHOUT_SERVICE "file" /* the store for a machine that has no keyring service */
#define SURVEY_MAX 240 /* of the stores in a message */
#define PATIENCE "120" /* seconds: a person is asked */

const struct option rbr_store_options[RBR_STORE_OPTIONS + 1] = {
	{"store", required_argument, NULL, RBR_KEY_STORE + 1},
	{"store-folder", required_argument, NULL, RBR_KEY_STORE_FOLDER + 1},
	{"store-key", required_argument, NULL, RBR_KEY_STORE_KEY + 1},
	{"store-key-file", required_argument, NULL, RBR_KEY_STORE_KEY_FILE + 1},
	{"store-passphrase-time", required_argument, NULL, RBR_KEY_STORE_PASSPHRASE_TIME + 1},
	{"store-command", required_argument, NULL, RBR_KEY_STORE_COMMAND + 1},
	{NULL, 0, NULL, 0},
};

/* -- init, unlock, lock -- */

bool
rbr_stores_knows(const char *word)
{
	return strcmp(word, "init") == 0 || strcmp(word, "unlock") == 0 || strcmp(word, "lock") == 0;
}

/* The account that is named, or one that stands for all. */
static int
take_account(struct rbr_context *context, int argc, char **argv, struct rbr_account *account)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	const char *name = NULL;
	int rc;

	if (optind < argc) {
		rc = rbr_account_argument(context, argc, argv, &name);
		return rc < 0 ? rc : rbr_account_load(name, account, &context->error);
	}
	if (rbr_message_add(&lines, "grant", "api_key") < 0)
		return rbr_fail_memory(&context->error);
	return rbr_account_assemble("store", &lines, "the command line", account, &context->error);
}

static int
take_options(struct rbr_context *context, int argc, char **argv, const char *values[RBR_KEYS])
{
	int option;

	while ((option = rbr_option(context, argc, argv, rbr_store_options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		values[option - 1] = optarg;
	}
	return 0;
}

static bool
is_built_in(const struct rbr_account *account)
{
	const struct rbr_value *store = rbr_account_value(account, RBR_KEY_STORE, 0);

	return store && store->layer == RBR_LAYER_DEFAULT;
}

static int
do_it(struct rbr_context *context, const struct rbr_account *account, const char *word)
{
	struct ringbearer_call call;
	struct rbr_vault vault;
	int (*operation)(struct ringbearer_call * call);
	int rc;

	rbr_call_start(&call, context, account, true);
	rc = rbr_vault_open(&call, &vault);
	if (rc < 0)
		return rc;
	if (strcmp(word, "init") == 0)
		operation = vault.store.ops.prepare;
	else
		operation = strcmp(word, "lock") == 0 ? vault.store.ops.lock : vault.store.ops.unlock;
	if (!operation)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE, "the store `%s` needs no `%s`",
			rbr_account_get(account, RBR_KEY_STORE), word);
	return rbr_loader_check(context, vault.store.name, operation(&call));
}

int
rbr_stores_see_to(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const char *values[RBR_KEYS] = {NULL};
	int key, rc = take_options(context, argc, argv, values);

	if (rc == 0)
		rc = take_account(context, argc, argv, &account);
	if (rc == 0 && !values[RBR_KEY_STORE] && is_built_in(&account))
		values[RBR_KEY_STORE] = WITHOUT_SERVICE;
	values[RBR_KEY_TIMEOUT] = PATIENCE;
	for (key = 0; rc == 0 && key < RBR_KEYS; key++)
		if (values[key])
			rc = rbr_account_override(&account, (enum rbr_key)key, values[key], &context->error);
	return rc < 0 ? rc : do_it(context, &account, argv[0]);
}

/* -- choosing -- */

static int
try_store(struct rbr_context *context, struct rbr_account *account, struct rbr_choice_of_store *choice)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *found = NULL;
	struct ringbearer_call call;
	struct rbr_vault vault;
	int rc;

	rbr_call_start(&call, context, account, true);
	rc = rbr_vault_open(&call, &vault);
	if (rc < 0)
		return rc;
	if (!rbr_vault_is_read_only(&vault))
		return rbr_vault_probe(&vault);
	if (choice->login)
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			"the store `%s` is only read, and the grant `%s` brings a refresh token that must be kept, and kept anew with each "
			"rotation; choose another `store`",
			rbr_account_get(account, RBR_KEY_STORE), rbr_account_get(account, RBR_KEY_GRANT));
	choice->given = true;
	if (choice->kind && rbr_vault_lookup(&vault, choice->kind, &found) < 0)
		rbr_warn(context, account->name, "its secret is not there yet: %s", context->error.detail);
	context->error.code = 0;
	return 0;
}

/* The stores that there are, with ", " between them. */
static void
survey(char text[SURVEY_MAX])
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	struct rbr_writer writer = rbr_writer_start(text, SURVEY_MAX);
	size_t i;

	if (rbr_loader_names("store", &names) < 0)
		return;
	for (i = 0; i < names.count; i++)
		rbr_write_format(&writer, "%s%s", i > 0 ? ", " : "", names.list[i]);
}

/* Is NAME among those that there are? */
static bool
is_offered(const char *names, const char *name)
{
	size_t size = strlen(name);

	for (; *names; names += strspn(names, ", ")) {
		size_t each = strcspn(names, ",");

		if (each == size && memcmp(names, name, size) == 0)
			return true;
		names += each;
	}
	return false;
}

/* Makes what the store needs, as `store init` does. */
static int
settle(struct rbr_context *context, struct rbr_account *account, const char *name)
{
	struct ringbearer_call call;
	struct rbr_vault vault;
	int rc = rbr_account_override(account, RBR_KEY_STORE, name, &context->error);

	rbr_call_start(&call, context, account, true);
	if (rc == 0)
		rc = rbr_vault_open(&call, &vault);
	if (rc == 0 && vault.store.ops.prepare)
		rc = rbr_loader_check(context, vault.store.name, vault.store.ops.prepare(&call));
	return rc;
}

/* A person says which store, if one may be asked; otherwise all are named. */
static int
ask_for_another(struct rbr_context *context, struct rbr_account *account, struct rbr_choice_of_store *choice)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret answer = RBR_SECRET_EMPTY;
	char names[SURVEY_MAX], prompt[SURVEY_MAX + 512];
	struct rbr_error why = context->error;
	const char *name;
	int rc;

	survey(names);
	if (!choice->may_ask || !rbr_terminal_present())
		return rbr_fail(&context->error, why.code,
			"%.300s; or keep secrets elsewhere: add --store= with one of %s", why.detail, names);
	(void)snprintf(prompt, sizeof prompt,
		"There is no keyring service here: %.300s.\nWhere are the secrets to rest? There are: %s [" WITHOUT_SERVICE
		"]: ",
		why.detail, names);
	rc = rbr_terminal_question(prompt, &answer, &context->error);
	if (rc < 0)
		return rc;
	name = answer.size > 0 ? rbr_secret_string(&answer) : WITHOUT_SERVICE;
	if (!is_offered(names, name) || strlen(name) >= sizeof choice->chosen)
		return rbr_fail(
			&context->error, RINGBEARER_E_USAGE, "there is no store `%.40s`; there are: %s", name, names);
	(void)snprintf(choice->chosen, sizeof choice->chosen, "%s", name);
	rc = settle(context, account, choice->chosen);
	return rc < 0 ? rc : try_store(context, account, choice);
}

int
rbr_stores_choose(struct rbr_context *context, struct rbr_account *account, struct rbr_choice_of_store *choice)
{
	int rc;

	if (!choice->kind && !choice->login)
		return 0;
	rc = try_store(context, account, choice);
	if (rc == RINGBEARER_E_STORE_UNAVAILABLE && is_built_in(account)) {
		rc = ask_for_another(context, account, choice);
		if (rc < 0 && !choice->kind) { /* there is nothing to keep before the login */
			rbr_warn(context, account->name, "%s", context->error.detail);
			rc = 0;
		}
	}
	return rc;
}
