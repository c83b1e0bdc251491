/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "stores.h"

#include <stdio.h>
#include <string.h>

#include "cli/names.h"
#include "host/host.h"
#include "host/local.h"
#include "person/log.h"
#include "person/terminal.h"
#include "protocol/writer.h"
#include "vault/vault.h"

#define WITHOUT_SERVICE "file" /* the store for a machine that has no keyring service */
#define SURVEY_MAX 240 /* of the stores in a message */
#define PATIENCE "120" /* seconds: a person is asked */

const struct option *
rbr_store_options(struct rbr_store_options *options, const struct option *more)
{
	size_t count = 0;
	int key;

	for (key = 0; key < RBR_KEYS; key++)
		if (rbr_key_is_of_store((enum rbr_key)key))
			options->list[count++] = (struct option){rbr_key_option((enum rbr_key)key, options->names[key]),
				required_argument, NULL, key + 1};
	if (more)
		options->list[count++] = *more;
	options->list[count] = (struct option){NULL, 0, NULL, 0};
	return options->list;
}

/* -- init, unlock, lock -- */

bool
rbr_stores_knows(const char *word)
{
	return strcmp(word, "init") == 0 || strcmp(word, "unlock") == 0 || strcmp(word, "lock") == 0;
}

int
rbr_store_settings_add(
	struct rbr_context *context, enum rbr_key key, const char *text, struct rbr_store_settings *settings)
{
	size_t i;

	for (i = 0; i < settings->count; i++)
		if (settings->list[i].key == key && !rbr_keys[key].repeats)
			break;
	if (i == RBR_STORE_SETTINGS_MAX)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the command line says more than %d things of a store", RBR_STORE_SETTINGS_MAX);
	settings->list[i].key = key;
	settings->list[i].text = text;
	if (i == settings->count)
		settings->count++;
	return 0;
}

const char *
rbr_store_settings_get(const struct rbr_store_settings *settings, enum rbr_key key)
{
	size_t i;

	for (i = 0; i < settings->count; i++)
		if (settings->list[i].key == key)
			return settings->list[i].text;
	return NULL;
}

static bool
is_built_in(const struct rbr_account *account)
{
	const struct rbr_value *store = rbr_account_value(account, RBR_KEY_STORE, 0);

	return store && store->layer == RBR_LAYER_DEFAULT;
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

int
rbr_stores_account(struct rbr_context *context, int argc, char **argv, struct rbr_store_settings *settings,
	const char *otherwise, struct rbr_account *ret_account)
{
	size_t i;
	int rc = take_account(context, argc, argv, ret_account);

	if (rc == 0 && !rbr_store_settings_get(settings, RBR_KEY_STORE) && is_built_in(ret_account))
		rc = rbr_store_settings_add(context, RBR_KEY_STORE, otherwise, settings);
	if (rc == 0)
		rc = rbr_store_settings_add(context, RBR_KEY_TIMEOUT, PATIENCE, settings);
	for (i = 0; rc == 0 && i < settings->count; i++)
		rc = rbr_account_override(ret_account, settings->list[i].key, settings->list[i].text, &context->error);
	return rc;
}

/* What WORD does to STORE; NULL: nothing. */
static int (*operation_of(const struct rbr_store *store, const char *word))(struct ringbearer_call *)
{
	if (strcmp(word, "init") == 0)
		return store->ops.prepare;
	return strcmp(word, "lock") == 0 ? store->ops.lock : store->ops.unlock;
}

/* Of a store that is elsewhere it is the one on this machine that has its key. */
static int
do_it(struct rbr_context *context, const struct rbr_account *account, const char *word)
{
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	const struct rbr_store *store;
	struct rbr_vault vault;
	struct rbr_local local;
	int rc;

	rbr_call_start(&call, context, account, true);
	rc = rbr_vault_open(&call, &vault);
	store = &vault.store;
	if (rc == 0 && rbr_loader_shares(&vault.store) && !operation_of(store, word)) {
		rc = rbr_local_open(&call, RINGBEARER_LOCAL_SEAL, &local);
		store = &local.store;
	}
	if (rc < 0)
		return rc;
	if (!operation_of(store, word))
		return rbr_fail(&context->error, RINGBEARER_E_USAGE, "the store `%s` needs no `%s`",
			rbr_account_get(account, store == &vault.store ? RBR_KEY_STORE : RBR_KEY_STORE_LOCAL), word);
	return rbr_loader_check(context, store->name, operation_of(store, word)(&call));
}

int
rbr_stores_see_to(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_store_settings settings = {.count = 0};
	struct rbr_store_options options;
	int option, rc = 0;

	(void)rbr_store_options(&options, NULL);
	while (rc == 0 && (option = rbr_option(context, argc, argv, options.list)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		rc = rbr_store_settings_add(context, (enum rbr_key)(option - 1), optarg, &settings);
	}
	if (rc == 0)
		rc = rbr_stores_account(context, argc, argv, &settings, WITHOUT_SERVICE, &account);
	return rc < 0 ? rc : do_it(context, &account, argv[0]);
}

/* -- choosing -- */

static int
try_store(struct rbr_context *context, struct rbr_account *account, struct rbr_choice_of_store *choice)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *found = NULL;
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
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
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
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
