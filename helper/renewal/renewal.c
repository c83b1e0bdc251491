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

#include "discovery.h"
#include "exchange.h"
#include "journal/lock.h"
#include "journal/rotation.h"
#include "journal/verdict.h"
#include "person/log.h"
#include "vault/vault.h"

#define LOCK_WAIT_MS (60 * 1000)
#define LOCK_POLL_MAX_MS 50
#define LOCK_NAME_MAX 64
/* A background renewal that failed is not tried again sooner. */
#define AHEAD_PAUSE_MS (30 * 1000)
/* So soon after a request whose answer was lost, one more does no harm: shorter than any published grace period. */
#define RETRY_WINDOW_MS 5000
/* How often a refresh token is sent without an answer before a person is asked. */
#define SENDS_MAX 2

/* -- the lock -- */

/* Who renews for the same user with the same secret must have the same name here. */
static int
lock_name(const struct rbr_account *account, char name[LOCK_NAME_MAX], struct rbr_error *error)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	const char *client_id = rbr_account_get(account, RBR_KEY_CLIENT_ID);
	const struct rbr_value *value = rbr_account_value(account, RBR_KEY_TOKEN_ENDPOINT, 0);
	/* Metadata may have been read by now or not: the name must not depend on it. */
	const char *endpoint =
		value && value->layer != RBR_LAYER_METADATA ? value->text : rbr_account_get(account, RBR_KEY_ISSUER);

	if (rbr_cache_key_add(&key, account->name) < 0 || rbr_cache_key_add(&key, client_id ? client_id : "none") < 0 ||
		rbr_cache_key_add(&key, endpoint ? endpoint : "none") < 0)
		return rbr_fail_memory(error);
	(void)snprintf(name, LOCK_NAME_MAX, "%016" PRIx64 ".lock", rbr_hash(key.text.data, key.text.size));
	return 0;
}

static int
open_lock(struct rbr_context *context, const struct rbr_account *account, int *ret_lock)
{
	char name[LOCK_NAME_MAX];
	int rc = lock_name(account, name, &context->error);

	return rc < 0 ? rc : rbr_lock_open(context, name, ret_lock);
}

static int
fail_busy(struct rbr_context *context)
{
	return rbr_fail(&context->error, RINGBEARER_E_BUSY,
		"another process has been renewing this account for %d seconds; try again later", LOCK_WAIT_MS / 1000);
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
	return fail_busy(context);
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

/* Has the grant do its work, once. */
static int
exchange_once(struct rbr_exchange *exchange)
{
	struct ringbearer_grant_input input = rbr_exchange_input(exchange);
	struct rbr_context *context = exchange->call.context;

	if (!exchange->grant.ops.renew)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s cannot renew; choose another `grant`", exchange->grant.name);
	rbr_exchange_begin(exchange);
	return rbr_loader_check(
		context, exchange->grant.name, exchange->grant.ops.renew(&exchange->call, &input, &exchange->tokens));
}

/* The standing grant is over: nobody needs to ask the server again with this token. */
static int
bury(struct rbr_exchange *exchange, struct rbr_rotation *rotation, const struct rbr_wish *wish, bool was_uncertain)
{
	const char *name = exchange->call.account->name;

	if (wish->urgency != RBR_SUSPECTED)
		rbr_cache_drop(&wish->token_key);
	rbr_rotation_bury(rotation);
	rbr_rotation_settle(rotation);
	if (was_uncertain)
		return rbr_fail(&exchange->call.context->error, RINGBEARER_E_LOGIN_REQUIRED,
			"the login has ended: an answer with the next refresh token was probably lost on the way; run `ringbearer login "
			"%s`",
			name);
	return exchange->call.context->error.code;
}

static int
refuse_dead(struct rbr_exchange *exchange)
{
	return rbr_fail(&exchange->call.context->error, RINGBEARER_E_LOGIN_REQUIRED,
		"the login has ended, the server refuses its refresh token; run `ringbearer login %s`",
		exchange->call.account->name);
}

/* Is it too late to send the token again by ourselves? See rotation.c. */
static int
check_uncertain(struct rbr_exchange *exchange, const struct rbr_rotation *rotation, const struct rbr_wish *wish,
	int64_t uncertain_ms)
{
	const char *retry = rbr_account_get(exchange->call.account, RBR_KEY_REFRESH_RETRY);

	if (uncertain_ms < 0 || wish->urgency == RBR_FORCED ||
		(uncertain_ms < RETRY_WINDOW_MS && strcmp(retry, "once") == 0 && rotation->sends < SENDS_MAX))
		return 0;
	return rbr_fail(&exchange->call.context->error, RINGBEARER_E_ROTATION_UNCERTAIN,
		"an earlier renewal was cut off, and the refresh token may have been used up; run `ringbearer refresh %s` to try it "
		"once more, or `ringbearer login %s`",
		exchange->call.account->name, exchange->call.account->name);
}

/* Some services give one token that never ends, and nothing to renew it with: login keeps it like an API key. */
static int
use_lasting_token(struct rbr_exchange *exchange)
{
	struct rbr_error first = exchange->call.context->error;
	struct ringbearer_secret *token = NULL;
	char endpoint[RBR_BINDING_MAX];

	if (rbr_vault_binding(exchange->call.account, RBR_KIND_API_KEY, endpoint, NULL) < 0 ||
		rbr_vault_lookup(&exchange->vault, RBR_KIND_API_KEY, &token) < 0) {
		exchange->call.context->error = first;
		return first.code;
	}
	exchange->tokens.access_token = token;
	exchange->tokens.token_type = "Bearer";
	return 0;
}

/* Sends the refresh token that the store has. If the server refuses it and another one has got there meanwhile, that
 * one is tried, once. */
static int
use_refresh_token(struct rbr_exchange *exchange, struct rbr_rotation *rotation, const struct rbr_wish *wish)
{
	char refused[RBR_TOKEN_HASH_MAX] = "";
	bool lost = false;
	int rc;

	for (;;) {
		rc = rbr_exchange_refresh_token(exchange);
		if (rc == RINGBEARER_E_LOGIN_REQUIRED)
			return use_lasting_token(exchange);
		if (rc < 0)
			return rc;
		rbr_rotation_use(rotation, exchange->refresh_token);
		if (strcmp(refused, rotation->used) == 0)
			return bury(exchange, rotation, wish, lost);
		if (rbr_rotation_is_dead(rotation) && wish->urgency != RBR_FORCED)
			return refuse_dead(exchange);
		rc = check_uncertain(exchange, rotation, wish, rbr_rotation_uncertain_ms(rotation));
		if (rc == 0)
			rc = exchange_once(exchange);
		lost = rotation->sends > 1; /* an answer before this one never came */
		if (rc != RINGBEARER_E_LOGIN_REQUIRED)
			return rc;
		if (refused[0] != '\0')
			return bury(exchange, rotation, wish, lost);
		memcpy(refused, rotation->used, sizeof refused);
	}
}

/* The next refresh token goes into the store. What fails there is no reason to keep the access token back: the answer
 * stays parked, and the run ends with the store's error although it gives an answer. */
static void
keep_next(struct rbr_exchange *exchange, struct rbr_rotation *rotation)
{
	const struct ringbearer_secret *next = exchange->tokens.refresh_token, *used = exchange->refresh_token;
	struct rbr_context *context = exchange->call.context;
	int rc = 0;

	if (next && !(used && rbr_secret_equal(next->data, next->size, used->data, used->size))) {
		rbr_call_hide(&exchange->call, next);
		rc = rbr_exchange_vault(exchange);
		if (rc == 0)
			rc = rbr_vault_keep(&exchange->vault, RBR_KIND_REFRESH_TOKEN, next);
		rbr_call_reveal(&exchange->call, next);
	}
	if (rc == 0) {
		rbr_rotation_settle(rotation);
		return;
	}
	context->unfinished = rc;
	rbr_warn(context, exchange->call.account->name,
		"the next refresh token is not in the keyring yet (%s); it waits in the kernel's keyring until the next run, and "
		"is lost at a restart",
		context->error.detail);
}

/* Finishes what a run that died has begun: its answer is here, and nobody has looked at it. Only the token is taken
 * care of; 0 also if there was nothing. */
static int
finish_pending(struct rbr_exchange *exchange, struct rbr_rotation *rotation, const struct rbr_wish *wish,
	struct rbr_credential *credential, bool *ret_answered)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	struct rbr_context *context = exchange->call.context;
	const char *bytes;
	int rc;

	if (!exchange->grant.ops.accept ||
		!rbr_rotation_recall(rotation, &record, &exchange->call.sent, &exchange->call.sent_ms))
		return 0;
	rbr_trace(context, "finishing what an earlier run has begun");
	bytes = rbr_message_get(&record, "bytes");
	rc = rbr_loader_check(context, exchange->grant.name,
		exchange->grant.ops.accept(&exchange->call, bytes, strlen(bytes), &exchange->tokens));
	if (rc < 0 && !exchange->tokens.refresh_token) {
		rbr_rotation_drop_pending(rotation); /* no token in it; the mark stays */
		return 0;
	}
	keep_next(exchange, rotation);
	if (rc == 0 && rbr_exchange_check(exchange, wish) == 0 && wish->scope[0] == '\0' &&
		rbr_exchange_publish(exchange, wish, credential) == 0 &&
		rbr_credential_usable(credential, rbr_clock_now(), wish->request->min_valid)) {
		*ret_answered = true;
		return 0;
	}
	rbr_credential_wipe(credential);
	rc = context->unfinished;
	context->unfinished = 0;
	return rc; /* a store that does not take it stops everything else */
}

/* The server has answered, and not with tokens: then nothing is uncertain any more. Unless this was a second try, and the
 * server was not there for it. */
static int
after_failure(struct rbr_exchange *exchange, struct rbr_rotation *rotation, int rc)
{
	const char *name = exchange->call.account->name;
	bool no_answer = rc == RINGBEARER_E_NETWORK || rc == RINGBEARER_E_TEMPORARILY_UNAVAILABLE;

	if (rc == RINGBEARER_E_ROTATION_UNCERTAIN || rotation->sends == 0)
		return rc;
	if (no_answer && rotation->sends_before > 0)
		return rbr_fail(&exchange->call.context->error, RINGBEARER_E_ROTATION_UNCERTAIN,
			"an earlier answer was lost, and now the server cannot be asked; run `ringbearer refresh %s` to try once more, "
			"or `ringbearer login %s`",
			name, name);
	rbr_rotation_settle(rotation);
	return rc;
}

/* A renewal that may use up the refresh token. */
static int
rotate(struct rbr_exchange *exchange, const struct rbr_wish *wish, struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	const struct rbr_account *account = exchange->call.account;
	char endpoint[RBR_BINDING_MAX];
	bool answered = false;
	int rc = rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, &exchange->call.context->error);

	if (rc == 0)
		rc = rbr_rotation_start(&rotation, exchange->call.context, account, endpoint);
	if (rc == 0)
		rc = finish_pending(exchange, &rotation, wish, ret_credential, &answered);
	if (rc < 0 || answered)
		return rc;
	exchange->call.rotation = &rotation;
	rc = rbr_exchange_secrets(exchange);
	if (rc == 0)
		rc = use_refresh_token(exchange, &rotation, wish);
	exchange->call.rotation = NULL;
	if (rc == 0 || exchange->tokens.refresh_token)
		keep_next(exchange, &rotation);
	else if (rc < 0)
		rc = after_failure(exchange, &rotation, rc);
	if (rc == 0)
		rc = rbr_exchange_check(exchange, wish);
	return rc < 0 ? rc : rbr_exchange_publish(exchange, wish, ret_credential);
}

/* Everything that happens under the lock. */
static int
mint(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_exchange_end) struct rbr_exchange exchange;
	/* Nobody sits at a renewal in the background. */
	int rc = rbr_exchange_start(&exchange, context, account, rbr_account_get(account, RBR_KEY_GRANT),
		wish->interactive && !context->quiet);

	if (rc == 0)
		rc = take_up_request(account, wish, &context->error);
	if (rc == 0)
		rc = rbr_discovery_apply(&exchange.call, &exchange.grant, account, RBR_KEY_TOKEN_ENDPOINT, RBR_KEPT);
	if (rc < 0)
		return rc;
	if (exchange.grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN)
		return rotate(&exchange, wish, ret_credential);
	rc = rbr_exchange_secrets(&exchange);
	if (rc == 0)
		rc = exchange_once(&exchange);
	if (rc == 0)
		rc = rbr_exchange_check(&exchange, wish);
	return rc < 0 ? rc : rbr_exchange_publish(&exchange, wish, ret_credential);
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

void
rbr_renewal_finish(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_exchange_end) struct rbr_exchange exchange = {.vault_open = false};
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential fresh = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_close) int lock = -1;
	char endpoint[RBR_BINDING_MAX];
	bool answered = false;
	int rc = open_lock(context, account, &lock);

	if (rc < 0 || !rbr_lock_try(lock))
		return; /* somebody is at it */
	rc = rbr_exchange_start(
		&exchange, context, account, rbr_account_get(account, RBR_KEY_GRANT), wish->interactive);
	if (rc == 0)
		rc = rbr_discovery_apply(&exchange.call, &exchange.grant, account, RBR_KEY_TOKEN_ENDPOINT, RBR_KEPT);
	if (rc == 0)
		rc = rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, &context->error);
	if (rc == 0)
		rc = rbr_rotation_start(&rotation, context, account, endpoint);
	if (rc == 0)
		rc = finish_pending(&exchange, &rotation, wish, &fresh, &answered);
	if (answered) {
		struct rbr_credential stale = *credential;

		*credential = fresh;
		fresh = stale;
	}
	if (rc < 0)
		context->unfinished = rc;
}

int
rbr_renewal_lock(struct rbr_context *context, const struct rbr_account *account, int *ret_lock)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	int64_t deadline = rbr_now_ms() + LOCK_WAIT_MS;
	int rc = open_lock(context, account, &lock);

	if (rc < 0)
		return rc;
	while (!rbr_lock_try(lock)) {
		if (rbr_now_ms() >= deadline)
			return fail_busy(context);
		rbr_sleep_ms(LOCK_POLL_MAX_MS);
	}
	*ret_lock = lock;
	lock = -1;
	return 0;
}

int
rbr_renewal_run(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	bool answered = false;
	int rc = open_lock(context, account, &lock);

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

bool
rbr_renewal_detach(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account)
{
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential fresh = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_close) int lock = -1;
	pid_t child;

	if (open_lock(context, account, &lock) < 0)
		return false;
	if (!rbr_lock_try(lock))
		return true; /* somebody is at it */
	if (rbr_verdict_recall(context, &wish->verdict_key, rbr_now_ms() - AHEAD_PAUSE_MS, true) < 0)
		return false;
	rbr_trace(context, "renewing %s in the background", account->name);
	child = fork();
	if (child != 0)
		return child > 0; /* the child has the lock, too, and keeps it */
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
