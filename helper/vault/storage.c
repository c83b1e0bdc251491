/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/match.h"
#include "host/loader.h"
#include "person/log.h"
#include "vault.h"

/* How long the keyring may take, beside what a person takes at its prompt: git and its user wait, and mostly for a place
 * that nothing is stored for. */
#define PATIENCE "5"
#define LABEL_MAX 400
#define NOBODY "none" /* the client_id of an item without a user's name */

/* -- places -- */

struct place {
	char origin[RBR_BINDING_MAX];
	char endpoint[RBR_BINDING_MAX];
	bool has_path;
	const char *username; /* NULL: anybody's */
};

/* RINGBEARER_E_MALFORMED_REQUEST if nothing can be stored for such a place. */
static int
locate(struct rbr_context *context, const struct rbr_request *request, struct place *ret_place)
{
	const char *username = rbr_message_get(&request->message, "username");
	struct rbr_error *error = &context->error;
	struct rbr_url url = request->url;
	int length;

	rbr_match_settle(context, &url);
	rbr_url_origin(&url, ret_place->origin, sizeof ret_place->origin);
	length = snprintf(ret_place->endpoint, sizeof ret_place->endpoint, "%s%s", ret_place->origin, url.path);
	ret_place->has_path = request->exact || strcmp(request->url.path, "/") != 0;
	ret_place->username = username ? username : request->username;
	if (length < 0 || (size_t)length >= sizeof ret_place->endpoint)
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: the URL is too long to store a password for; shorten `path`");
	/* The Secret Service takes text in UTF-8 and nothing else. */
	if (!rbr_text_is_utf8(ret_place->endpoint) || (ret_place->username && !rbr_text_is_utf8(ret_place->username)))
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: `path` or `username` is no text in UTF-8; write it so");
	return 0;
}

/* The attribute that stands for USERNAME (may be NULL). */
static const char *
client_id_of(const char *username)
{
	return username && *username ? username : NOBODY;
}

/* -- the store -- */

struct storage {
	struct rbr_account account; /* stands for no service: it names the store and how long it may take */
	struct ringbearer_call call;
	struct rbr_vault vault;
};

static void
close_storage(struct storage *storage)
{
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

struct found {
	char *client_id;
	char *endpoint;
};

struct finds {
	const struct place *place;
	struct found *list;
	size_t count;
};

static void
wipe_finds(struct finds *finds)
{
	for (; finds->count > 0; finds->count--) {
		free(finds->list[finds->count - 1].client_id);
		free(finds->list[finds->count - 1].endpoint);
	}
	free(finds->list);
	finds->list = NULL;
}

static int
note_item(const struct ringbearer_item *item, void *data)
{
	struct finds *finds = data;
	const struct place *place = finds->place;
	struct found *list;

	if (strcmp(item->kind, RBR_KIND_PASSWORD) != 0 || strcmp(item->account, place->origin) != 0 ||
		(place->has_path && strcmp(item->endpoint, place->endpoint) != 0) ||
		(place->username && strcmp(item->client_id, client_id_of(place->username)) != 0))
		return 0;
	list = reallocarray(finds->list, finds->count + 1, sizeof *list);
	if (!list)
		return RINGBEARER_E_SYSTEM;
	finds->list = list;
	list[finds->count] = (struct found){strdup(item->client_id), strdup(item->endpoint)};
	finds->count++;
	return list[finds->count - 1].client_id && list[finds->count - 1].endpoint ? 0 : RINGBEARER_E_SYSTEM;
}

/* Everything that fits PLACE. RINGBEARER_E_NO_SECRET where there is no store that could hold anything; one that does not
 * answer in time may. */
static int
find(struct storage *storage, const struct place *place, struct finds *ret_finds)
{
	const struct rbr_store *store = &storage->vault.store;
	int rc;

	rbr_trace(storage->call.context, "looking up what is stored for %s", place->endpoint);
	rc = store->ops.list(&storage->call, place->origin, note_item, ret_finds);
	rc = rbr_loader_check(storage->call.context, store->name, rc);
	if (rc == RINGBEARER_E_STORE_UNAVAILABLE && rbr_host()->remaining_ms(&storage->call) > 0)
		rc = RINGBEARER_E_NO_SECRET;
	return rc;
}

/* -- get -- */

/* Looks through FINDS for what can be given out; something is better than nothing, and all is better than something. */
static int
choose(struct storage *storage, const struct rbr_request *request, const struct place *place, const struct finds *finds,
	struct ringbearer_secret *ret_out)
{
	struct rbr_context *context = storage->call.context;
	enum rbr_answerable best = RBR_ANSWERS_NOT, fit = RBR_ANSWERS_NOT;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && best != RBR_ANSWERS && i < finds->count; i++) {
		RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *value = NULL;
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
		struct ringbearer_item item =
			make_item(place->origin, finds->list[i].client_id, finds->list[i].endpoint, NULL);

		rc = look_up(storage, &item, &value);
		if (rc == RINGBEARER_E_NO_SECRET) { /* gone meanwhile */
			rc = 0;
			continue;
		}
		if (rc == 0)
			rc = rbr_storage_unpack(value, place->username, request->authtype, context->started.real, &out,
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
nothing(struct rbr_context *context, const struct place *place)
{
	char why[RBR_DETAIL_MAX];

	(void)snprintf(why, sizeof why, "%s", context->error.detail);
	if (why[0] != '\0')
		return rbr_fail(&context->error, RINGBEARER_E_NO_ACCOUNT,
			"no account answers for %s, and no password can be stored for it: %s", place->origin, why);
	return rbr_fail(&context->error, RINGBEARER_E_NO_ACCOUNT,
		"no account answers for %s, and no password is stored for it", place->endpoint);
}

int
rbr_storage_get(struct rbr_context *context, const struct rbr_request *request, struct ringbearer_secret *ret_out)
{
	RBR_CLEANUP(wipe_finds) struct finds finds = {.count = 0};
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	struct place place;
	int rc = locate(context, request, &place);

	if (rc < 0)
		return rc;
	context->error.detail[0] = '\0';
	finds.place = &place;
	rc = open_storage(&storage, context, request->interactive);
	if (rc == RINGBEARER_E_MODULE)
		return nothing(context, &place);
	if (rc == 0)
		rc = find(&storage, &place, &finds);
	if (rc == 0)
		rc = choose(&storage, request, &place, &finds, ret_out);
	return rc == RINGBEARER_E_NO_SECRET ? nothing(context, &place) : rc;
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

/* For the keyring's viewer; a slash would make folders in one of them. */
static void
write_label(const struct rbr_request *request, const char *username, char label[LABEL_MAX])
{
	char *slash;

	(void)snprintf(label, LABEL_MAX, "%.255s: password%s%.100s",
		request->url.host[0] != '\0' ? request->url.host : request->url.path,
		username && *username ? " of " : "", username ? username : "");
	while ((slash = strchr(label, '/')))
		*slash = '_';
	rbr_sanitize(label); /* a character may have been cut in two */
}

int
rbr_storage_keep(struct rbr_context *context, const struct rbr_request *request)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret value = RBR_SECRET_EMPTY;
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	const char *username = rbr_message_get(&request->message, "username");
	char label[LABEL_MAX];
	struct ringbearer_item item;
	struct place place;
	int rc = rbr_storage_pack(&request->message, context->started.real, &value);

	if (rc == RINGBEARER_E_NO_SECRET)
		return 0;
	if (rc < 0)
		return rbr_fail_memory(&context->error);
	rc = locate(context, request, &place);
	if (rc == 0)
		rc = open_storage(&storage, context, request->interactive);
	if (rc < 0)
		return rc;
	rbr_call_hide(&storage.call, &value);
	write_label(request, username, label);
	item = make_item(place.origin, client_id_of(username), place.endpoint, label);
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
		rc = rbr_storage_parse(value, &stored, &storage->call.context->error);
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
	RBR_CLEANUP(wipe_finds) struct finds finds = {.count = 0};
	RBR_CLEANUP(close_storage) struct storage storage = {.account = RBR_ACCOUNT_EMPTY};
	struct place place;
	size_t i;
	int rc = locate(context, request, &place);

	if (rc < 0)
		return rc;
	finds.place = &place;
	rc = open_storage(&storage, context, request->interactive);
	if (rc == RINGBEARER_E_MODULE)
		return 0;
	if (rc == 0)
		rc = find(&storage, &place, &finds);
	for (i = 0; rc == 0 && i < finds.count; i++) {
		struct ringbearer_item item =
			make_item(place.origin, finds.list[i].client_id, finds.list[i].endpoint, NULL);
		bool meant;

		if (spared && strcmp(item.client_id, client_id_of(spared)) == 0)
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

/* URL has a port always; a person need not see the one that it has anyway, nor the 0 of a scheme without one. */
static void
drop_port(const char *url, char ret_url[RBR_URL_MAX])
{
	const char *host = strstr(url, "://"), *path = host ? strchr(host + strlen("://"), '/') : NULL, *colon = path;
	struct rbr_url without;

	while (colon && colon > host + strlen("://") && *colon != ':')
		colon--;
	if (colon && *colon == ':' &&
		snprintf(ret_url, RBR_URL_MAX, "%.*s%s", (int)(colon - url), url, path) < RBR_URL_MAX &&
		rbr_url_parse(&without, ret_url, "", NULL) == 0 && strtoul(colon + 1, NULL, 10) == without.port)
		return;
	(void)snprintf(ret_url, RBR_URL_MAX, "%s", url);
}

static int
show_item(const struct ringbearer_item *item, void *data)
{
	const struct tour *tour = data;
	char url[RBR_URL_MAX];

	if (strcmp(item->kind, RBR_KIND_PASSWORD) != 0)
		return 0;
	drop_port(item->endpoint, url);
	return tour->visit(url, strcmp(item->client_id, NOBODY) == 0 ? "" : item->client_id, tour->data);
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
