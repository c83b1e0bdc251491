/* SPDX-License-Identifier: MIT */
/* `list`: the accounts and how they stand. No secret is looked up, nobody is asked to unlock anything, and where the keyring
 * says nothing, nothing is said about logins. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accounts/account.h"
#include "cli/names.h"
#include "command.h"
#include "journal/rotation.h"
#include "journal/verdict.h"
#include "needs.h"
#include "person/log.h"
#include "protocol/fastpath/wish.h"
#include "protocol/formats/formats.h"
#include "protocol/writer.h"
#include "renewal/discovery.h"
#include "vault/storage.h"
#include "vault/vault.h"

enum holding {
	HOLDING_UNKNOWN, /* the keyring does not say */
	HOLDING_NONE,
	HOLDING_SOME,
};

struct standing {
	const char *name;
	const char *provider;
	const char *grant;
	const char *state; /* "valid", "none", "needs_login", "pending", "refused" or "broken" */
	enum holding refresh_token; /* what only a login brings; HOLDING_UNKNOWN also where none is needed */
	bool ended; /* the keyring holds what the server has refused for good */
	int64_t expires; /* 0: not known */
	int64_t left;
	const char *detail; /* why it is refused or broken */
};

/* -- what the keyring holds: names only -- */

struct holdings {
	char *store; /* which: all that says so in an account */
	struct rbr_names accounts; /* that have a refresh token, or a lasting token */
	bool known;
};

#define STORES_MAX 8 /* that are remembered; of more, each is asked for each account */
#define STORE_TEXT_MAX 16384

struct all_holdings {
	struct holdings list[STORES_MAX];
	size_t count;
};

static void
wipe_holdings(struct all_holdings *all)
{
	size_t i;

	for (i = 0; i < all->count; i++) {
		free(all->list[i].store);
		rbr_names_wipe(&all->list[i].accounts);
	}
	all->count = 0;
}

static int
note_item(const struct ringbearer_item *item, void *data)
{
	struct holdings *holdings = data;

	if (strcmp(item->kind, RBR_KIND_REFRESH_TOKEN) != 0 && strcmp(item->kind, RBR_KIND_API_KEY) != 0)
		return 0;
	return rbr_names_add(item->account, &holdings->accounts);
}

/* Nobody is asked to unlock anything for a list. */
static void
read_holdings(struct rbr_context *context, const struct rbr_account *account, struct holdings *holdings)
{
	struct ringbearer_call call;
	struct rbr_vault vault;

	rbr_call_start(&call, context, account, false);
	rbr_call_hurry(&call);
	holdings->known = rbr_vault_open(&call, &vault) == 0 && vault.store.ops.list &&
		vault.store.ops.list(&call, NULL, note_item, holdings) == 0;
}

/* All that says which store ACCOUNT has: two of the same text are one. */
static void
name_store(const struct rbr_account *account, char text[STORE_TEXT_MAX])
{
	static const enum rbr_key keys[] = {
		RBR_KEY_STORE, RBR_KEY_STORE_FOLDER, RBR_KEY_STORE_KEY, RBR_KEY_STORE_KEY_FILE, RBR_KEY_STORE_COMMAND};
	struct rbr_writer writer = rbr_writer_start(text, STORE_TEXT_MAX);
	const char *slash = strrchr(account->path, '/'), *value;
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(keys); i++) {
		value = rbr_account_get(account, keys[i]);
		rbr_write_format(&writer, "%s\n", value ? value : "");
	}
	if (slash) /* whether it is the system's */
		rbr_write(&writer, account->path, (size_t)(slash - account->path));
}

/* What ACCOUNT's store holds: it is asked once, however many accounts it has. NULL if memory is short. */
static struct holdings *
holdings_of(struct rbr_context *context, const struct rbr_account *account, struct all_holdings *all)
{
	char text[STORE_TEXT_MAX];
	struct holdings *mine;
	size_t i;

	name_store(account, text);
	for (i = 0; i < all->count; i++)
		if (strcmp(all->list[i].store, text) == 0)
			return &all->list[i];
	if (all->count == STORES_MAX) {
		mine = &all->list[STORES_MAX - 1];
		free(mine->store);
		rbr_names_wipe(&mine->accounts);
		all->count--;
	}
	mine = &all->list[all->count];
	*mine = (struct holdings){.store = strdup(text)};
	if (!mine->store)
		return NULL;
	all->count++;
	read_holdings(context, account, mine);
	return mine;
}

static enum holding
holding_of(struct rbr_context *context, const struct rbr_account *account, struct all_holdings *all)
{
	const struct holdings *holdings = holdings_of(context, account, all);
	size_t i;

	if (!holdings || !holdings->known)
		return HOLDING_UNKNOWN;
	for (i = 0; i < holdings->accounts.count; i++)
		if (strcmp(holdings->accounts.list[i], account->name) == 0)
			return HOLDING_SOME;
	return HOLDING_NONE;
}

/* -- what the kernel keyring holds -- */

static void
consult_rotation(
	struct rbr_context *context, const struct rbr_account *account, bool *ret_pending, struct standing *standing)
{
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	char endpoint[RBR_BINDING_MAX];
	struct rbr_clock sent;
	int64_t sent_ms;
	bool known = rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, NULL) == 0 &&
		rbr_rotation_start(&rotation, context, account, endpoint) == 0;

	*ret_pending = known && rbr_rotation_recall(&rotation, &record, &sent, &sent_ms);
	standing->ended = known && standing->refresh_token != HOLDING_NONE && rbr_rotation_has_ended(&rotation);
}

/* What the cache says of the account's own token. */
static void
consult_cache(struct rbr_context *context, const struct rbr_account *account, struct standing *standing)
{
	static const struct rbr_request any = {.min_valid = 0};
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	bool pending;

	wish.request = &any;
	(void)snprintf(wish.account, sizeof wish.account, "%s", account->name);
	standing->state = standing->refresh_token == HOLDING_NONE ? "needs_login" : "none";
	if (rbr_account_locate(account->name, &wish.located, &context->error) < 0 ||
		rbr_wish_make_keys(&wish, NULL) < 0)
		return;
	consult_rotation(context, account, &pending, standing);
	if (standing->ended)
		standing->detail = "the login has ended, the server refuses its refresh token; log in again";
	if (rbr_wish_recall(context, &wish, &credential)) {
		standing->state = "valid";
		standing->expires = credential.expires;
		standing->left = rbr_credential_remaining(&credential, rbr_clock_now());
	} else if (pending) {
		standing->state = "pending";
		standing->detail =
			"the next refresh token waits in the kernel's keyring; open the keyring and ask for a token";
	} else if (standing->refresh_token != HOLDING_NONE &&
		rbr_verdict_recall(context, &wish.verdict_key, context->started_ms, true) < 0) {
		standing->state = "refused";
		standing->detail = context->error.detail;
		standing->ended = standing->ended || context->error.code == RINGBEARER_E_LOGIN_REQUIRED;
	} else if (standing->ended) {
		standing->state = "needs_login";
	}
}

static void
print_line(const struct standing *standing)
{
	static const struct {
		const char *state;
		const char *text;
	} texts[] = {{"none", "no token yet"}, {"needs_login", "needs login"}, {"pending", "rotation pending"}};
	const char *suffix = standing->refresh_token == HOLDING_SOME && !standing->ended ? ", logged in" : "";
	char state[96];
	size_t i;

	(void)snprintf(state, sizeof state, "%s", standing->state);
	for (i = 0; i < RBR_ARRAY_SIZE(texts); i++)
		if (strcmp(texts[i].state, standing->state) == 0)
			(void)snprintf(state, sizeof state, "%s", texts[i].text);
	if (strcmp(standing->state, "valid") == 0 && standing->expires != 0)
		(void)snprintf(state, sizeof state,
			standing->left < 120 ? "valid for %" PRId64 " s" : "valid for %" PRId64 " min",
			standing->left < 120 ? standing->left : standing->left / 60);
	rbr_say("%-24s %-14s %-20s %s%s\n", standing->name, standing->provider ? standing->provider : "-",
		standing->grant ? standing->grant : "-", state, suffix);
	if (standing->detail)
		rbr_say("    %s\n", standing->detail);
}

static int
json_member(struct ringbearer_secret *out, const char *name, const char *value)
{
	int rc = rbr_json_string(out, name);

	if (rc == 0)
		rc = rbr_secret_append(out, ":", 1);
	if (rc == 0)
		rc = value ? rbr_json_string(out, value) : rbr_secret_append(out, "null", 4);
	return rc < 0 ? rc : rbr_secret_append(out, ",", 1);
}

static int
print_json(struct ringbearer_secret *out, const struct standing *standing)
{
	char number[48];
	int rc = rbr_secret_append_string(out, out->size > 1 ? ",\n {" : "\n {");

	if (rc == 0)
		rc = json_member(out, "account", standing->name);
	if (rc == 0)
		rc = json_member(out, "provider", standing->provider);
	if (rc == 0)
		rc = json_member(out, "grant", standing->grant);
	if (rc == 0)
		rc = json_member(out, "state", standing->state);
	if (rc == 0 && standing->detail)
		rc = json_member(out, "detail", standing->detail);
	if (rc == 0 && standing->refresh_token != HOLDING_UNKNOWN)
		rc = rbr_secret_append_string(out,
			standing->refresh_token == HOLDING_SOME && !standing->ended ? "\"logged_in\":true,"
										    : "\"logged_in\":false,");
	if (standing->expires != 0)
		(void)snprintf(number, sizeof number, "\"expires_at\":%" PRId64 "}", standing->expires);
	else
		(void)snprintf(number, sizeof number, "\"expires_at\":null}");
	return rc < 0 ? rc : rbr_secret_append_string(out, number);
}

struct listing {
	struct rbr_context *context;
	bool json;
	bool headed; /* the passwords have a header */
	struct all_holdings holdings;
	struct ringbearer_secret out;
};

static int
list_account(struct listing *listing, const char *name)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct standing standing = {.name = name, .state = "broken"};
	struct rbr_context *context = listing->context;

	if (rbr_account_load(name, &account, &context->error) < 0) {
		standing.detail = context->error.detail;
	} else {
		standing.provider = rbr_account_get(&account, RBR_KEY_PROVIDER);
		standing.grant = rbr_account_get(&account, RBR_KEY_GRANT);
		if (rbr_needs_login(context, &account))
			standing.refresh_token = holding_of(context, &account, &listing->holdings);
		/* Nobody is asked for a list: what is not known is not said. */
		(void)!rbr_discovery_recall(&account, &context->error);
		consult_cache(context, &account, &standing);
	}
	if (listing->json)
		return print_json(&listing->out, &standing);
	print_line(&standing);
	return 0;
}

/* -- what git has stored for places without an account -- */

static int
list_password(const char *url, const char *username, void *data)
{
	struct listing *listing = data;
	int rc = 0;

	if (!listing->json) {
		if (!listing->headed)
			rbr_say("%-48s %s\n", "PLACE", "USERNAME");
		listing->headed = true;
		rbr_say("%-48s %s\n", url, username);
		return 0;
	}
	rc = rbr_secret_append_string(&listing->out, listing->out.size > 1 ? ",\n {" : "\n {");
	if (rc == 0)
		rc = json_member(&listing->out, "url", url);
	if (rc == 0)
		rc = rbr_secret_append_string(&listing->out, "\"username\":");
	if (rc == 0)
		rc = rbr_json_string(&listing->out, username);
	return rc < 0 ? rc : rbr_secret_append_string(&listing->out, "}");
}

static int
list_passwords(struct listing *listing)
{
	int rc = listing->json ? rbr_secret_append_string(&listing->out, "[") : 0;

	if (rc == 0)
		rc = rbr_storage_visit(listing->context, list_password, listing);
	if (rc == 0 && listing->json)
		rc = rbr_secret_append_string(&listing->out, "\n]\n");
	return rc < 0 ? rc : rbr_output(listing->context, &listing->out);
}

enum { OPTION_JSON = 1, OPTION_PASSWORDS };

static int
list_all(struct listing *listing)
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	struct rbr_context *context = listing->context;
	size_t i;
	int rc = rbr_account_visit(rbr_names_add, &names, &context->error);

	rbr_names_sort(&names);
	if (rc == 0 && listing->json)
		rc = rbr_secret_append(&listing->out, "[", 1);
	else if (rc == 0 && names.count > 0)
		rbr_say("%-24s %-14s %-20s %s\n", "ACCOUNT", "PROVIDER", "GRANT", "STATE");
	for (i = 0; rc == 0 && i < names.count; i++)
		rc = list_account(listing, names.list[i]);
	if (rc == 0 && listing->json)
		rc = rbr_secret_append_string(&listing->out, "\n]\n");
	return rc < 0 ? rc : rbr_output(context, &listing->out);
}

int
rbr_command_list(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
		{"passwords", no_argument, NULL, OPTION_PASSWORDS}, {NULL, 0, NULL, 0}};
	struct listing listing = {.context = context};
	bool passwords = false;
	int option, rc;

	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		if (option == OPTION_PASSWORDS)
			passwords = true;
		else
			listing.json = true;
	}
	rc = rbr_no_argument(context, argc, argv);
	if (rc == 0)
		rc = passwords ? list_passwords(&listing) : list_all(&listing);
	wipe_holdings(&listing.holdings);
	rbr_secret_wipe(&listing.out);
	return rc;
}
