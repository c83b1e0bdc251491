/* SPDX-License-Identifier: MIT */
/*
 * `move`: an account's secrets go from one store to another. They are copied and read back, then the account's file names the new
 * store, and only then do they leave the old one: whenever this ends, the store that the file names has them. Renewals
 * wait meanwhile, on other machines that share the login as well, so that no token is used up in between.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts/provider.h"
#include "cached.h"
#include "command.h"
#include "needs.h"
#include "person/log.h"
#include "renewal/sharing.h"
#include "renewal/turn.h"
#include "stores.h"
#include "vault/shared.h"
#include "vault/vault.h"
#include "write.h"

#define KINDS_MAX 8

/* One of the two ends. */
struct place {
	struct rbr_account account;
	struct ringbearer_call call;
	struct rbr_vault vault;
};

struct moving {
	struct rbr_context *context;
	struct place old;
	struct place new;
	struct rbr_store_settings settings; /* what the command line says of the new store */
	const char *carried[KINDS_MAX];
	size_t count;
	const char *spare[KINDS_MAX]; /* what the new store has from another machine already */
	size_t spares;
};

static void
end_moving(struct moving *moving)
{
	rbr_call_end(&moving->old.call);
	rbr_call_end(&moving->new.call);
	rbr_account_wipe(&moving->old.account);
	rbr_account_wipe(&moving->new.account);
}

static const char *
new_store(const struct moving *moving)
{
	return rbr_store_settings_get(&moving->settings, RBR_KEY_STORE);
}

/* -- the account's file -- */

/* Does a line of the file, of SIZE bytes, set a key that is to go: one that is given anew, or one of another store? */
static bool
goes(const struct moving *moving, const char *line, size_t size, bool other)
{
	char key[64];
	size_t blank = strspn(line, " \t"), name;
	int found;

	if (blank >= size)
		return false;
	name = strcspn(line + blank, " \t=\n");
	if (name == 0 || name >= sizeof key)
		return false;
	memcpy(key, line + blank, name);
	key[name] = '\0';
	found = rbr_key_find(key);
	return found >= 0 && rbr_key_is_of_store((enum rbr_key)found) &&
		(other || rbr_store_settings_get(&moving->settings, (enum rbr_key)found));
}

static int
add_line(struct ringbearer_secret *text, const char *key, const char *value)
{
	int rc = rbr_secret_append_string(text, key);

	if (rc == 0)
		rc = rbr_secret_append_string(text, " = ");
	if (rc == 0)
		rc = rbr_secret_append_string(text, value);
	return rc < 0 ? rc : rbr_secret_append(text, "\n", 1);
}

/* The file's text with the new store in it. */
static int
rewrite(const struct moving *moving, const char *before, struct ringbearer_secret *after)
{
	const struct rbr_store_settings *settings = &moving->settings;
	bool other = strcmp(rbr_account_get(&moving->old.account, RBR_KEY_STORE), new_store(moving)) != 0;
	size_t size, i;
	int rc = 0;

	for (; rc == 0 && *before; before += size) {
		size = strcspn(before, "\n");
		size += before[size] == '\n';
		if (!goes(moving, before, size, other))
			rc = rbr_secret_append(after, before, size);
		if (rc == 0 && after->size > 0 && after->data[after->size - 1] != '\n')
			rc = rbr_secret_append(after, "\n", 1);
	}
	for (i = 0; rc == 0 && i < settings->count; i++)
		rc = add_line(after, rbr_keys[settings->list[i].key].name, settings->list[i].text);
	return rc;
}

static int
read_text(struct rbr_context *context, const char *path, struct ringbearer_secret *text)
{
	char chunk[4096];
	FILE *file = fopen(path, "re");
	size_t got;
	int rc = 0;

	if (!file)
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG, "%s cannot be read: %s", path, strerror(errno));
	while (rc == 0 && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
		rc = rbr_secret_append(text, chunk, got);
	(void)fclose(file);
	return rc < 0 ? rbr_fail_memory(&context->error) : 0;
}

/* The account as the new text has it. */
static int
assemble(struct moving *moving, const struct ringbearer_secret *text)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	const struct rbr_account *old = &moving->old.account;
	struct rbr_error *error = &moving->context->error;
	int rc = rbr_message_parse(&lines, rbr_secret_string(text), text->size, RBR_DIALECT_FILE, "the command line",
		RINGBEARER_E_CONFIG, error);

	memcpy(moving->new.account.path, old->path, sizeof old->path); /* whose account it is says where its store is */
	return rc < 0 ? rc : rbr_account_assemble(old->name, &lines, old->path, &moving->new.account, error);
}

/* -- the secrets -- */

static int
open_place(struct rbr_context *context, struct place *place)
{
	struct rbr_grant grant;
	int rc;

	rbr_call_start(&place->call, context, &place->account, true);
	rc = rbr_needs_grant(&place->call, &place->account, RBR_KEPT, &grant);
	return rc < 0 ? rc : rbr_vault_open(&place->call, &place->vault);
}

/* Has another machine put this into the store that they share? Then that is what counts: a copy of the same login may have been
 * used up there. */
static int
find_shared(struct moving *moving, const char *kind, bool *ret_found)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *there = NULL;
	int rc = RINGBEARER_E_NO_SECRET;

	if (rbr_shared_is_possible(&moving->new.vault))
		rc = rbr_vault_lookup(&moving->new.vault, kind, &there);
	*ret_found = rc == 0;
	return rc == RINGBEARER_E_NO_SECRET ? 0 : rc;
}

static int
carry(struct moving *moving, const char *kind)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *secret = NULL;
	char endpoint[RBR_BINDING_MAX];
	bool found;
	int rc;

	if (rbr_vault_binding(&moving->old.account, kind, endpoint, NULL) < 0)
		return 0; /* there can be none */
	rc = rbr_vault_lookup(&moving->old.vault, kind, &secret);
	if (rc == RINGBEARER_E_NO_SECRET)
		return 0;
	if (rc == 0)
		rc = find_shared(moving, kind, &found);
	if (rc == 0 && found) {
		moving->spare[moving->spares++] = kind;
		return 0;
	}
	if (rc == 0) {
		rbr_call_hide(&moving->new.call, secret);
		rc = rbr_vault_keep(&moving->new.vault, kind, secret);
		rbr_call_reveal(&moving->new.call, secret);
	}
	if (rc == 0)
		moving->carried[moving->count++] = kind;
	return rc;
}

static int
remove_kinds(struct rbr_vault *vault, const char *const *kinds, size_t count)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < count; i++)
		rc = rbr_vault_erase(vault, kinds[i]);
	return rc;
}

static int
carry_all(struct moving *moving)
{
	struct rbr_context *context = moving->context;
	bool same = false;
	size_t i;
	int rc = open_place(context, &moving->new);

	if (rc == 0)
		rc = rbr_vault_same(&moving->old.vault, &moving->new.vault, &same);
	if (rc == 0 && same)
		rc = rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the secrets of `%s` rest there already; name another store with --store=NAME",
			moving->old.account.name);
	for (i = 0; rc == 0 && rbr_vault_kinds[i]; i++)
		rc = carry(moving, rbr_vault_kinds[i]);
	return rc;
}

/* What has been carried does not stay in two places. */
static int
take_back(struct moving *moving, int rc)
{
	struct rbr_error why = moving->context->error;

	if (moving->count > 0 && remove_kinds(&moving->new.vault, moving->carried, moving->count) < 0)
		rbr_warn(moving->context, moving->old.account.name, "copies stay in the store `%s`: %s",
			new_store(moving), moving->context->error.detail);
	moving->context->error = why;
	return rc;
}

static int
leave_old(struct moving *moving)
{
	const char *store = rbr_account_get(&moving->old.account, RBR_KEY_STORE);
	struct rbr_error why;
	int rc = 0;

	if (rbr_vault_is_read_only(&moving->old.vault))
		rbr_warn(moving->context, moving->old.account.name,
			"what the store `%s` has is not ringbearer's to remove; take it away there", store);
	else
		rc = remove_kinds(&moving->old.vault, moving->carried, moving->count);
	if (rc == 0 && !rbr_vault_is_read_only(&moving->old.vault))
		rc = remove_kinds(&moving->old.vault, moving->spare, moving->spares);
	if (rc < 0) {
		why = moving->context->error;
		rc = rbr_fail(&moving->context->error, rc, "moved, but the old secrets stay in the store `%s`: %s",
			store, why.detail);
	}
	return rc;
}

/* The time that this takes is not the call's. */
static int
wait_for_turn(struct moving *moving, int *lock)
{
	int64_t since = rbr_now_ms();
	int rc = rbr_turn_take(moving->context, &moving->old.account, lock);

	moving->old.call.deadline_ms += rbr_now_ms() - since;
	return rc;
}

static int
move(struct moving *moving)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret before = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret after = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_close) int lock = -1;
	RBR_CLEANUP(rbr_sharing_resume) struct rbr_shared shared = {.vault = NULL};
	struct rbr_context *context = moving->context;
	const struct rbr_account *old = &moving->old.account;
	int rc = 0;

	if (access(old->path, W_OK) < 0)
		rc = rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			"%s cannot be changed by you (%s); ask the system's administrator", old->path, strerror(errno));
	if (rc == 0)
		rc = read_text(context, old->path, &before);
	if (rc == 0 && rewrite(moving, rbr_secret_string(&before), &after) < 0)
		rc = rbr_fail_memory(&context->error);
	if (rc == 0)
		rc = assemble(moving, &after);
	if (rc == 0)
		rc = open_place(context, &moving->old);
	if (rc == 0)
		rc = wait_for_turn(moving, &lock);
	if (rc == 0)
		rc = rbr_sharing_pause(&moving->old.vault, &shared);
	if (rc < 0)
		return rc;
	rc = carry_all(moving);
	if (rc == 0)
		rc = rbr_sharing_check(&shared);
	if (rc == 0)
		rc = rbr_write_over(context, old->path, &after);
	if (rc < 0)
		return take_back(moving, rc);
	rbr_cached_forget(old->name, NULL);
	return leave_old(moving);
}

/* What machines share is one thing, and is gone from all of them. */
static void
tell_others(const struct moving *moving)
{
	const struct rbr_account *old = &moving->old.account;
	const char *what = "account";
	size_t i;

	if (moving->count == 0 || !rbr_shared_is_possible(&moving->old.vault))
		return;
	for (i = 0; i < moving->count; i++)
		if (strcmp(moving->carried[i], RBR_KIND_REFRESH_TOKEN) == 0)
			what = "login";
	if (rbr_shared_is_possible(&moving->new.vault)) {
		rbr_warn(moving->context, old->name,
			"other machines can no longer use this %s until it is moved on them as well; run the same there",
			what);
		return;
	}
	rbr_warn(moving->context, old->name,
		"other machines can no longer use this %s; to share it again, run `ringbearer move %s --store=%s` with the settings "
		"that the store had",
		what, old->name, rbr_account_get(old, RBR_KEY_STORE));
}

int
rbr_command_move(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(end_moving) struct moving moving = {.context = context};
	struct rbr_store_options options;
	const char *name = NULL;
	int option, rc = 0;

	(void)rbr_store_options(&options, NULL);
	while (rc == 0 && (option = rbr_option(context, argc, argv, options.list)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		rc = rbr_store_settings_add(context, (enum rbr_key)(option - 1), optarg, &moving.settings);
	}
	if (rc == 0)
		rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0 && !new_store(&moving))
		rc = rbr_fail(&context->error, RINGBEARER_E_USAGE, "say where to: add --store=NAME");
	if (rc == 0)
		rc = rbr_account_load(name, &moving.old.account, &context->error);
	if (rc == 0)
		rc = move(&moving);
	if (rc == 0)
		rbr_say("%s: moved to the store %s (%zu kept there)\n", name, new_store(&moving), moving.count);
	if (rc == 0)
		tell_others(&moving);
	if (rc == 0 && moving.spares > 0)
		rbr_warn(context, name,
			"the store %s has this account's %s from another machine already, which %s and will be used from now on",
			new_store(&moving), moving.spares == 1 ? rbr_vault_label(moving.spare[0]) : "secrets",
			moving.spares == 1 ? "stays" : "stay");
	return rc;
}
