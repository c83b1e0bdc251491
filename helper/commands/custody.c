/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "custody.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/names.h"
#include "journal/rotation.h"
#include "person/terminal.h"
#include "protocol/cache.h"
#include "renewal/discovery.h"
#include "renewal/turn.h"
#include "vault/vault.h"

#define CHUNK 4096

struct forgotten {
	const char *name;
	const char *token;
	bool everything; /* also what cannot be had again */
};

/* Is RECORD of one of the kinds that can be had again? */
static bool
is_replaceable(const struct rbr_message *record)
{
	static const char *const kinds[] = {"token", "verdict", "handed"};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(kinds); i++)
		if (rbr_cache_is_of_kind(record, kinds[i]))
			return true;
	return false;
}

static bool
is_forgotten(const struct rbr_message *record, void *data)
{
	const struct forgotten *forgotten = data;
	const char *account = rbr_message_get(record, "account"), *token = rbr_message_get(record, "token");
	const char *id_token = rbr_message_get(record, "id_token");

	if (!account || strcmp(account, forgotten->name) != 0 || (!forgotten->everything && !is_replaceable(record)))
		return false;
	return !forgotten->token || (token && strcmp(token, forgotten->token) == 0) ||
		(id_token && strcmp(id_token, forgotten->token) == 0);
}

void
rbr_custody_forget(const char *name, const char *token)
{
	struct forgotten forgotten = {name, token, false};

	rbr_cache_visit(is_forgotten, &forgotten);
}

/* All records of the account NAME, whatever they are bound to: an answer that is parked would bring its token back. */
static void
forget_named(const char *name)
{
	struct forgotten forgotten = {name, NULL, true};

	rbr_cache_visit(is_forgotten, &forgotten);
}

void
rbr_custody_forget_all(struct rbr_context *context, const struct rbr_account *account)
{
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	char endpoint[RBR_BINDING_MAX];

	rbr_custody_forget(account->name, NULL);
	if (rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, NULL) == 0 &&
		rbr_rotation_start(&rotation, context, account, endpoint) == 0)
		rbr_rotation_forget(&rotation);
}

struct tour {
	const char *name;
	const char *issuer;
	rbr_token_visitor visit;
	void *data;
};

static bool
show_token(const struct rbr_message *record, void *data)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret copy = RBR_SECRET_EMPTY;
	const struct tour *tour = data;
	const char *account = rbr_message_get(record, "account"), *token = rbr_message_get(record, "token");
	const char *issuer = rbr_message_get(record, "from");

	if (account && token && strcmp(account, tour->name) == 0 &&
		(!tour->issuer || (issuer && strcmp(issuer, tour->issuer) == 0)) &&
		rbr_secret_append_string(&copy, token) == 0)
		tour->visit(&copy, tour->data);
	return false;
}

void
rbr_custody_tokens(const char *name, const char *issuer, rbr_token_visitor visit, void *data)
{
	struct tour tour = {name, issuer, visit, data};

	rbr_cache_visit(show_token, &tour);
}

/* Opens the account's grant, and has it find the endpoints that secrets are bound to. */
static int
open_grant(struct ringbearer_call *call, struct rbr_account *account, enum rbr_freshness freshness,
	struct rbr_grant *grant)
{
	int rc = rbr_loader_grant(call->context, rbr_account_get(account, RBR_KEY_GRANT), grant);

	return rc < 0 ? rc : rbr_discovery_apply(call, grant, account, RBR_KEY_TOKEN_ENDPOINT, freshness);
}

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
	struct ringbearer_call call;
	struct rbr_vault vault;
	RBR_CLEANUP(rbr_close) int turn = -1;
	int rc = rbr_vault_check(secret, &context->error);

	if (rc < 0)
		return rc;
	rbr_call_start(&call, context, account, interactive);
	rbr_call_hide(&call, secret);
	rc = open_grant(&call, account, RBR_KEPT, &grant);
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
		rbr_custody_forget_all(context, account);
	else if (rc == 0)
		rbr_custody_forget(account->name, NULL);
	return rc;
}

int
rbr_custody_erase(
	struct rbr_context *context, struct rbr_account *account, const char *kind, bool interactive, int *turn)
{
	static const char *const kinds[] = {RBR_KIND_CLIENT_SECRET, RBR_KIND_REFRESH_TOKEN, RBR_KIND_API_KEY};
	char endpoint[RBR_BINDING_MAX];
	struct rbr_grant grant;
	struct ringbearer_call call;
	struct rbr_vault vault;
	bool spared;
	size_t i;
	int rc;

	rbr_call_start(&call, context, account, interactive);
	rc = open_grant(&call, account, RBR_KEPT, &grant);
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
		rbr_custody_forget_all(context, account); /* what waits to be kept would come back otherwise */
	else if (rc == 0)
		rbr_custody_forget(account->name, NULL);
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
	struct ringbearer_call call;
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
	forget_named(account->name);
	return rc;
}

/* Is the word of `needs` said for this grant alone (`GRANT:KEY`), and is it another one? A module's name has dashes. */
static bool
is_for_another(const struct rbr_grant *grant, const char **word, size_t *size)
{
	const char *colon = memchr(*word, ':', *size), *name = grant->name;
	size_t i, grant_size = colon ? (size_t)(colon - *word) : 0;

	if (!colon)
		return false;
	if (strncmp(name, "grant-", 6) == 0)
		name += 6;
	for (i = 0; i < grant_size && name[i] != '\0'; i++)
		if ((*word)[i] != (name[i] == '-' ? '_' : name[i]))
			break;
	if (i < grant_size || name[i] != '\0')
		return true;
	*word += grant_size + 1;
	*size -= grant_size + 1;
	return false;
}

int
rbr_custody_check(const struct rbr_account *account, const struct rbr_grant *grant, struct rbr_error *error)
{
	const char *word = account->needs;
	char name[RBR_HINT_MAX];
	int key, rc;

	if (!(grant->ops.needs & (RINGBEARER_NEEDS_CLIENT_SECRET | RINGBEARER_NEEDS_REFRESH_TOKEN)))
		return 0;
	rc = rbr_account_want(account, RBR_KEY_CLIENT_ID, error);
	while (rc == 0 && *(word += strspn(word, " "))) {
		size_t size = strcspn(word, " ");

		if (is_for_another(grant, &word, &size)) {
			word += size;
			continue;
		}
		(void)snprintf(name, sizeof name, "%.*s", (int)size, word);
		key = rbr_key_find(name);
		if (key < 0)
			return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `needs` names no key: `%.64s`; mend it",
				account->provider_path, name);
		rc = rbr_account_want(account, (enum rbr_key)key, error);
		word += size;
	}
	return rc;
}

/* Where a person is sent; an issuer says so itself. */
static int
check_login(const struct rbr_account *account, struct rbr_error *error)
{
	const char *grant = rbr_account_get(account, RBR_KEY_GRANT);

	if (rbr_account_get(account, RBR_KEY_ISSUER))
		return 0;
	if (strcmp(grant, "device_code") == 0)
		return rbr_account_want(account, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT, error);
	if (strcmp(grant, "authorization_code") != 0 || rbr_account_get(account, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT))
		return 0; /* `login --device` will do */
	return rbr_account_want(account, RBR_KEY_AUTHORIZATION_ENDPOINT, error);
}

int
rbr_custody_kind(struct rbr_context *context, struct rbr_account *account, const char **ret_kind, bool *ret_login)
{
	char endpoint[RBR_BINDING_MAX];
	struct rbr_grant grant;
	struct ringbearer_call call;
	int rc;

	rbr_call_start(&call, context, account, true);
	rc = open_grant(&call, account, RBR_FRESH, &grant);
	if (rc < 0)
		return rc;
	*ret_kind = NULL;
	*ret_login = grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN;
	if (grant.ops.needs & RINGBEARER_NEEDS_API_KEY)
		*ret_kind = RBR_KIND_API_KEY;
	else if ((grant.ops.needs & RINGBEARER_NEEDS_CLIENT_SECRET) &&
		strcmp(rbr_account_get(account, RBR_KEY_CLIENT_AUTH), "none") != 0)
		*ret_kind = RBR_KIND_CLIENT_SECRET;
	if (*ret_kind || *ret_login)
		rc = rbr_vault_binding(
			account, *ret_kind ? *ret_kind : RBR_KIND_REFRESH_TOKEN, endpoint, &context->error);
	if (rc == 0)
		rc = rbr_custody_check(account, &grant, &context->error);
	return rc < 0 ? rc : check_login(account, &context->error);
}

bool
rbr_custody_needs_login(struct rbr_context *context, const struct rbr_account *account)
{
	struct rbr_grant grant;

	return rbr_loader_grant(context, rbr_account_get(account, RBR_KEY_GRANT), &grant) == 0 &&
		(grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN);
}

static int
read_stdin(struct rbr_context *context, struct ringbearer_secret *secret)
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

int
rbr_custody_ask(struct rbr_context *context, const struct rbr_account *account, const char *kind, bool from_stdin,
	struct ringbearer_secret *ret_secret)
{
	char prompt[160];
	int rc;

	if (from_stdin) {
		rc = read_stdin(context, ret_secret);
	} else {
		(void)snprintf(prompt, sizeof prompt, "%s of %s (it is not shown): ",
			strcmp(kind, RBR_KIND_API_KEY) == 0 ? "API key" : "Client secret", account->name);
		rc = rbr_terminal_ask(prompt, ret_secret, &context->error);
		if (rc == RINGBEARER_E_USAGE)
			rc = rbr_fail(&context->error, rc,
				"there is no terminal to ask for the secret; give it on standard input with --secret-stdin");
	}
	return rc < 0 ? rc : rbr_vault_check(ret_secret, &context->error);
}
