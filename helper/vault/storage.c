/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/names.h"
#include "host/loader.h"
#include "password.h"
#include "person/log.h"
#include "site.h"
#include "vault.h"

/* How long the keyring may take, beside what a person takes at its prompt: git and its user wait, and mostly for a place
 * that nothing is stored for. */
#define PATIENCE "5"

/* -- the store -- */

struct storage {
	struct rbr_account account; /* stands for no service: it names the store and how long it may take */
	struct ringbearer_call call;
	struct rbr_vault vault;
};

static void
close_storage(struct storage *storage)
{
	rbr_call_end(&storage->call);
	rbr_account_wipe(&storage->account);
}

static bool
can_keep(const struct rbr_store *store)
{
	return store->ops.list && store->ops.lookup && store->ops.store && store->ops.erase;
}

static int
open_storage(struct storage *storage, struct rbr_context *context, bool interactive)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	int rc = rbr_message_add(&lines, "grant", "api_key");

	if (rc == 0)
		rc = rbr_message_add(&lines, "timeout", PATIENCE);
	if (rc < 0) {
		(void)rbr_fail_memory(&context->error);
		return RINGBEARER_E_SYSTEM;
	}
	rc = rbr_account_assemble("passwords", &lines, "passwords", &storage->account, &context->error);
	if (rc < 0)
		return rc;
	rbr_call_start(&storage->call, context, &storage->account, interactive);
	rc = rbr_vault_open(&storage->call, &storage->vault);
	if (rc < 0 || can_keep(&storage->vault.store))
		return rc;
	(void)rbr_fail(&context->error, RINGBEARER_E_MODULE,
		"the module %s cannot keep passwords; choose another store", storage->vault.store.name);
	return RINGBEARER_E_MODULE;
}

static struct ringbearer_item
make_item(const char *origin, const char *client_id, const char *endpoint, const char *label)
{
	return (struct ringbearer_item){.size = sizeof(struct ringbearer_item),
		.account = origin,
		.kind = RBR_KIND_PASSWORD,
		.client_id = client_id,
		.endpoint = endpoint,
		.label = label};
}

static int
look_up(struct storage *storage, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	struct rbr_context *context = storage->call.context;
	int rc = rbr_loader_check(
		context, storage->vault.store.name, storage->vault.store.ops.lookup(&storage->call, item, ret_value));

	if (rc == 0 && !*ret_value)
		rc = rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s gave no value; report it to its author", storage->vault.store.name);
	return rc;
}

struct finds {
	const struct rbr_site *site;
	struct rbr_names client_ids;
	struct rbr_names endpoints; /* one for each */
};

static void
wipe_finds(struct finds *finds)
{
	rbr_names_wipe(&finds->client_ids);
	rbr_names_wipe(&finds->endpoints);
}

static int
note_item(const struct ringbearer_item *item, void *data)
{
	struct finds *finds = data;

	if (!rbr_site_has(finds->site, item))
		return 0;
	return rbr_names_add(item->client_id, &finds->client_ids) < 0 ||
			rbr_names_add(item->endpoint, &finds->endpoints) < 0
		? RINGBEARER_E_SYSTEM
		: 0;
}

/* Everything that fits SITE. RINGBEARER_E_NO_SECRET where there is no store that could hold anything; one that does not
 * answer in time may. */
static int
find(struct storage *storage, const struct rbr_site *site, struct finds *ret_finds)
{
	const struct rbr_store *store = &storage->vault.store;
	int rc;

	rbr_trace(storage->call.context, "looking up what is stored for %s", site->endpoint);
	rc = store->ops.list(&storage->call, site->origin, note_item, ret_finds);
	rc = rbr_loader_check(storage->call.context, store->name, rc);
	if (rc == RINGBEARER_E_STORE_UNAVAILABLE && rbr_host()->remaining_ms(&storage->call) > 0)
		rc = RINGBEARER_E_NO_SECRET;
	return rc;
}

/* -- get -- */

/* Looks through FINDS for what can be given out; something is better than nothing, and all is better than something. */
static int
choose(struct storage *storage, const struct rbr_request *request, const struct rbr_site *site,
	const struct finds *finds, struct ringbearer_secret *ret_out)
{
	struct rbr_context *context = storage->call.context;
	enum rbr_answerable best = RBR_ANSWERS_NOT, fit = RBR_ANSWERS_NOT;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && best != RBR_ANSWERS && i < finds->endpoints.count; i++) {
		RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *value = NULL;
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
		struct ringbearer_item item =
			make_item(site->origin, finds->client_ids.list[i], finds->endpoints.list[i], NULL);

		rc = look_up(storage, &item, &value);
		if (rc == RINGBEARER_E_NO_SECRET) { /* gone meanwhile */
			rc = 0;
			continue;
		}
		if (rc == 0)
			rc = rbr_password_unpack(value, site->username, request->authtype, context->started.real, &out,
				&fit, &context->error);
		if (rc == 0 && fit > best) {
			best = fit;
			rbr_secret_wipe(ret_out);
			rc = rbr_secret_append(ret_out, out.data, out.size);
		}
	}
	if (rc < 0 || best != RBR_ANSWERS_NOT)
		return rc;
	context->error.detail[0] = '\0';
	return RINGBEARER_E_NO_SECRET;
}

/* With the reason why nothing can be stored, if that is why nothing is. */
static int
nothing(struct rbr_context *context, const struct rbr_site *site)
{
	char why[RBR_DETAIL_MAX];

	(void)snprintf(why, sizeof why, "%s", context->error.detail);
	if (why[0] != '\0')
		return rbr_fail(&context->error, RINGBEARER_E_NO_ACCOUNT,
			"no account answers for %s, and no password can be stored for it: %s", site->origin, why);
	return rbr_fail(&context->error, RINGBEARER_E_NO_ACCOUNT,
		"no account answers for %s, and no password is stored for it", site->endpoint);
}

int
rbr_storage_get(struct rbr_context *context, const struct rbr_request *request, struct ringbearer_secret *ret_out)
{
	RBR_CLEANUP(wipe_finds) struct finds finds = {.site = NULL};
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	struct rbr_site site;
	int rc = rbr_site_locate(context, request, &site);

	if (rc < 0)
		return rc;
	context->error.detail[0] = '\0';
	finds.site = &site;
	rc = open_storage(&storage, context, request->interactive);
	if (rc == RINGBEARER_E_MODULE)
		return nothing(context, &site);
	if (rc == 0)
		rc = find(&storage, &site, &finds);
	if (rc == 0)
		rc = choose(&storage, request, &site, &finds, ret_out);
	return rc == RINGBEARER_E_NO_SECRET ? nothing(context, &site) : rc;
}

/* -- store -- */

static bool
is_kept(struct storage *storage, const struct ringbearer_item *item, const struct ringbearer_secret *value, int *ret_rc)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *kept = NULL;

	*ret_rc = look_up(storage, item, &kept);
	return *ret_rc == 0 && rbr_secret_equal(kept->data, kept->size, value->data, value->size);
}

static int
keep(struct storage *storage, const struct ringbearer_item *item, const struct ringbearer_secret *value)
{
	const struct rbr_store *store = &storage->vault.store;
	struct rbr_context *context = storage->call.context;
	int rc;

	/* git stores after every success what it was given: no need to write. What cannot be read is written over. */
	if (is_kept(storage, item, value, &rc) ||
		(rc < 0 && rc != RINGBEARER_E_NO_SECRET && rc != RINGBEARER_E_STORE_UNAVAILABLE))
		return rc;
	rbr_trace(context, "keeping a password for %s", item->endpoint);
	rc = rbr_loader_check(context, store->name, store->ops.store(&storage->call, item, value));
	if (rc == 0 && !is_kept(storage, item, value, &rc) && rc == 0)
		rc = rbr_fail(&context->error, RINGBEARER_E_STORE_UNAVAILABLE,
			"the keyring gave back another password than it was given; check the keyring and try again");
	return rc;
}

int
rbr_storage_keep(struct rbr_context *context, const struct rbr_request *request)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret value = RBR_SECRET_EMPTY;
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	const char *username = rbr_message_get(&request->message, "username");
	char label[RBR_SITE_LABEL_MAX];
	struct ringbearer_item item;
	struct rbr_site site;
	int rc = rbr_password_pack(&request->message, context->started.real, &value);

	if (rc == RINGBEARER_E_NO_SECRET)
		return 0;
	if (rc < 0)
		return rbr_fail_memory(&context->error);
	rc = rbr_site_locate(context, request, &site);
	if (rc == 0)
		rc = open_storage(&storage, context, request->interactive);
	if (rc < 0)
		return rc;
	rbr_call_hide(&storage.call, &value);
	rbr_site_label(request, username, label);
	item = make_item(site.origin, rbr_site_client_id(username), site.endpoint, label);
	return keep(&storage, &item, &value);
}

/* -- erase -- */

/* Is it the one that the request names? Without a password or credential in the request everything is. */
static int
is_meant(
	struct storage *storage, const struct ringbearer_item *item, const struct rbr_request *request, bool *ret_meant)
{
	static const char *const keys[] = {"password", "credential"};
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message stored = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *value = NULL;
	const char *named, *kept;
	size_t i;
	int rc;

	*ret_meant = true;
	if (!rbr_request_named_token(request))
		return 0;
	rc = look_up(storage, item, &value);
	if (rc == RINGBEARER_E_NO_SECRET)
		return 0;
	if (rc == 0)
		rc = rbr_password_parse(value, &stored, &storage->call.context->error);
	for (i = 0; rc == 0 && i < RBR_ARRAY_SIZE(keys); i++) {
		named = rbr_message_get(&request->message, keys[i]);
		kept = rbr_message_get(&stored, keys[i]);
		if (named && (!kept || !rbr_secret_equal(named, strlen(named), kept, strlen(kept))))
			*ret_meant = false;
	}
	return rc;
}

/* With SPARED (may be NULL) all but that user's. */
static int
erase(struct rbr_context *context, const struct rbr_request *request, const char *spared)
{
	RBR_CLEANUP(wipe_finds) struct finds finds = {.site = NULL};
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	struct rbr_site site;
	size_t i;
	int rc = rbr_site_locate(context, request, &site);

	if (rc < 0)
		return rc;
	finds.site = &site;
	rc = open_storage(&storage, context, request->interactive);
	if (rc == RINGBEARER_E_MODULE)
		return 0;
	if (rc == 0)
		rc = find(&storage, &site, &finds);
	for (i = 0; rc == 0 && i < finds.endpoints.count; i++) {
		struct ringbearer_item item =
			make_item(site.origin, finds.client_ids.list[i], finds.endpoints.list[i], NULL);
		bool meant;

		if (spared && strcmp(item.client_id, rbr_site_client_id(spared)) == 0)
			continue;
		rc = is_meant(&storage, &item, request, &meant);
		if (rc == 0 && meant)
			rc = rbr_loader_check(
				context, storage.vault.store.name, storage.vault.store.ops.erase(&storage.call, &item));
	}
	return rc == RINGBEARER_E_NO_SECRET ? 0 : rc;
}

int
rbr_storage_erase(struct rbr_context *context, const struct rbr_request *request)
{
	return erase(context, request, NULL);
}

int
rbr_storage_erase_others(struct rbr_context *context, const struct rbr_request *request, const char *username)
{
	return erase(context, request, username ? username : "");
}

/* -- list -- */

struct tour {
	rbr_storage_visitor visit;
	void *data;
};

static int
show_item(const struct ringbearer_item *item, void *data)
{
	const struct tour *tour = data;
	char url[RBR_URL_MAX];

	if (strcmp(item->kind, RBR_KIND_PASSWORD) != 0)
		return 0;
	rbr_site_show(item->endpoint, url);
	return tour->visit(url, rbr_site_username(item->client_id), tour->data);
}

int
rbr_storage_visit(struct rbr_context *context, rbr_storage_visitor visit, void *data)
{
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	struct tour tour = {visit, data};
	int rc = open_storage(&storage, context, false);

	if (rc == 0)
		rbr_call_hurry(&storage.call);
	if (rc == 0)
		rc = rbr_loader_check(context, storage.vault.store.name,
			storage.vault.store.ops.list(&storage.call, NULL, show_item, &tour));
	return rc;
}

int
rbr_storage_knock(struct rbr_context *context)
{
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	int rc = open_storage(&storage, context, false);

	return rc < 0 ? rc : rbr_vault_knock(&storage.vault);
}
