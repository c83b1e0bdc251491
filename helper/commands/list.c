/* SPDX-License-Identifier: MIT */
/* `list`: the accounts and how they stand. No secret is looked up, nobody is asked to unlock anything, and where the keyring
 * says nothing, nothing is said about logins. A login that machines share is looked at as a whole, since a store has it in no other
 * way. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts/account.h"
#include "cli/names.h"
#include "command.h"
#include "holdings.h"
#include "journal/unkept.h"
#include "needs.h"
#include "person/log.h"
#include "protocol/formats/formats.h"
#include "renewal/discovery.h"
#include "standing.h"
#include "vault/storage.h"
#include "vault/vault.h"

#define SHARED_MS 1000 /* that the stores which machines share may take in all, for all accounts */

static void
print_line(const struct rbr_standing *standing)
{
	static const struct {
		const char *state;
		const char *text;
	} texts[] = {{"none", "no token yet"}, {"needs_login", "needs login"}, {"pending", "rotation pending"}};
	const char *suffix = standing->refresh_token == RBR_HOLDING_SOME && !standing->ended ? ", logged in" : "";
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

/* How the login stands that machines share: SHARED is an object's members; "" is none. */
static int
json_shared(struct ringbearer_secret *out, const struct ringbearer_secret *shared)
{
	int rc = shared->size > 0 ? rbr_secret_append_string(out, "\"shared\":{") : 0;

	if (rc == 0 && shared->size > 0)
		rc = rbr_secret_append(out, shared->data, shared->size);
	return rc < 0 || shared->size == 0 ? rc : rbr_secret_append(out, "},", 2);
}

static int
print_json(struct ringbearer_secret *out, const struct rbr_standing *standing, const struct ringbearer_secret *shared)
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
	if (rc == 0 && standing->refresh_token != RBR_HOLDING_UNKNOWN)
		rc = rbr_secret_append_string(out,
			standing->refresh_token == RBR_HOLDING_SOME && !standing->ended ? "\"logged_in\":true,"
											: "\"logged_in\":false,");
	if (rc == 0)
		rc = json_shared(out, shared);
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
	int64_t shared_ms; /* what is left of SHARED_MS */
	struct rbr_holdings holdings;
	struct ringbearer_secret out;
};

/* What a store of that kind is asked, it is asked in the time that is left for all of them. */
static int
ask_shared(struct listing *listing, const struct rbr_account *account, struct ringbearer_secret *text,
	struct ringbearer_secret *json)
{
	struct rbr_error *error = &listing->context->error, before = *error;
	char endpoint[RBR_BINDING_MAX];
	int64_t since_ms = rbr_now_ms();
	int rc;

	if (rbr_account_get(account, RBR_KEY_ISSUER) &&
		rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, NULL) < 0)
		rc = rbr_fail(error, RINGBEARER_E_CONFIG,
			"this machine has not asked the issuer yet where its tokens come from; `ringbearer token %s` does",
			account->name);
	else if (listing->shared_ms <= 0)
		rc = rbr_fail(error, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store `%s` does not say in time; `ringbearer doctor %s` waits longer",
			rbr_account_get(account, RBR_KEY_STORE), account->name);
	else
		rc = rbr_standing_shared(listing->context, account, listing->shared_ms, text, json);
	listing->shared_ms -= rbr_now_ms() - since_ms;
	if (rc < 0) {
		rbr_secret_wipe(text);
		rbr_secret_wipe(json);
		rc = rbr_secret_append_string(text, error->detail);
		if (rc == 0)
			rc = rbr_secret_append_string(json, "\"error\":");
		if (rc == 0)
			rc = rbr_json_string(json, error->detail);
	}
	*error = before; /* the standing may point there */
	return rc;
}

/* Counts the time that is spent on asking who has a login. */
static enum rbr_holding
ask_holding(struct listing *listing, const struct rbr_account *account, bool shared)
{
	int64_t since_ms = rbr_now_ms();
	enum rbr_holding holding = rbr_holdings_ask(listing->context, account, &listing->holdings);

	if (shared)
		listing->shared_ms -= rbr_now_ms() - since_ms;
	return holding;
}

static int
list_account(struct listing *listing, const char *name)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret json = RBR_SECRET_EMPTY;
	struct rbr_standing standing = {.name = name, .state = "broken"};
	struct rbr_context *context = listing->context;
	bool shared = false;
	int rc = 0;

	if (rbr_account_load(name, &account, &context->error) < 0) {
		standing.detail = context->error.detail;
	} else {
		standing.provider = rbr_account_get(&account, RBR_KEY_PROVIDER);
		standing.grant = rbr_account_get(&account, RBR_KEY_GRANT);
		if (rbr_needs_login(context, &account)) {
			shared = rbr_standing_is_shared(context, &account);
			standing.refresh_token = ask_holding(listing, &account, shared);
		}
		/* Nobody is asked for a list: what is not known is not said. */
		(void)!rbr_discovery_recall(&account, &context->error);
		rbr_standing_consult(context, &account, &standing);
	}
	if (shared)
		rc = ask_shared(listing, &account, &text, &json);
	if (rc < 0)
		return rc;
	if (listing->json)
		return print_json(&listing->out, &standing, &json);
	print_line(&standing);
	if (text.size > 0)
		rbr_say("    %s\n", rbr_secret_string(&text));
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
	else if (rc == 0 && !listing->headed && isatty(STDERR_FILENO))
		rbr_warn(listing->context, NULL, "git has stored no password here");
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
	else if (rc == 0 && isatty(STDERR_FILENO)) /* nothing is an answer for programs, and none for a person */
		rbr_warn(context, NULL, "there is no account yet; `ringbearer add NAME` sets one up");
	for (i = 0; rc == 0 && i < names.count; i++)
		rc = list_account(listing, names.list[i]);
	if (rc == 0 && listing->json)
		rc = rbr_secret_append_string(&listing->out, "\n]\n");
	rbr_unkept_check(context);
	return rc < 0 ? rc : rbr_output(context, &listing->out);
}

int
rbr_command_list(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
		{"passwords", no_argument, NULL, OPTION_PASSWORDS}, {NULL, 0, NULL, 0}};
	struct listing listing = {.context = context, .shared_ms = SHARED_MS};
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
	rbr_holdings_wipe(&listing.holdings);
	rbr_secret_wipe(&listing.out);
	return rc;
}
