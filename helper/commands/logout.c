/* SPDX-License-Identifier: MIT */
/*
 * `logout`: the service is asked to forget the refresh token, which should take the access tokens along (RFC 7009 section
 * 2.1), then the access token that is cached. Both are forgotten here either way; the exit status says whether the service
 * agreed.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cached.h"
#include "command.h"
#include "logout.h"
#include "needs.h"
#include "person/log.h"
#include "renewal/discovery.h"
#include "renewal/exchange.h"
#include "renewal/sharing.h"
#include "renewal/turn.h"

#define MACHINES_MS (10 * 1000) /* that a renewal of another machine is waited for */
#define MACHINES_POLL_MS 500

/* Each step has the account's time for itself: a service that does not answer must not keep the keyring from forgetting. */
static void
more_time(struct rbr_exchange *exchange)
{
	exchange->call.deadline_ms = rbr_now_ms() + rbr_account_seconds(exchange->call.account, RBR_KEY_TIMEOUT) * 1000;
}

/* Asks the service to forget TOKEN; the first refusal is what the run ends with. */
static void
revoke(struct rbr_exchange *exchange, const struct ringbearer_secret *token, const char *kind, struct rbr_error *first)
{
	struct ringbearer_grant_input input = rbr_exchange_input(exchange);
	struct rbr_context *context = exchange->call.context;
	int rc;

	if (first->code == RINGBEARER_E_NO_SECRET)
		return;
	more_time(exchange);
	rbr_call_hide(&exchange->call, token);
	if (!exchange->grant.ops.revoke)
		rc = rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"this grant knows no revocation; revoke the login in the service's own pages");
	else
		rc = rbr_loader_check(context, exchange->grant.name,
			exchange->grant.ops.revoke(&exchange->call, &input, token, kind));
	rbr_call_reveal(&exchange->call, token);
	if (rc < 0 && first->code == 0)
		*first = context->error;
}

/* The refresh token, or the lasting token that was kept in its place. */
static int
erase_standing(struct rbr_exchange *exchange)
{
	char endpoint[RBR_BINDING_MAX];
	int rc = rbr_exchange_vault(exchange);

	if (rc == 0)
		rc = rbr_vault_erase(&exchange->vault, RBR_KIND_REFRESH_TOKEN);
	if (rc == 0 && rbr_vault_binding(exchange->call.account, RBR_KIND_API_KEY, endpoint, NULL) == 0)
		rc = rbr_vault_erase(&exchange->vault, RBR_KIND_API_KEY);
	if (rc == 0 && rbr_account_get(exchange->call.account, RBR_KEY_ISSUER))
		rc = rbr_vault_forget_confirmed(&exchange->vault);
	return rc;
}

struct revoking {
	struct rbr_exchange *exchange;
	struct rbr_error *first;
};

static void
revoke_cached(const struct ringbearer_secret *token, void *data)
{
	struct revoking *revoking = data;

	revoke(revoking->exchange, token, "access_token", revoking->first);
}

/* A lasting token, kept in the place of an API key. NULL if there is none. */
static struct ringbearer_secret *
lasting_token(struct rbr_exchange *exchange)
{
	struct ringbearer_secret *token = NULL;
	char endpoint[RBR_BINDING_MAX];

	if (exchange->refresh_token ||
		rbr_vault_binding(exchange->call.account, RBR_KIND_API_KEY, endpoint, NULL) < 0 ||
		rbr_vault_lookup(&exchange->vault, RBR_KIND_API_KEY, &token) < 0)
		return NULL;
	return token;
}

/* What another machine has just sent for would be in nobody's hands: its answer is waited for, to be revoked with the rest. */
static void
wait_for_machines(struct rbr_exchange *exchange, struct rbr_shared *shared)
{
	struct rbr_context *context = exchange->call.context;
	int64_t until_ms = rbr_now_ms() + MACHINES_MS;
	int rc = rbr_exchange_vault(exchange);

	while (rc == 0) {
		rc = rbr_sharing_pause(&exchange->vault, shared);
		if (rc != RINGBEARER_E_BUSY || shared->lease != 0 || rbr_now_ms() >= until_ms)
			break;
		rbr_shared_end(shared);
		rbr_sleep_ms(MACHINES_POLL_MS);
		rc = 0;
	}
	if (rc == RINGBEARER_E_BUSY)
		rbr_warn(context, exchange->call.account->name,
			"another machine was renewing this login; what it gets is not revoked, and kept by nobody");
}

int
rbr_logout(struct rbr_context *context, struct rbr_account *account, int *turn, bool *ret_forgotten)
{
	RBR_CLEANUP(rbr_exchange_end) struct rbr_exchange exchange;
	RBR_CLEANUP(rbr_sharing_resume) struct rbr_shared shared = {.vault = NULL};
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *lasting = NULL;
	struct rbr_error first = {.code = 0};
	struct revoking revoking = {&exchange, &first};
	const char *endpoint;
	int rc = rbr_exchange_start(&exchange, context, account, rbr_account_get(account, RBR_KEY_GRANT), true);

	*ret_forgotten = false;
	if (rc == 0)
		rc = rbr_discovery_apply(
			&exchange.call, &exchange.grant, account, RBR_KEY_REVOCATION_ENDPOINT, RBR_KEPT);
	if (rc < 0 && exchange.grant.name && rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT)) {
		first = context->error; /* the service cannot be told; what is here can be forgotten all the same */
		rc = 0;
	}
	if (rc == 0)
		rc = rbr_turn_take(context, account, turn);
	endpoint = rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT);
	more_time(&exchange);
	if (rc == 0)
		wait_for_machines(&exchange, &shared);
	more_time(&exchange);
	if (rc == 0)
		rc = rbr_exchange_secrets(&exchange);
	if (rc == RINGBEARER_E_NO_SECRET) {
		first = context->error; /* without it the service takes no revocation; what is here goes all the same */
		rc = 0;
	}
	if (rc == 0 && (exchange.grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN)) {
		rc = rbr_exchange_refresh_token(&exchange);
		if (rc == RINGBEARER_E_LOGIN_REQUIRED)
			rc = 0; /* there is none to revoke */
	}
	if (rc < 0)
		return rc;
	if (exchange.refresh_token)
		revoke(&exchange, exchange.refresh_token, "refresh_token", &first);
	if (exchange.grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN)
		lasting = lasting_token(&exchange);
	if (lasting)
		revoke(&exchange, lasting, "access_token", &first);
	else if (exchange.grant.ops.needs != RINGBEARER_NEEDS_API_KEY &&
		endpoint) /* no other service is shown its own */
		rbr_cached_tokens(account->name, endpoint, revoke_cached, &revoking);
	more_time(&exchange);
	if (exchange.grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN)
		rc = erase_standing(&exchange);
	rbr_cached_forget_all(context, account);
	*ret_forgotten = rc == 0;
	if (rc == 0 && first.code != 0) {
		context->error = first;
		return first.code;
	}
	return rc;
}

int
rbr_logout_but(struct rbr_context *context, const char *done)
{
	struct rbr_error why = context->error;

	(void)rbr_fail(&context->error, why.code, "%s here, but %s", done, why.detail);
	context->error.retry_after = why.retry_after;
	return why.code;
}

int
rbr_command_logout(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const char *name = NULL;
	RBR_CLEANUP(rbr_close) int turn = -1;
	bool forgotten = false;
	int rc;

	if (rbr_option(context, argc, argv, options) == 0)
		return RINGBEARER_E_USAGE;
	rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0)
		rc = rbr_account_load(name, &account, &context->error);
	if (rc == 0)
		rc = rbr_logout(context, &account, &turn, &forgotten);
	if (rc < 0 && forgotten)
		return rbr_logout_but(context, "forgotten");
	if (rc == 0)
		rbr_say(rbr_needs_login(context, &account) ? "%s: logged out\n"
							   : "%s: what was cached is dropped; it has no login to end\n",
			name);
	return rc;
}
