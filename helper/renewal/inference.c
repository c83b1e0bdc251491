/* SPDX-License-Identifier: MIT */
/*
 * Was the last token refused?
 *
 * git says so, and so does who speaks its protocol (`erase`, wwwauth[]). kubectl, docker and their like keep a token for as
 * long as it lives and run the helper again when a server has refused it, without a word. So one that comes
 * back within seconds for the token that it has just been given is taken to have been refused: the token is renewed
 * once, and not again for minutes.
 *
 * The guess can be wrong: two calls in a row, or two hundred side by side, look the same. Then it costs one renewal. It must not
 * cost more, so:
 * - The renewal is a process of its own, like one ahead of time. It is not cut off when this run has waited long enough,
 *   since a refresh token that is under way must come home.
 * - The token that is cached stays until there is another (RBR_SUSPECTED); whatever goes wrong, it is handed out as before.
 * - Whoever else suspects the same token leaves with the new one as soon as it is there, and the pause is noted before the
 *   renewal begins.
 *
 * What was handed out is a record in the cache, one for each account and form, with a hash of the token. The pause is one of its
 * own, which nobody writes but who begins a renewal: of two hundred callers, one that looked before must not take it away when it
 * notes what it has handed out.
 */
#include "config.h"

#include "inference.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "journal/verdict.h"
#include "person/log.h"
#include "renewal.h"

/* So soon after it was handed out, the same token is asked for by one that was refused. */
#define SUSPICION_WINDOW_MS (10 * 1000)
/* For so long after a renewal no other is made for this reason. */
#define SUSPICION_PAUSE_MS (5 * 60 * 1000)
/* How long a caller is kept waiting: well below the shortest limit that one of them has (Bazel's 10 s). */
#define WAIT_MS 4000
#define POLL_MS 20
#define HASH_MAX 20

struct memory {
	struct rbr_cache_key key; /* what was handed out */
	struct rbr_cache_key pause_key; /* there while no other renewal is made */
	const char *account;
	char hash[HASH_MAX]; /* of the token that was handed out last; "": none */
	int64_t at_ms; /* when that was (CLOCK_BOOTTIME) */
};

static void
forget(struct memory *memory)
{
	rbr_cache_key_wipe(&memory->key);
	rbr_cache_key_wipe(&memory->pause_key);
}

static void
hash_token(const char *token, char hash[HASH_MAX])
{
	(void)snprintf(hash, HASH_MAX, "%016" PRIx64, rbr_hash(token, strlen(token)));
}

static int
make_key(struct rbr_cache_key *key, const char *kind, const struct rbr_wish *wish)
{
	return rbr_cache_key_add(key, kind) < 0 || rbr_cache_key_add(key, wish->account) < 0
		? -1
		: rbr_cache_key_add(key, wish->request->format->name);
}

static bool
recall(struct memory *memory, const struct rbr_wish *wish)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	const char *hash;

	memory->account = wish->account;
	if (make_key(&memory->key, "handed", wish) < 0 || make_key(&memory->pause_key, "pause", wish) < 0)
		return false;
	if (!rbr_cache_read(&memory->key, &record))
		return true;
	hash = rbr_message_get(&record, "hash");
	(void)snprintf(memory->hash, sizeof memory->hash, "%s", hash ? hash : "");
	memory->at_ms = rbr_message_get_number(&record, "at_ms", 0);
	return true;
}

/* Notes that TOKEN is handed out now. */
static void
note(struct memory *memory, const char *token)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	hash_token(token, memory->hash);
	if (rbr_message_add(&record, "account", memory->account) == 0 &&
		rbr_message_add(&record, "hash", memory->hash) == 0 &&
		rbr_message_add_number(&record, "at_ms", rbr_now_ms()) == 0)
		(void)rbr_cache_write(&memory->key, &record, SUSPICION_WINDOW_MS / 1000);
}

/* Notes that a renewal begins for this reason. */
static void
note_pause(const struct memory *memory)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	if (rbr_message_add(&record, "account", memory->account) == 0 &&
		rbr_message_add_number(&record, "renewed_ms", rbr_now_ms()) == 0)
		(void)rbr_cache_write(&memory->pause_key, &record, SUSPICION_PAUSE_MS / 1000);
}

/* Was a token renewed for this reason lately? */
static bool
is_pausing(const struct memory *memory)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	int64_t age;

	if (!rbr_cache_read(&memory->pause_key, &record))
		return false;
	age = rbr_now_ms() - rbr_message_get_number(&record, "renewed_ms", 0);
	return age >= 0 && age < SUSPICION_PAUSE_MS;
}

static bool
is_suspect(const struct memory *memory, const char *token)
{
	char hash[HASH_MAX];
	int64_t age = rbr_now_ms() - memory->at_ms;

	hash_token(token, hash);
	return strcmp(hash, memory->hash) == 0 && age >= 0 && age < SUSPICION_WINDOW_MS && !is_pausing(memory);
}

/* A renewal is under way: waits for what comes of it. */
static void
wait_for_another(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_credential *credential)
{
	struct rbr_credential fresh = RBR_CREDENTIAL_EMPTY;
	int64_t deadline = rbr_now_ms() + WAIT_MS;

	while (!rbr_wish_recall(context, wish, &fresh)) {
		if (rbr_now_ms() >= deadline ||
			rbr_verdict_recall(context, &wish->verdict_key, context->started_ms, false) < 0) {
			rbr_trace(context, "%s: no other token; the one that is cached will do", wish->account);
			return;
		}
		rbr_sleep_ms(POLL_MS);
	}
	rbr_credential_wipe(credential);
	*credential = fresh;
}

/* A key is the same however often it is asked for. */
static bool
may_infer(const struct rbr_account *account)
{
	return rbr_account_yes(account, RBR_KEY_INFER_REJECTION) &&
		strcmp(rbr_account_get(account, RBR_KEY_GRANT), "api_key") != 0;
}

static void
renew(struct rbr_context *context, const struct rbr_wish *wish, struct memory *memory,
	struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_wish suspicion = *wish; /* its keys stay WISH's */

	if (rbr_account_load(wish->account, &account, &context->error) < 0 || !may_infer(&account))
		return;
	rbr_trace(
		context, "%s: the same token is asked for again; it is renewed in case it was refused", wish->account);
	note_pause(memory);
	suspicion.urgency = RBR_SUSPECTED;
	suspicion.interactive = false;
	suspicion.refused = credential->token;
	if (rbr_renewal_detach(context, &suspicion, &account))
		wait_for_another(context, &suspicion, credential);
}

void
rbr_inference_apply(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_credential *credential)
{
	RBR_CLEANUP(forget) struct memory memory = {.account = NULL};

	if (!recall(&memory, wish))
		return;
	/* One that has just come from the server is no older than this question. */
	if (!context->opened_modules && credential->obtained_ms < context->started_ms &&
		is_suspect(&memory, credential->token))
		renew(context, wish, &memory, credential);
	note(&memory, credential->token);
}
