/* SPDX-License-Identifier: MIT */
/*
 * The refresh token's way through one renewal: what an earlier run has left is finished first, then the token that the store has is
 * sent, and what comes for it is kept before anything else is looked at. What the records in between mean is in rotation.c.
 */
#include "config.h"

#include "rotate.h"

#include <stdio.h>
#include <string.h>

#include "host/loader.h"
#include "machines.h"
#include "person/log.h"
#include "vault/vault.h"

/* How often a refresh token is sent without an answer before a person is asked. */
#define SENDS_MAX 2
/* How often this run waits for its turn among machines anew. */
#define ENTERS_MAX 3
/* What the store has at least to take the next refresh token. */
#define KEEP_MS (5 * 1000)

/* Nothing is pending or uncertain any more, on any machine. */
static void
settle(struct rbr_exchange *exchange, struct rbr_rotation *rotation)
{
	rbr_rotation_settle(rotation);
	rbr_machines_settle(exchange->machines);
}

/* The standing grant is over: nobody needs to ask the server again with this token. Only the account's own request shows
 * that: some services call it an invalid grant when somebody asks for more than was consented to. */
static int
bury(struct rbr_exchange *exchange, struct rbr_rotation *rotation, const struct rbr_wish *wish, bool was_uncertain)
{
	const char *name = exchange->call.account->name;

	if (!rbr_wish_is_own(wish)) {
		settle(exchange, rotation);
		return RINGBEARER_E_LOGIN_REQUIRED;
	}
	if (wish->urgency != RBR_SUSPECTED)
		rbr_cache_drop(&wish->token_key);
	rbr_rotation_bury(rotation);
	rbr_machines_bury(exchange->machines);
	settle(exchange, rotation);
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
	const char *elsewhere)
{
	int64_t uncertain_ms = rbr_rotation_uncertain_ms(rotation);
	const char *retry = rbr_account_get(exchange->call.account, RBR_KEY_REFRESH_RETRY);

	if (uncertain_ms < 0 || wish->urgency == RBR_FORCED ||
		(uncertain_ms < RBR_RETRY_WINDOW_MS && strcmp(retry, "once") == 0 && rotation->sends < SENDS_MAX))
		return 0;
	if (elsewhere)
		return rbr_fail(&exchange->call.context->error, RINGBEARER_E_ROTATION_UNCERTAIN,
			"the machine %s was cut off while it renewed this login, and may have the next refresh token in its memory; run "
			"`ringbearer refresh %s` there, or, if it is gone, here to try the old one once more",
			elsewhere, exchange->call.account->name);
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
use_refresh_token(
	struct rbr_exchange *exchange, struct rbr_rotation *rotation, const struct rbr_wish *wish, bool *ret_refused)
{
	char refused[RBR_TOKEN_HASH_MAX] = "";
	const char *elsewhere;
	bool lost = false;
	int rc;

	for (;;) {
		rc = rbr_exchange_refresh_token(exchange);
		if (rc == RINGBEARER_E_LOGIN_REQUIRED)
			return use_lasting_token(exchange);
		if (rc < 0)
			return rc;
		rbr_rotation_use(rotation, exchange->refresh_token);
		elsewhere = rbr_machines_recall(exchange->machines);
		*ret_refused = strcmp(refused, rotation->used) == 0;
		if (*ret_refused)
			return bury(exchange, rotation, wish, lost);
		if ((rbr_rotation_is_dead(rotation) || rbr_machines_is_dead(exchange->machines)) &&
			wish->urgency != RBR_FORCED)
			return refuse_dead(exchange);
		rc = check_uncertain(exchange, rotation, wish, elsewhere);
		if (rc == 0)
			rc = rbr_exchange_renew(exchange);
		lost = rotation->sends > 1; /* an answer before this one never came */
		if (rc != RINGBEARER_E_LOGIN_REQUIRED)
			return rc;
		*ret_refused = refused[0] != '\0';
		if (*ret_refused)
			return bury(exchange, rotation, wish, lost);
		memcpy(refused, rotation->used, sizeof refused);
	}
}

/* Puts NEXT into the store. NULL: it is the one that is there, which only other machines need to hear. */
static int
put_next(struct rbr_exchange *exchange, const struct ringbearer_secret *next)
{
	int rc;

	if (!next && !exchange->machines)
		return 0;
	rbr_call_hide(&exchange->call, next);
	/* A service that took all the time there was leaves the store some of its own. */
	if (exchange->call.deadline_ms < rbr_now_ms() + KEEP_MS)
		exchange->call.deadline_ms = rbr_now_ms() + KEEP_MS;
	rc = rbr_exchange_vault(exchange);
	if (rc == 0)
		rc = exchange->machines ? rbr_machines_keep(exchange->machines, next)
					: rbr_vault_keep(&exchange->vault, RBR_KIND_REFRESH_TOKEN, next);
	rbr_call_reveal(&exchange->call, next);
	return rc;
}

/* The next refresh token goes into the store. What fails there is no reason to keep the access token back: the answer
 * stays parked, and the run ends with the store's error although it gives an answer. */
static void
keep_next(struct rbr_exchange *exchange, struct rbr_rotation *rotation)
{
	const struct ringbearer_secret *next = exchange->tokens.refresh_token, *used = exchange->refresh_token;
	struct rbr_context *context = exchange->call.context;
	const char *name = exchange->call.account->name;
	int rc;

	if (next && used && rbr_secret_equal(next->data, next->size, used->data, used->size))
		next = NULL;
	rc = put_next(exchange, next);
	if (rc == 0 || !next)
		settle(exchange, rotation);
	if (rc == 0)
		return;
	context->unfinished = rc;
	if (!next)
		rbr_warn(context, name,
			"the other machines do not know of this renewal yet (%s); the next run here tells them",
			context->error.detail);
	else if (rbr_rotation_is_parked(rotation))
		rbr_warn(context, name,
			"the next refresh token is not in the %s yet (%s); it waits in memory until the next run, and "
			"is lost at a restart",
			exchange->machines ? "store" : "keyring", context->error.detail);
	else
		rbr_warn(context, name,
			"the next refresh token could be kept nowhere (%s); when this token has ended, run `ringbearer login %s`",
			context->error.detail, name);
}

/* Has the store got another refresh token since the answer in RECORD was asked for? A new login's is worth more than what an
 * old one was given. And where machines share it, one of them may have ended the login, of which no journal but its own knows. */
static bool
is_superseded(struct rbr_exchange *exchange, const struct rbr_message *record)
{
	const struct ringbearer_secret *next = exchange->tokens.refresh_token, *kept;
	int rc = next ? rbr_exchange_refresh_token(exchange) : 0;

	if (!next || rc < 0)
		return rc == RINGBEARER_E_LOGIN_REQUIRED &&
			exchange->machines; /* else keep_next() says what is wrong */
	kept = exchange->refresh_token;
	return !rbr_rotation_was_sent(record, kept) &&
		!rbr_secret_equal(kept->data, kept->size, next->data, next->size);
}

/* May the access token of an answer that was parked be given for WISH? Whoever asked for it asked for just that, and a
 * caller who was refused, maybe with this one, wants another. */
static bool
may_give(const struct rbr_exchange *exchange, const struct rbr_rotation *rotation, const struct rbr_message *record,
	const struct rbr_wish *wish)
{
	if (!rbr_rotation_is_wished(rotation, record))
		return false;
	if (wish->urgency == RBR_REJECTED && !wish->refused && exchange->call.sent_ms <= wish->request->refused_ms)
		return false;
	return wish->urgency != RBR_REJECTED || wish->refused || wish->request->refused_ms != 0;
}

/* Finishes what a run that died has begun: its answer is here, and nobody has looked at it. Only the token is taken
 * care of; 0 also if there was nothing. */
int
rbr_rotate_finish(struct rbr_exchange *exchange, struct rbr_rotation *rotation, const struct rbr_wish *wish,
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
	if (is_superseded(exchange, &record)) {
		rbr_trace(context, "the store has another refresh token by now, or none; the answer is dropped");
		settle(exchange, rotation);
		rbr_exchange_begin(exchange);
		return 0;
	}
	keep_next(exchange, rotation);
	if (rc == 0 && may_give(exchange, rotation, &record, wish) && rbr_exchange_check(exchange, wish) == 0 &&
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
	if (rotation->sends == rotation->sends_before)
		return rc; /* nothing was sent: what was uncertain is so still */
	settle(exchange, rotation);
	return rc;
}

/* The server refused what a caller, or a server that a caller passed on, wanted of this login. Whether the login itself is
 * over shows the account's own request. */
static int
ask_for_own(struct rbr_exchange *exchange, struct rbr_account *account, struct rbr_rotation *rotation,
	const struct rbr_wish *wish)
{
	static const struct rbr_request any = {.min_valid = 0};
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish own = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	struct rbr_context *context = exchange->call.context;
	const struct rbr_error refusal = context->error;
	bool refused = false;
	int rc;

	rbr_trace(context,
		"the server refuses what was asked for; whether the login stands is seen by asking for its own");
	rbr_account_plain(account);
	own.request = &any;
	own.urgency = RBR_FORCED;
	own.located = wish->located;
	(void)snprintf(own.account, sizeof own.account, "%s", wish->account);
	rc = rbr_wish_make_keys(&own, &context->error);
	if (rc == 0) {
		rbr_rotation_wish(rotation, rbr_secret_string(&own.token_key.text));
		rc = use_refresh_token(exchange, rotation, &own, &refused);
	}
	if (rc == 0 || exchange->tokens.refresh_token)
		keep_next(exchange, rotation);
	else
		return after_failure(exchange, rotation, rc);
	if (rc == 0 && rbr_exchange_check(exchange, &own) == 0)
		(void)!rbr_exchange_publish(exchange, &own, &credential);
	return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
		"the login stands, but the server refuses the scope or resource that was asked for (%.300s)",
		refusal.detail);
}

/* With the lease, where there is one: reads the secrets and sends. */
static int
send_token(struct rbr_exchange *exchange, struct rbr_account *account, struct rbr_rotation *rotation,
	const struct rbr_wish *wish)
{
	bool refused = false;
	int rc = rbr_exchange_secrets(exchange);

	if (rc == 0)
		rc = use_refresh_token(exchange, rotation, wish, &refused);
	if (rc < 0 && refused && !exchange->tokens.refresh_token && !rbr_wish_is_own(wish))
		return ask_for_own(exchange, account, rotation, wish);
	if (rc == 0 || exchange->tokens.refresh_token)
		keep_next(exchange, rotation);
	else if (rc < 0)
		rc = after_failure(exchange, rotation, rc);
	return rc < 0 ? rc : rbr_exchange_check(exchange, wish);
}

static int
rotate(struct rbr_exchange *exchange, struct rbr_account *account, struct rbr_rotation *rotation,
	struct rbr_machines *machines, const struct rbr_wish *wish, struct rbr_credential *credential)
{
	bool answered = false;
	int tries, rc = rbr_machines_open(machines, exchange, rotation, rbr_rotation_is_parked(rotation));

	if (rc == 0)
		rc = rbr_rotate_finish(exchange, rotation, wish, credential, &answered);
	if (rc < 0 || answered)
		return rc;
	exchange->call.rotation = rotation;
	for (tries = 0; tries < ENTERS_MAX; tries++) {
		rc = rbr_machines_enter(machines, wish, credential, &answered);
		if (rc == 0 && !answered)
			rc = send_token(exchange, account, rotation, wish);
		if (!rbr_machines_is_overtaken(machines))
			break;
	}
	exchange->call.rotation = NULL;
	return rc < 0 || answered ? rc : rbr_exchange_publish(exchange, wish, credential);
}

int
rbr_rotate(struct rbr_exchange *exchange, struct rbr_account *account, const struct rbr_wish *wish,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	RBR_CLEANUP(rbr_machines_end) struct rbr_machines machines = {.open = false};
	char endpoint[RBR_BINDING_MAX];
	int rc = rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, &exchange->call.context->error);

	if (rc == 0)
		rc = rbr_rotation_start(&rotation, exchange->call.context, account, endpoint);
	if (rc < 0)
		return rc;
	rbr_rotation_wish(&rotation, rbr_secret_string(&wish->token_key.text));
	rc = rotate(exchange, account, &rotation, &machines, wish, ret_credential);
	rbr_machines_leave(&machines, rc, !exchange->refused_again);
	exchange->machines = NULL;
	return rc;
}
