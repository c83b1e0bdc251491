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
#include "command.h"
#include "journal/lock.h"
#include "login_outcome.h"
#include "needs.h"
#include "person/log.h"
#include "person/terminal.h"
#include "renewal/discovery.h"
#include "renewal/exchange.h"

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
		rc = rbr_outcome_keep(&exchange, &wish, &credential);
	if (exchange.grant.ops.conclude)
		exchange.grant.ops.conclude(&exchange.call, rc);
	if (rc == 0)
		rbr_outcome_report(&exchange, &credential);
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
