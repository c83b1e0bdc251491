/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cached.h"

#include <string.h>

#include "journal/rotation.h"
#include "protocol/cache.h"
#include "vault/vault.h"

struct forgotten {
	const char *name;
	const char *token;
	bool everything; /* also what cannot be had again */
};

/* Is RECORD of one of the kinds that can be had again? */
static bool
is_replaceable(const struct rbr_message *record)
{
	static const char *const kinds[] = {"token", "verdict", "handed", "pause"};
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
rbr_cached_forget(const char *name, const char *token)
{
	struct forgotten forgotten = {name, token, false};

	rbr_cache_visit(is_forgotten, &forgotten);
}

void
rbr_cached_forget_named(const char *name)
{
	struct forgotten forgotten = {name, NULL, true};

	rbr_cache_visit(is_forgotten, &forgotten);
}

/* A mark of its own kind: what drops tokens leaves it alone. */
static int
make_notice_key(const char *name, struct rbr_cache_key *key)
{
	int rc = rbr_cache_key_add(key, "notice");

	return rc < 0 ? rc : rbr_cache_key_add(key, name);
}

bool
rbr_cached_note_notice(const char *name)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message before = RBR_MESSAGE_EMPTY, mark = RBR_MESSAGE_EMPTY;

	return make_notice_key(name, &key) == 0 && !rbr_cache_read(&key, &before) &&
		rbr_message_add(&mark, "account", name) == 0 && rbr_cache_write(&key, &mark, RBR_CACHE_SECONDS_MAX);
}

void
rbr_cached_forget_notice(const char *name)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;

	if (make_notice_key(name, &key) == 0)
		rbr_cache_drop(&key);
}

void
rbr_cached_forget_all(struct rbr_context *context, const struct rbr_account *account)
{
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	char endpoint[RBR_BINDING_MAX];

	rbr_cached_forget(account->name, NULL);
	rbr_cached_forget_notice(account->name);
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
rbr_cached_tokens(const char *name, const char *issuer, rbr_token_visitor visit, void *data)
{
	struct tour tour = {name, issuer, visit, data};

	rbr_cache_visit(show_token, &tour);
}
