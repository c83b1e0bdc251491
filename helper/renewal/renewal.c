/* SPDX-License-Identifier: MIT */
/*
 * A renewal, step by step.
 *
 * 1. The turn (turn.h): the lock of what the secret is bound to, so that N callers make one request. Those who wait look at
 *    the cache meanwhile and leave with the answer, or with the verdict, as soon as one is there. Where an issuer must be asked
 *    first what that is, the same callers wait for that one answer.
 * 2. The store: it is read before the server is asked, so that a locked keyring stops everything while nothing
 *    has happened yet.
 * 3. The grant, under the call's deadline.
 * 4. The cache: the token for those who wait and those who come later; or the verdict.
 */
#include "config.h"

#include "renewal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "discovery.h"
#include "exchange.h"
#include "journal/lock.h"
#include "journal/verdict.h"
#include "machines.h"
#include "person/log.h"
#include "person/notice.h"
#include "rotate.h"
#include "turn.h"
#include "vault/vault.h"

/* A background renewal that failed is not tried again sooner. */
#define AHEAD_PAUSE_MS (30 * 1000)

/* Waits for the lock, or for somebody else's answer: then *RET_ANSWERED. A verdict is returned as an error. */
static int
wait_for_lock(struct rbr_context *context, const struct rbr_wish *wish, int lock, struct rbr_credential *credential,
	bool *ret_answered)
{
	int64_t deadline = rbr_now_ms() + RBR_TURN_WAIT_MS, pause = 1;
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
		pause = pause * 2 < RBR_TURN_POLL_MS ? pause * 2 : RBR_TURN_POLL_MS;
	} while (rbr_now_ms() < deadline);
	return rbr_turn_fail_busy(context);
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

/* Everything that happens under the lock. */
static int
mint(struct rbr_exchange *exchange, struct rbr_context *context, const struct rbr_wish *wish,
	struct rbr_account *account, struct rbr_credential *ret_credential)
{
	/* Nobody sits at a renewal in the background. */
	int rc = rbr_exchange_start_renewal(exchange, context, account, wish->interactive && !context->quiet);

	if (rc == 0)
		rc = take_up_request(account, wish, &context->error);
	if (rc == 0)
		rc = rbr_discovery_apply(&exchange->call, &exchange->grant, account, RBR_KEY_TOKEN_ENDPOINT, RBR_KEPT);
	if (rc < 0)
		return rc;
	if (exchange->grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN)
		return rbr_rotate(exchange, account, wish, ret_credential);
	rc = rbr_exchange_secrets(exchange);
	if (rc == 0)
		rc = rbr_exchange_renew(exchange);
	if (rc == 0)
		rc = rbr_exchange_check(exchange, wish);
	return rc < 0 ? rc : rbr_exchange_publish(exchange, wish, ret_credential);
}

static int
mint_or_share_verdict(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_exchange_end) struct rbr_exchange exchange;
	int rc = mint(&exchange, context, wish, account, ret_credential);

	/* That there is nothing but the token that one caller was refused with is no verdict on the others. */
	if (rc < 0)
		rbr_verdict_share(
			context, &wish->verdict_key, wish->account, !exchange.refused_again && !exchange.shared);
	return rc;
}

void
rbr_renewal_finish(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_exchange_end) struct rbr_exchange exchange = {.vault_open = false};
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	RBR_CLEANUP(rbr_machines_end) struct rbr_machines machines = {.open = false};
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential fresh = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_close) int lock = -1;
	char endpoint[RBR_BINDING_MAX];
	bool answered = false;
	int rc = rbr_exchange_start(
		&exchange, context, account, rbr_account_get(account, RBR_KEY_GRANT), wish->interactive);

	if (rc == 0)
		rc = rbr_discovery_apply(&exchange.call, &exchange.grant, account, RBR_KEY_TOKEN_ENDPOINT, RBR_KEPT);
	if (rc == 0)
		rc = rbr_turn_open(context, account, &lock);
	if (lock >= 0 && !rbr_lock_try(lock))
		return; /* somebody is at it */
	if (rc == 0)
		rc = rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, &context->error);
	if (rc == 0)
		rc = rbr_rotation_start(&rotation, context, account, endpoint);
	if (rc == 0)
		rc = rbr_machines_open(&machines, &exchange, &rotation, true);
	if (rc == 0) {
		rbr_rotation_wish(&rotation, rbr_secret_string(&wish->token_key.text));
		rc = rbr_rotate_finish(&exchange, &rotation, wish, &fresh, &answered);
	}
	if (rc == 0)
		rc = rbr_machines_tidy(&machines);
	if (rc == 0 && !answered)
		rbr_exchange_settle(wish, credential);
	if (answered) {
		struct rbr_credential stale = *credential;

		*credential = fresh;
		fresh = stale;
	}
	if (rc < 0)
		context->unfinished = rc;
}

/* A login that the server finds too weak or too old is not mended by another token of it (RFC 9470). */
static int
check_login(struct rbr_context *context, const struct rbr_wish *wish, const struct rbr_account *account)
{
	struct rbr_grant grant;
	int rc;

	if (!wish->request->wants_login || !(wish->refused || wish->request->refused_ms != 0))
		return 0;
	rc = rbr_loader_grant(context, rbr_account_get(account, RBR_KEY_GRANT), &grant);
	if (rc < 0 || !(grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN))
		return rc;
	return rbr_fail(&context->error, RINGBEARER_E_LOGIN_REQUIRED,
		"the server wants a stronger or a more recent login than the one that stands; run `ringbearer login %s`, and see "
		"the service's documentation if it asks again",
		account->name);
}

/* Has ACCOUNT's issuer say what the secrets are bound to. */
static int
ask_issuer(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account)
{
	RBR_CLEANUP(rbr_exchange_end) struct rbr_exchange exchange;
	int rc = rbr_exchange_start(&exchange, context, account, rbr_account_get(account, RBR_KEY_GRANT), false);

	if (rc == 0)
		rc = rbr_discovery_apply(&exchange.call, &exchange.grant, account, RBR_KEY_TOKEN_ENDPOINT, RBR_KEPT);
	if (rc < 0)
		rbr_verdict_share(context, &wish->verdict_key, wish->account, true);
	return rc;
}

/* The same, unless another process is just asking it. */
static int
find_endpoint(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *credential, bool *ret_answered)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	int rc;

	*ret_answered = false;
	if (rbr_turn_is_named(account))
		return 0;
	rc = rbr_discovery_recall(account, &context->error);
	if (rc < 0 || rbr_turn_is_named(account))
		return rc;
	rc = rbr_turn_open_discovery(context, account, &lock);
	if (rc == 0)
		rc = wait_for_lock(context, wish, lock, credential, ret_answered);
	return rc < 0 || *ret_answered ? rc : ask_issuer(context, wish, account);
}

int
rbr_renewal_run(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	bool answered = false;
	int rc = check_login(context, wish, account);

	if (rc == 0)
		rc = find_endpoint(context, wish, account, ret_credential, &answered);
	if (rc == 0 && !answered)
		rc = rbr_turn_open(context, account, &lock);
	if (rc == 0 && !answered)
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

/* No module is loaded before the fork: where the issuer must be asked first, the lock is that of those who ask it. */
static int
open_turn(struct rbr_context *context, struct rbr_account *account, int *ret_lock)
{
	int rc = rbr_turn_is_named(account) ? 0 : rbr_discovery_recall(account, &context->error);

	if (rc < 0)
		return rc;
	return rbr_turn_is_named(account) ? rbr_turn_open(context, account, ret_lock)
					  : rbr_turn_open_discovery(context, account, ret_lock);
}

/* Is what the child has the lock of the secrets, or can it have that now? */
static bool
has_turn(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account, int *turn)
{
	return rbr_turn_is_named(account) ||
		(ask_issuer(context, wish, account) == 0 && rbr_turn_open(context, account, turn) == 0 &&
			rbr_lock_try(*turn));
}

bool
rbr_renewal_detach(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account)
{
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential fresh = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_close) int lock = -1;
	bool notice = rbr_notice_is_wanted();
	int turn = -1;
	pid_t child;

	if (open_turn(context, account, &lock) < 0)
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
		if (has_turn(context, wish, account, &turn) &&
			mint_or_share_verdict(context, wish, account, &fresh) == RINGBEARER_E_LOGIN_REQUIRED && notice)
			rbr_notice_start(account->name);
	}
	rbr_credential_wipe(&fresh);
	_exit(0);
}
