/* SPDX-License-Identifier: MIT */
/*
 * A renewal, step by step.
 *
 * 1. The lock of the binding (account, client, endpoint), so that N callers make one request. Those who wait look at the
 *    cache meanwhile and leave with the answer, or with the verdict, as soon as one is there.
 * 2. The store: it is read before the server is asked, so that a locked keyring stops everything while nothing
 *    has happened yet.
 * 3. The grant, under the call's deadline.
 * 4. The cache: the token for those who wait and those who come later; or the verdict.
 */
#include "config.h"

#include "renewal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.h"
#include "loader.h"
#include "lock.h"
#include "log.h"
#include "vault.h"
#include "verdict.h"

#define LOCK_WAIT_MS (60 * 1000)
#define LOCK_POLL_MAX_MS 50
#define LOCK_NAME_MAX 64
/* A background renewal that failed is not tried again sooner. */
#define AHEAD_PAUSE_MS (30 * 1000)
/* Longest token, and longest list of scopes: with its key it must fit into a line of the protocol. */
#define TOKEN_SIZE_MAX (RBR_LINE_MAX - (unsigned)sizeof "credential=") /* the NUL counts for the newline */
/* How long a token without a stated lifetime is kept. */
#define UNKNOWN_EXPIRY_SECONDS 300

/* -- the lock -- */

/* Who renews for the same user with the same secret must have the same name here. */
static int
lock_name(const struct rbr_account *account, char name[LOCK_NAME_MAX], struct rbr_error *error)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	const char *client_id = rbr_account_get(account, RBR_KEY_CLIENT_ID);
	const char *endpoint = rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT);

	if (!endpoint)
		endpoint = rbr_account_get(account, RBR_KEY_ISSUER);
	if (rbr_cache_key_add(&key, account->name) < 0 || rbr_cache_key_add(&key, client_id ? client_id : "none") < 0 ||
		rbr_cache_key_add(&key, endpoint ? endpoint : "none") < 0)
		return rbr_fail_memory(error);
	(void)snprintf(name, LOCK_NAME_MAX, "%016" PRIx64 ".lock", rbr_hash(key.text.data, key.text.size));
	return 0;
}

static int
open_lock(const struct rbr_account *account, int *ret_lock, struct rbr_error *error)
{
	char name[LOCK_NAME_MAX];
	int rc = lock_name(account, name, error);

	return rc < 0 ? rc : rbr_lock_open(name, ret_lock, error);
}

/* Waits for the lock, or for somebody else's answer: then *RET_ANSWERED. A verdict is returned as an error. */
static int
wait_for_lock(struct rbr_context *context, const struct rbr_wish *wish, int lock, struct rbr_credential *credential,
	bool *ret_answered)
{
	int64_t deadline = rbr_now_ms() + LOCK_WAIT_MS, pause = 1;
	bool locked;
	int rc;

	do {
		locked = rbr_lock_try(lock);
		*ret_answered = rbr_wish_recall(context, wish, credential);
		if (*ret_answered)
			return 0;
		if (locked && wish->urgency == RBR_REJECTED)
			rbr_cache_drop(&wish->token_key); /* whatever comes of the renewal */
		rc = rbr_verdict_recall(context, &wish->verdict_key, context->started_ms, wish->urgency != RBR_FORCED);
		if (rc < 0 || locked)
			return rc;
		rbr_sleep_ms(pause);
		pause = pause * 2 < LOCK_POLL_MAX_MS ? pause * 2 : LOCK_POLL_MAX_MS;
	} while (rbr_now_ms() < deadline);
	return rbr_fail(&context->error, RINGBEARER_E_BUSY,
		"another process has been renewing this account for %d seconds; try again later", LOCK_WAIT_MS / 1000);
}

/* -- the grant -- */

struct exchange {
	struct ringbearer_call call;
	struct ringbearer_module grant;
	struct rbr_clock sent;
	int64_t sent_ms;
	struct ringbearer_secret *client_secret;
	struct ringbearer_secret *api_key;
	struct ringbearer_tokens tokens;
};

static void
end_exchange(struct exchange *exchange)
{
	rbr_secret_free(exchange->client_secret);
	rbr_secret_free(exchange->api_key);
	rbr_secret_free(exchange->tokens.access_token);
	rbr_secret_free(exchange->tokens.refresh_token);
	rbr_secret_free(exchange->tokens.scope);
}

/* Puts scope and resources of the request above the account's own. */
static int
take_up_request(struct rbr_account *account, const struct rbr_wish *wish, struct rbr_error *error)
{
	const char *resource;
	size_t cursor = 0;
	int rc = 0;

	if (wish->scope[0] != '\0')
		rc = rbr_account_override(account, RBR_KEY_SCOPE, wish->scope, error);
	while (rc == 0 && (resource = rbr_request_resource(wish->request, &cursor)))
		rc = rbr_account_override(account, RBR_KEY_RESOURCE, resource, error);
	return rc;
}

static int
fetch_secrets(struct exchange *exchange, const struct rbr_account *account)
{
	const char *client_auth = rbr_account_get(account, RBR_KEY_CLIENT_AUTH);
	bool wants_secret =
		(exchange->grant.needs & RINGBEARER_NEEDS_CLIENT_SECRET) && strcmp(client_auth, "none") != 0;
	bool wants_key = (exchange->grant.needs & RINGBEARER_NEEDS_API_KEY) != 0;
	struct rbr_vault vault;
	int rc = 0;

	if (!wants_secret && !wants_key)
		return 0;
	rc = rbr_vault_open(&exchange->call, &vault);
	if (rc == 0 && wants_secret)
		rc = rbr_vault_lookup(&vault, RBR_KIND_CLIENT_SECRET, &exchange->client_secret);
	if (rc == 0 && wants_key)
		rc = rbr_vault_lookup(&vault, RBR_KIND_API_KEY, &exchange->api_key);
	rbr_call_hide(&exchange->call, exchange->client_secret);
	rbr_call_hide(&exchange->call, exchange->api_key);
	return rc;
}

/* Is what the grant brought an answer? */
static int
check_tokens(struct exchange *exchange, const struct rbr_wish *wish, const struct rbr_account *account)
{
	const struct ringbearer_tokens *tokens = &exchange->tokens;
	struct rbr_context *context = exchange->call.context;
	const char *own = rbr_account_get(account, RBR_KEY_SCOPE), *granted;

	if (!tokens->access_token || !tokens->token_type ||
		!rbr_token_is_clean(rbr_secret_string(tokens->access_token), tokens->access_token->size))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_RESPONSE,
			"the token in the answer has bytes that no token may have; ask the service's support");
	if (tokens->access_token->size > TOKEN_SIZE_MAX || (tokens->scope && tokens->scope->size > TOKEN_SIZE_MAX))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_RESPONSE,
			"the token or its scope is longer than the %u bytes that fit into a line; ask the service's support",
			TOKEN_SIZE_MAX);
	if (!tokens->scope)
		return 0;
	granted = rbr_secret_string(tokens->scope);
	if (wish->scope[0] != '\0' && !rbr_scope_covers(granted, wish->scope))
		return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
			"the server granted `%.200s` and not all of `%.200s`; have the scopes added to the application",
			granted, wish->scope);
	if (own && !rbr_scope_covers(granted, own))
		rbr_warn(context, account->name, "the server granted only `%s`", granted);
	return 0;
}

/* Writes down what is known of the token. */
static int
make_record(const struct exchange *exchange, const struct rbr_account *account, struct rbr_message *record)
{
	const struct ringbearer_tokens *tokens = &exchange->tokens;
	const char *username = rbr_account_get(account, RBR_KEY_USERNAME);
	int64_t lifetime = tokens->expires_in, ahead = rbr_account_renew_ahead(account, lifetime);
	int rc = rbr_message_add(record, "token", rbr_secret_string(tokens->access_token));

	if (rc == 0)
		rc = rbr_message_add(record, "type", tokens->token_type);
	if (rc == 0)
		rc = rbr_message_add(record, "account", account->name);
	if (rc == 0 && username)
		rc = rbr_message_add(record, "username", username);
	if (rc == 0 && tokens->scope)
		rc = rbr_message_add(record, "scope", rbr_secret_string(tokens->scope));
	if (rc == 0)
		rc = rbr_message_add_number(record, "obtained", exchange->sent.real);
	if (rc == 0)
		rc = rbr_message_add_number(record, "obtained_ms", exchange->sent_ms);
	if (rc < 0 || lifetime <= 0) /* not known, or over already: nothing that a caller could go by */
		return rc;
	/* A token that callers no longer take is late already. */
	if (ahead < 2 * RBR_MIN_VALID_DEFAULT)
		ahead = 2 * RBR_MIN_VALID_DEFAULT;
	if (ahead > lifetime / 2)
		ahead = lifetime / 2;
	rc = rbr_message_add_number(record, "expires", exchange->sent.real + lifetime);
	if (rc == 0)
		rc = rbr_message_add_number(record, "renew_at", exchange->sent.real + lifetime - ahead);
	return rc;
}

/* Keeps the token for others and turns it into an answer. */
static int
publish(const struct exchange *exchange, const struct rbr_wish *wish, const struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	struct rbr_context *context = exchange->call.context;
	int64_t lifetime = exchange->tokens.expires_in,
		assumed = rbr_account_seconds(account, RBR_KEY_DEFAULT_EXPIRES_IN);
	int64_t keep = lifetime;
	int rc;

	if (lifetime == RINGBEARER_EXPIRES_UNKNOWN)
		keep = assumed > 0 ? assumed : UNKNOWN_EXPIRY_SECONDS;
	rc = make_record(exchange, account, &ret_credential->record);
	if (rc == 0)
		rc = rbr_message_add_number(&ret_credential->record, "boot_expires", exchange->sent.boot + keep);
	if (rc < 0 || !rbr_credential_from_record(ret_credential)) {
		rbr_credential_wipe(ret_credential);
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_RESPONSE,
			"the token or its scope is longer than a line of %u bytes may be; ask the service's support",
			RBR_LINE_MAX);
	}
	if (keep > 0 && rbr_cache_write(&wish->token_key, &ret_credential->record, keep))
		rbr_trace(context, "the token is kept for %" PRId64 " s", keep);
	else
		rbr_trace(context, "the token is not kept: %s",
			keep > 0 ? "the kernel keyring does not take it" : "it has no lifetime");
	rbr_cache_drop(&wish->verdict_key);
	return 0;
}

/* Everything that happens under the lock. */
static int
mint(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(end_exchange)
	struct exchange exchange = {
		.tokens = {.size = sizeof exchange.tokens, .expires_in = RINGBEARER_EXPIRES_UNKNOWN}};
	struct ringbearer_grant_input input = {.size = sizeof input};
	int rc = take_up_request(account, wish, &context->error);

	/* Nobody sits at a renewal in the background. */
	rbr_call_start(&exchange.call, context, account, wish->interactive && !context->quiet);
	if (rc == 0)
		rc = rbr_loader_open(context, "grant", rbr_account_get(account, RBR_KEY_GRANT), &exchange.grant);
	if (rc < 0)
		return rc;
	if (!exchange.grant.renew)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s cannot renew; choose another `grant`", exchange.grant.name);
	rc = fetch_secrets(&exchange, account);
	if (rc < 0)
		return rc;
	input.client_secret = exchange.client_secret;
	input.api_key = exchange.api_key;
	exchange.sent = rbr_clock_now();
	exchange.sent_ms = rbr_now_ms();
	rc = rbr_loader_check(context, &exchange.grant, exchange.grant.renew(&exchange.call, &input, &exchange.tokens));
	if (rc == 0)
		rc = check_tokens(&exchange, wish, account);
	return rc < 0 ? rc : publish(&exchange, wish, account, ret_credential);
}

static int
mint_or_share_verdict(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	int rc = mint(context, wish, account, ret_credential);

	if (rc < 0)
		rbr_verdict_share(context, &wish->verdict_key, wish->account);
	return rc;
}

int
rbr_renewal_run(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	bool answered = false;
	int rc = open_lock(account, &lock, &context->error);

	if (rc == 0)
		rc = wait_for_lock(context, wish, lock, ret_credential, &answered);
	if (rc < 0 || answered)
		return rc;
	rbr_trace(context, "renewing %s", account->name);
	return mint_or_share_verdict(context, wish, account, ret_credential);
}

/* -- ahead of time -- */

/* Lets go of everything that the caller may wait for: its pipes and its terminal. The lock stays, as descriptor 3. */
static bool
leave_caller(int lock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), i;

	for (i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			return false;
	if (lock != 3 && dup3(lock, 3, O_CLOEXEC) < 0)
		return false;
	(void)syscall(SYS_close_range, 4u, ~0u, 0u);
	return setsid() >= 0 && chdir("/") == 0;
}

void
rbr_renewal_detach(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account)
{
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential fresh = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_close) int lock = -1;
	pid_t child;

	if (open_lock(account, &lock, &context->error) < 0 || !rbr_lock_try(lock))
		return;
	if (rbr_verdict_recall(context, &wish->verdict_key, rbr_now_ms() - AHEAD_PAUSE_MS, true) < 0)
		return;
	rbr_trace(context, "renewing %s in the background", account->name);
	child = fork();
	if (child != 0)
		return; /* the child has the lock, too, and keeps it */
	context->quiet = true;
	if (!leave_caller(lock))
		_exit(1);
	/* Somebody may have renewed between our reading and our lock. */
	if (!rbr_wish_recall(context, wish, &fresh) || rbr_credential_ageing(&fresh, rbr_clock_now())) {
		rbr_credential_wipe(&fresh);
		(void)!mint_or_share_verdict(context, wish, account, &fresh);
	}
	rbr_credential_wipe(&fresh);
	_exit(0);
}
