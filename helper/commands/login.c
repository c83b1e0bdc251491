/* SPDX-License-Identifier: MIT */
/*
 * `login`: has a person consent. Nobody is sent to a browser before it is known that the keyring can be written, that the
 * client's secret is there, and that no other login for the account is under way.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts/endpoint.h"
#include "cached.h"
#include "command.h"
#include "journal/lock.h"
#include "needs.h"
#include "person/log.h"
#include "person/terminal.h"
#include "renewal/discovery.h"
#include "renewal/exchange.h"
#include "renewal/turn.h"

#define LOGIN_MS (6 * 60 * 1000) /* the five minutes that a person has, and the exchanges around them */
#define DEVICE_MS (31 * 60 * 1000)
#define QUESTION_MAX 640

enum { OPTION_DEVICE = 1, OPTION_NO_BROWSER, OPTION_PASTE };

struct choices {
	bool device;
	bool no_browser;
	bool paste;
};

static int
read_options(struct rbr_context *context, int argc, char **argv, struct choices *choices)
{
	static const struct option options[] = {{"device", no_argument, NULL, OPTION_DEVICE},
		{"no-browser", no_argument, NULL, OPTION_NO_BROWSER}, {"paste", no_argument, NULL, OPTION_PASTE},
		{NULL, 0, NULL, 0}};
	int option;

	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		choices->device = choices->device || option == OPTION_DEVICE;
		choices->no_browser = choices->no_browser || option == OPTION_NO_BROWSER;
		choices->paste = choices->paste || option == OPTION_PASTE;
	}
	return 0;
}

/* One login for an account at a time. */
static int
lock_login(struct rbr_context *context, const char *name, int *ret_lock)
{
	char lock_name[RBR_ACCOUNT_NAME_MAX + 16];
	int rc;

	(void)snprintf(lock_name, sizeof lock_name, "login-%s.lock", name);
	rc = rbr_lock_open(context, lock_name, ret_lock);
	if (rc == 0 && !rbr_lock_try(*ret_lock))
		return rbr_fail(&context->error, RINGBEARER_E_BUSY,
			"another login for this account is under way; finish that one, or end it first");
	return rc;
}

/* What could fail afterwards is tried before. */
static int
prepare(struct rbr_exchange *exchange)
{
	int rc;

	if (!exchange->grant.ops.authorize)
		return rbr_fail(&exchange->call.context->error, RINGBEARER_E_USAGE,
			"this account needs no login (grant = %s); its secret is given with `ringbearer secret %s`",
			rbr_account_get(exchange->call.account, RBR_KEY_GRANT), exchange->call.account->name);
	rc = rbr_needs_check(exchange->call.account, &exchange->grant, &exchange->call.context->error);
	if (rc == 0)
		rc = rbr_exchange_vault(exchange);
	if (rc == 0)
		rc = rbr_vault_probe(&exchange->vault);
	return rc < 0 ? rc : rbr_exchange_secrets(exchange);
}

/* A person says whether what the issuer's metadata lead away from the token endpoint may be sent secrets. */
static int
confirm(struct rbr_exchange *exchange, struct rbr_account *account, enum rbr_key key)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret answer = RBR_SECRET_EMPTY;
	struct rbr_context *context = exchange->call.context;
	const char *url = rbr_account_get(account, key);
	char text[QUESTION_MAX];
	int rc;

	if (!rbr_terminal_present()) {
		rbr_warn(context, account->name,
			"the issuer's metadata lead `%s` away from the token endpoint, to %.300s: no secret will be sent there; if it is "
			"right, add it to the account's file",
			rbr_keys[key].name, url);
		return 0;
	}
	(void)snprintf(text, sizeof text,
		"The issuer's metadata lead %s away from the token endpoint, to\n\n  %.300s\n", rbr_keys[key].name,
		url);
	rbr_terminal_tell(text);
	(void)snprintf(
		text, sizeof text, "Type yes if secrets of %s may be sent there (it is not shown): ", account->name);
	rc = rbr_terminal_ask(text, &answer, &context->error);
	if (rc == 0 && strcmp(rbr_secret_string(&answer), "yes") == 0)
		rc = rbr_account_confirm(account, key, url, &context->error);
	return rc;
}

static int
confirm_all(struct rbr_exchange *exchange, struct rbr_account *account, bool device)
{
	int key, rc = 0;

	for (key = 0; rc == 0 && key < RBR_KEYS; key++)
		if ((device || key != RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT) &&
			rbr_endpoint_admit(account, (enum rbr_key)key, NULL) < 0)
			rc = confirm(exchange, account, (enum rbr_key)key);
	return rc;
}

static int
authorize(struct rbr_exchange *exchange)
{
	struct ringbearer_grant_input input = rbr_exchange_input(exchange);

	rbr_exchange_begin(exchange);
	return rbr_loader_check(exchange->call.context, exchange->grant.name,
		exchange->grant.ops.authorize(&exchange->call, &input, &exchange->tokens));
}

/* A token without an end, and nothing to renew it with, is itself what the login has brought. It can be kept only where the
 * account says where it may be sent. */
static bool
is_lasting(const struct rbr_exchange *exchange)
{
	return !exchange->tokens.refresh_token && exchange->tokens.access_token &&
		exchange->tokens.expires_in == RINGBEARER_EXPIRES_UNKNOWN &&
		!rbr_account_get(exchange->call.account, RBR_KEY_DEFAULT_EXPIRES_IN) &&
		rbr_account_get(exchange->call.account, RBR_KEY_MATCH);
}

/* Keeps what the login has brought, and removes what an earlier one has left in another kind. */
static int
replace_standing(
	struct rbr_exchange *exchange, const char *kind, const struct ringbearer_secret *secret, const char *other)
{
	char endpoint[RBR_BINDING_MAX];
	int rc = rbr_vault_keep(&exchange->vault, kind, secret);

	if (rc == 0 && rbr_vault_binding(exchange->call.account, other, endpoint, NULL) == 0)
		rc = rbr_vault_erase(&exchange->vault, other);
	return rc;
}

/* What an earlier login has left; without a `match` there can be no lasting token. */
static int
erase_standing(struct rbr_exchange *exchange)
{
	int rc = rbr_vault_erase(&exchange->vault, RBR_KIND_REFRESH_TOKEN);

	if (rc == 0 && rbr_account_get(exchange->call.account, RBR_KEY_MATCH))
		rc = rbr_vault_erase(&exchange->vault, RBR_KIND_API_KEY);
	return rc;
}

static bool
same_key(const struct rbr_account *a, const struct rbr_account *b, enum rbr_key key)
{
	const struct rbr_value *mine, *other;
	size_t i = 0;

	do {
		mine = rbr_account_value(a, (int)key, i);
		other = rbr_account_value(b, (int)key, i++);
	} while (mine && other && strcmp(mine->text, other->text) == 0);
	return !mine && !other;
}

/* May a file that was edited still have what its account was given consent for? */
static bool
is_for(const struct rbr_account *account, const struct rbr_account *now)
{
	static const enum rbr_key keys[] = {RBR_KEY_CLIENT_ID, RBR_KEY_ISSUER, RBR_KEY_STORE, RBR_KEY_SCOPE,
		RBR_KEY_RESOURCE, RBR_KEY_AUDIENCE, RBR_KEY_MATCH};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(keys); i++)
		if (!same_key(account, now, keys[i]))
			return false;
	return !rbr_account_get(now, RBR_KEY_TOKEN_ENDPOINT) || same_key(account, now, RBR_KEY_TOKEN_ENDPOINT);
}

/* A person may take minutes, and the account may be gone or another by then: it was given consent for what it was. */
static int
check_account(struct rbr_context *context, const struct rbr_account *account, const struct rbr_wish *wish)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account now = RBR_ACCOUNT_EMPTY;
	struct rbr_located located;
	int rc = rbr_account_locate(wish->account, &located, &context->error);

	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return rbr_fail(&context->error, rc,
			"the account was removed while the login was under way, and nothing of the login was kept; add the account "
			"again if it is wanted, and log in then");
	if (rc < 0 || strcmp(located.stamp, wish->located.stamp) == 0)
		return rc;
	if (rbr_account_load(wish->account, &now, NULL) == 0 && is_for(account, &now))
		return 0;
	return rbr_fail(&context->error, RINGBEARER_E_CONFIG,
		"the account was changed while the login was under way, and nothing of the login was kept; run `ringbearer login %s` "
		"again",
		wish->account);
}

/* What cannot be kept is given back to the service, if it takes it. */
static void
give_back(struct rbr_exchange *exchange)
{
	struct ringbearer_grant_input input = rbr_exchange_input(exchange);
	struct rbr_error why = exchange->call.context->error;

	if (exchange->tokens.refresh_token && exchange->grant.ops.revoke &&
		rbr_account_get(exchange->call.account, RBR_KEY_REVOCATION_ENDPOINT) &&
		exchange->grant.ops.revoke(
			&exchange->call, &input, exchange->tokens.refresh_token, RBR_KIND_REFRESH_TOKEN) < 0)
		rbr_trace(exchange->call.context, "the refresh token that is not kept was not revoked");
	exchange->call.context->error = why;
}

/* The refresh token goes into the keyring before anything is said. */
static int
keep(struct rbr_exchange *exchange, const struct rbr_wish *wish, struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_close) int turn = -1;
	struct rbr_context *context = exchange->call.context;
	int rc = rbr_turn_take(context, exchange->call.account, &turn);

	exchange->call.deadline_ms = rbr_now_ms() + rbr_account_seconds(exchange->call.account, RBR_KEY_TIMEOUT) * 1000;
	if (rc == 0) {
		rc = check_account(context, exchange->call.account, wish);
		if (rc < 0)
			give_back(exchange);
	}
	if (rc == 0 && exchange->tokens.refresh_token)
		rc = replace_standing(
			exchange, RBR_KIND_REFRESH_TOKEN, exchange->tokens.refresh_token, RBR_KIND_API_KEY);
	else if (rc == 0 && is_lasting(exchange))
		rc = replace_standing(
			exchange, RBR_KIND_API_KEY, exchange->tokens.access_token, RBR_KIND_REFRESH_TOKEN);
	else if (rc == 0)
		rc = erase_standing(exchange);
	if (rc == 0)
		rc = rbr_vault_keep_confirmed(&exchange->vault);
	if (rc < 0)
		return rc;
	rbr_cached_forget_all(context, exchange->call.account); /* whatever is wrong with the access token */
	rc = rbr_exchange_check(exchange, wish);
	return rc < 0 ? rc : rbr_exchange_publish(exchange, wish, credential);
}

/* What may bring a refresh token the next time. */
static const char *
advice_for_next_time(const struct rbr_account *account)
{
	const char *scope = rbr_account_get(account, RBR_KEY_SCOPE),
		   *parameters = rbr_account_get(account, RBR_KEY_AUTHORIZATION_PARAMS);

	if (!scope || !strstr(scope, "offline_access"))
		return "; add offline_access to `scope` if the service knows it, and log in again";
	if (parameters && strstr(parameters, "prompt="))
		return "";
	return "; some services grant offline_access only to who is asked for consent: add `authorization_params = prompt=consent`, "
	       "and log in again";
}

static void
report(const struct rbr_exchange *exchange, const struct rbr_credential *credential)
{
	struct rbr_context *context = exchange->call.context;
	const char *narrower = rbr_exchange_narrower(exchange), *name = exchange->call.account->name;

	if (narrower)
		rbr_warn(context, name, "the server granted only `%s`", narrower);
	rbr_say("%s: logged in", name);
	if (exchange->tokens.user)
		rbr_say(" as %s", rbr_secret_string(exchange->tokens.user));
	if (credential->expires != 0)
		rbr_say(", valid for %lld s", (long long)rbr_credential_remaining(credential, rbr_clock_now()));
	rbr_say("%s\n", exchange->tokens.refresh_token ? ", then renewed without you" : "");
	if (!exchange->tokens.refresh_token && !is_lasting(exchange))
		rbr_warn(exchange->call.context, name,
			"the service gave no refresh token, so the login ends with this token%s",
			advice_for_next_time(exchange->call.account));
}

static int
login(struct rbr_context *context, struct rbr_account *account, const struct rbr_located *located,
	const struct choices *choices)
{
	static const struct rbr_request any = {.min_valid = 0};
	RBR_CLEANUP(rbr_exchange_end) struct rbr_exchange exchange;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	const char *grant = choices->device ? "device_code" : rbr_account_get(account, RBR_KEY_GRANT);
	bool device = strcmp(grant, "device_code") == 0;
	int rc = rbr_exchange_start(&exchange, context, account, grant, true);

	exchange.call.deadline_ms += device ? DEVICE_MS : LOGIN_MS;
	exchange.call.no_browser = choices->no_browser;
	exchange.call.paste = choices->paste;
	wish.request = &any;
	wish.located = *located;
	(void)snprintf(wish.account, sizeof wish.account, "%s", account->name);
	if (rc == 0)
		rc = rbr_wish_make_keys(&wish, &context->error);
	if (rc == 0)
		rc = rbr_discovery_apply(&exchange.call, &exchange.grant, account,
			device ? RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT : RBR_KEY_AUTHORIZATION_ENDPOINT, RBR_FRESH);
	if (rc == 0 && choices->paste && !rbr_terminal_present())
		rc = rbr_fail(&context->error, RINGBEARER_E_USAGE, "there is no terminal for --paste; run this in one");
	if (rc == 0)
		rc = prepare(&exchange);
	if (rc == 0)
		rc = confirm_all(&exchange, account, device);
	if (rc == 0)
		rc = authorize(&exchange);
	if (rc == 0)
		rc = keep(&exchange, &wish, &credential);
	if (exchange.grant.ops.conclude)
		exchange.grant.ops.conclude(&exchange.call, rc);
	if (rc == 0)
		report(&exchange, &credential);
	return rc;
}

int
rbr_command_login(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_close) int lock = -1;
	struct rbr_located located = {.path = ""};
	struct choices choices = {false, false, false};
	const char *name = NULL;
	int rc = read_options(context, argc, argv, &choices);

	if (rc == 0)
		rc = rbr_account_argument(context, argc, argv, &name);
	/* What the file is, before it is read: one that changes in between is seen to have changed. */
	if (rc == 0)
		(void)!rbr_account_locate(name, &located, NULL);
	if (rc == 0)
		rc = rbr_account_load(name, &account, &context->error);
	if (rc == 0)
		rc = lock_login(context, name, &lock);
	return rc < 0 ? rc : login(context, &account, &located, &choices);
}
