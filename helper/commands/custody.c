/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "custody.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cached.h"
#include "cli/names.h"
#include "host/loader.h"
#include "needs.h"
#include "person/log.h"
#include "person/terminal.h"
#include "renewal/turn.h"
#include "vault/vault.h"

#define CHUNK 4096
#define TRIES 3 /* to type a secret */

/* Nobody renews meanwhile: what a renewal brings home would be written over what is kept now, or come back after it was
 * erased. The time that this takes is not the call's. */
static int
take_turn(struct ringbearer_call *call, int *turn)
{
	int64_t since = rbr_now_ms();
	int rc = rbr_turn_take(call->context, call->account, turn);

	call->deadline_ms += rbr_now_ms() - since;
	return rc;
}

int
rbr_custody_keep(struct rbr_context *context, struct rbr_account *account, const char *kind,
	const struct ringbearer_secret *secret, bool interactive)
{
	struct rbr_grant grant;
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	struct rbr_vault vault;
	RBR_CLEANUP(rbr_close) int turn = -1;
	int rc = rbr_vault_check(secret, &context->error);

	if (rc < 0)
		return rc;
	rbr_call_start(&call, context, account, interactive);
	rbr_call_hide(&call, secret);
	rc = rbr_needs_grant(&call, account, RBR_KEPT, &grant);
	if (rc == 0)
		rc = take_turn(&call, &turn);
	if (rc == 0)
		rc = rbr_vault_open(&call, &vault);
	if (rc == 0)
		rc = rbr_vault_keep(&vault, kind, secret);
	/* A token that came without a login was confirmed for nothing. */
	if (rc == 0 && strcmp(kind, RBR_KIND_REFRESH_TOKEN) == 0 && rbr_account_get(account, RBR_KEY_ISSUER))
		rc = rbr_vault_forget_confirmed(&vault);
	/* What was parked of an older refresh token must not be written over a new one. */
	if (rc == 0 && strcmp(kind, RBR_KIND_REFRESH_TOKEN) == 0)
		rbr_cached_forget_all(context, account);
	else if (rc == 0)
		rbr_cached_forget(account->name, NULL);
	return rc;
}

int
rbr_custody_erase(
	struct rbr_context *context, struct rbr_account *account, const char *kind, bool interactive, int *turn)
{
	static const char *const kinds[] = {RBR_KIND_CLIENT_SECRET, RBR_KIND_REFRESH_TOKEN, RBR_KIND_API_KEY};
	char endpoint[RBR_BINDING_MAX];
	struct rbr_grant grant;
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	struct rbr_vault vault;
	bool spared;
	size_t i;
	int rc;

	rbr_call_start(&call, context, account, interactive);
	rc = rbr_needs_grant(&call, account, RBR_KEPT, &grant);
	if (rc == 0)
		rc = take_turn(&call, turn);
	if (rc == 0)
		rc = rbr_vault_open(&call, &vault);
	spared = rc == 0 && !kind && rbr_vault_is_read_only(&vault); /* what others put there is theirs */
	for (i = 0; rc == 0 && !spared && i < RBR_ARRAY_SIZE(kinds); i++) {
		if (kind ? strcmp(kind, kinds[i]) != 0 : rbr_vault_binding(account, kinds[i], endpoint, NULL) < 0)
			continue; /* without a binding there can be no such secret */
		rc = rbr_vault_erase(&vault, kinds[i]);
	}
	if (rc == 0 && !spared && !kind && rbr_account_get(account, RBR_KEY_ISSUER))
		rc = rbr_vault_forget_confirmed(&vault);
	if (rc == 0 && (!kind || strcmp(kind, RBR_KIND_REFRESH_TOKEN) == 0))
		rbr_cached_forget_all(context, account); /* what waits to be kept would come back otherwise */
	else if (rc == 0)
		rbr_cached_forget(account->name, NULL);
	return rc;
}

/* What a store lists cannot be erased while it lists. */
struct items {
	const char *account;
	struct rbr_names texts; /* kind, client_id and endpoint of each, in turn */
};

static int
note_item(const struct ringbearer_item *item, void *data)
{
	struct items *items = data;
	int rc = strcmp(item->account, items->account) != 0 || !rbr_vault_label(item->kind);

	if (rc != 0)
		return 0;
	rc = rbr_names_add(item->kind, &items->texts);
	if (rc == 0)
		rc = rbr_names_add(item->client_id, &items->texts);
	return rc < 0 ? rc : rbr_names_add(item->endpoint, &items->texts);
}

static int
erase_listed(struct ringbearer_call *call, const struct rbr_store *store, struct items *items)
{
	size_t i;
	int rc = rbr_loader_check(call->context, store->name, store->ops.list(call, items->account, note_item, items));

	for (i = 0; rc == 0 && i + 2 < items->texts.count; i += 3) {
		RBR_CLEANUP(rbr_close) int turn = -1;
		const struct ringbearer_item item = {.size = sizeof item,
			.account = items->account,
			.kind = items->texts.list[i],
			.client_id = items->texts.list[i + 1],
			.endpoint = items->texts.list[i + 2]};

		rc = rbr_turn_take_of(call->context, item.account, item.client_id, item.endpoint, &turn);
		if (rc == 0)
			rc = rbr_loader_check(call->context, store->name, store->ops.erase(call, &item));
	}
	return rc;
}

int
rbr_custody_erase_named(struct rbr_context *context, const struct rbr_account *account)
{
	struct items items = {account->name, {NULL, 0}};
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	struct rbr_vault vault;
	int rc;

	rbr_call_start(&call, context, account, true);
	rc = rbr_vault_open(&call, &vault);
	if (rc == 0 && vault.store.ops.list && vault.store.ops.erase)
		rc = erase_listed(&call, &vault.store, &items);
	else if (rc == 0 && !rbr_vault_is_read_only(&vault))
		rc = rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s cannot list and erase secrets; remove the account's there", vault.store.name);
	rbr_names_wipe(&items.texts);
	rbr_cached_forget_named(account->name);
	return rc;
}

int
rbr_custody_read_stdin(struct rbr_context *context, struct ringbearer_secret *secret)
{
	ssize_t got;

	do {
		if (rbr_secret_reserve(secret, CHUNK) < 0)
			return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
				"the secret on standard input is too long");
		got = read(STDIN_FILENO, secret->data + secret->size, secret->capacity - secret->size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "standard input cannot be read: %s",
				strerror(errno));
		secret->size += (size_t)got;
	} while (got != 0);
	if (secret->size > 0 && secret->data[secret->size - 1] == '\n')
		secret->size--;
	if (secret->size > 0 && secret->data[secret->size - 1] == '\r')
		secret->size--;
	secret->data[secret->size] = '\0';
	return 0;
}

static int
ask_terminal(struct rbr_context *context, const struct rbr_account *account, const char *kind,
	struct ringbearer_secret *ret_secret)
{
	char prompt[160];
	int rc;

	(void)snprintf(prompt, sizeof prompt,
		"%s of %s (it is not shown): ", strcmp(kind, RBR_KIND_API_KEY) == 0 ? "API key" : "Client secret",
		account->name);
	rc = rbr_terminal_ask(prompt, ret_secret, &context->error);
	if (rc == RINGBEARER_E_USAGE)
		rc = rbr_fail(&context->error, rc,
			"there is no terminal to ask for the secret; give it on standard input with --secret-stdin");
	return rc < 0 ? rc : rbr_vault_check(ret_secret, &context->error);
}

int
rbr_custody_ask(struct rbr_context *context, const struct rbr_account *account, const char *kind, bool from_stdin,
	struct ringbearer_secret *ret_secret)
{
	int tries, rc;

	if (from_stdin) {
		rc = rbr_custody_read_stdin(context, ret_secret);
		return rc < 0 ? rc : rbr_vault_check(ret_secret, &context->error);
	}
	/* A prompt that ended at once would have the secret typed into a shell next. */
	rc = ask_terminal(context, account, kind, ret_secret);
	for (tries = 1; rc == RINGBEARER_E_MALFORMED_REQUEST && tries < TRIES; tries++) {
		rbr_warn(context, account->name, "%s", context->error.detail);
		rbr_secret_wipe(ret_secret);
		rc = ask_terminal(context, account, kind, ret_secret);
	}
	return rc;
}
