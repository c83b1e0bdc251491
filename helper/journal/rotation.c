/* SPDX-License-Identifier: MIT */
/*
 * A refresh token between two owners.
 *
 * With rotation the server kills the token that it is sent and answers with the next one. From the moment the
 * request leaves until the next token is in the store, a death of this process must lose nothing:
 *
 * - before the first byte leaves, a mark says which token is in use and since when: a run that finds it knows that the
 *   token may be dead, and does not send it again by itself after RETRY seconds, since a late repetition is what makes
 *   careful servers revoke everything;
 * - as the answer's bytes come in they go into the cache (cache.c: the kernel's keyring, or memory), before anybody looks at them: a run that finds them
 *   there finishes the job before it does anything else;
 * - signals that would end the process by a person's or a session's wish wait meanwhile.
 *
 * The records are bound to what the refresh token is bound to. They hold no token's name but its hash, the parked
 * answer excepted, which is as secret as the access tokens beside it and goes as soon as the store has confirmed.
 */
#include "config.h"

#include "rotation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unkept.h"

/* A wish that is longer is not written down: the kernel has little room, and the refresh token needs it. */
#define WISH_MAX 1024

static int
make_key(struct rbr_cache_key *key, const char *kind, const struct rbr_account *account, const char *endpoint)
{
	const char *client_id = rbr_account_get(account, RBR_KEY_CLIENT_ID);
	int rc = rbr_cache_key_add(key, kind);

	if (rc == 0)
		rc = rbr_cache_key_add(key, account->name);
	if (rc == 0)
		rc = rbr_cache_key_add(key, client_id ? client_id : "none");
	return rc < 0 ? rc : rbr_cache_key_add(key, endpoint);
}

int
rbr_rotation_start(struct rbr_rotation *rotation, struct rbr_context *context, const struct rbr_account *account,
	const char *endpoint)
{
	memset(rotation, 0, sizeof *rotation);
	rotation->context = context;
	rotation->account = account->name;
	if (make_key(&rotation->mark_key, "mark", account, endpoint) < 0 ||
		make_key(&rotation->pending_key, "pending", account, endpoint) < 0 ||
		make_key(&rotation->dead_key, "dead", account, endpoint) < 0 ||
		make_key(&rotation->leases_key, "leases", account, endpoint) < 0)
		return rbr_fail_memory(&context->error);
	return 0;
}

/* The record of KEY, if it is about the token in use. */
static bool
recall(const struct rbr_rotation *rotation, const struct rbr_cache_key *key, struct rbr_message *record)
{
	const char *used;

	if (!rbr_cache_read_newest(key, record))
		return false;
	used = rbr_message_get(record, "used");
	return used && strcmp(used, rotation->used) == 0;
}

static void
hash_token(const struct ringbearer_secret *token, char hash[RBR_TOKEN_HASH_MAX])
{
	(void)snprintf(hash, RBR_TOKEN_HASH_MAX, "%016" PRIx64, rbr_hash(token->data, token->size));
}

void
rbr_rotation_wish(struct rbr_rotation *rotation, const char *wish)
{
	rotation->wish = strlen(wish) <= WISH_MAX ? wish : NULL;
}

void
rbr_rotation_use(struct rbr_rotation *rotation, const struct ringbearer_secret *token)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	hash_token(token, rotation->used);
	rotation->sends = rotation->sends_before = 0;
	if (!recall(rotation, &rotation->mark_key, &record))
		return;
	rotation->sends = rotation->sends_before = (unsigned)rbr_message_get_number(&record, "sends", 1);
	rotation->sent.real = rbr_message_get_number(&record, "sent", 0);
	rotation->sent.boot = rbr_message_get_number(&record, "sent_boot", 0);
	rotation->sent_ms = rbr_message_get_number(&record, "sent_ms", 0);
}

bool
rbr_rotation_is_dead(const struct rbr_rotation *rotation)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	return recall(rotation, &rotation->dead_key, &record);
}

int64_t
rbr_rotation_uncertain_ms(const struct rbr_rotation *rotation)
{
	int64_t age = rbr_now_ms() - rotation->sent_ms;

	if (rotation->sends_before == 0)
		return -1;
	return age > 0 ? age : 0;
}

/* What every record says. */
static int
describe(const struct rbr_rotation *rotation, struct rbr_message *record)
{
	int rc = rbr_message_add(record, "account", rotation->account);

	if (rc == 0)
		rc = rbr_message_add(record, "used", rotation->used);
	if (rc == 0)
		rc = rbr_message_add_number(record, "sent", rotation->sent.real);
	if (rc == 0)
		rc = rbr_message_add_number(record, "sent_boot", rotation->sent.boot);
	if (rc == 0)
		rc = rbr_message_add_number(record, "sends", rotation->sends);
	return rc < 0 ? rc : rbr_message_add_number(record, "sent_ms", rotation->sent_ms);
}

void
rbr_rotation_bury(const struct rbr_rotation *rotation)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	if (describe(rotation, &record) == 0)
		(void)rbr_cache_write(&rotation->dead_key, &record, RBR_CACHE_SECONDS_MAX);
}

static const int held_signals[RBR_HELD_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* A signal handler has nothing else to write to. */
static volatile sig_atomic_t held;

static void
hold(int number)
{
	held = number;
}

/* By handlers and not by a mask: a mask is one thread's, and modules may have started others. */
static void
hold_signals(struct rbr_rotation *rotation)
{
	struct sigaction action = {.sa_handler = hold, .sa_flags = SA_RESTART};
	size_t i;

	if (rotation->signals_held)
		return;
	(void)sigemptyset(&action.sa_mask);
	held = 0;
	for (i = 0; i < RBR_HELD_SIGNALS; i++)
		(void)sigaction(held_signals[i], &action, &rotation->actions[i]);
	rotation->signals_held = true;
}

static void
release_signals(struct rbr_rotation *rotation)
{
	size_t i;

	if (!rotation->signals_held)
		return;
	rotation->signals_held = false;
	for (i = 0; i < RBR_HELD_SIGNALS; i++)
		(void)sigaction(held_signals[i], &rotation->actions[i], NULL);
	if (held != 0)
		(void)raise(held);
}

void
rbr_rotation_end(struct rbr_rotation *rotation)
{
	rbr_cache_key_wipe(&rotation->mark_key);
	rbr_cache_key_wipe(&rotation->pending_key);
	rbr_cache_key_wipe(&rotation->dead_key);
	rbr_cache_key_wipe(&rotation->leases_key);
	release_signals(rotation);
}

void
rbr_rotation_suppose(struct rbr_rotation *rotation, unsigned sends, int64_t sent_ms)
{
	rotation->sends = rotation->sends_before = sends;
	rotation->sent_ms = sent_ms;
}

bool
rbr_rotation_is_marked(const struct rbr_rotation *rotation, const char *used)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	const char *marked;

	if (!rbr_cache_read_newest(&rotation->mark_key, &record))
		return false;
	marked = rbr_message_get(&record, "used");
	return marked && strcmp(marked, used) == 0;
}

bool
rbr_rotation_note_lease(const struct rbr_rotation *rotation, int64_t lease, int64_t earlier)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	return rbr_message_add(&record, "account", rotation->account) == 0 &&
		rbr_message_add_number(&record, "lease", lease) == 0 &&
		rbr_message_add_number(&record, "earlier", earlier) == 0 &&
		rbr_cache_write(&rotation->leases_key, &record, RBR_CACHE_SECONDS_MAX);
}

bool
rbr_rotation_knows_lease(const struct rbr_rotation *rotation, int64_t lease)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	return lease > 0 && rbr_cache_read_newest(&rotation->leases_key, &record) &&
		(rbr_message_get_number(&record, "lease", 0) == lease ||
			rbr_message_get_number(&record, "earlier", 0) == lease);
}

/* False if it could not be kept. */
static bool
write_mark(const struct rbr_rotation *rotation)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	return describe(rotation, &record) == 0 && rbr_cache_write(&rotation->mark_key, &record, RBR_CACHE_SECONDS_MAX);
}

/* It did not leave. */
static void
take_back_mark(struct rbr_rotation *rotation)
{
	if (--rotation->sends == 0)
		rbr_cache_drop(&rotation->mark_key);
	else
		(void)!write_mark(rotation);
}

int
rbr_rotation_mark(struct rbr_rotation *rotation)
{
	bool kept = true;
	int rc;

	hold_signals(rotation);
	/* A second try does not make the first one younger. */
	if (rotation->sends++ == 0) {
		rotation->sent = rbr_clock_now();
		rotation->sent_ms = rbr_now_ms();
	}
	if (rotation->used[0] != '\0')
		kept = write_mark(rotation);
	rc = rotation->guard ? rotation->guard(rotation, kept) : 0;
	if (rc < 0)
		take_back_mark(rotation);
	else if (!kept)
		rbr_unkept_rotation(rotation->context, rotation->account);
	return rc;
}

void
rbr_rotation_park(struct rbr_rotation *rotation, const void *bytes, size_t size)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	size_t i;

	if (rbr_secret_append(&text, bytes, size) < 0)
		return;
	/* A record has one line for it. White space means nothing between the parts of an answer, and is refused inside
	 * its strings. */
	for (i = 0; i < size; i++)
		if (text.data[i] == '\n' || text.data[i] == '\r')
			text.data[i] = ' ';
		else if (text.data[i] == '\0')
			text.data[i] = '\x01';
	if (describe(rotation, &record) < 0 ||
		(rotation->wish && rbr_message_add(&record, "wish", rotation->wish) < 0) ||
		rbr_message_add(&record, "bytes", text.data) < 0 ||
		!rbr_cache_park(&rotation->pending_key, &record, RBR_CACHE_SECONDS_MAX))
		rbr_unkept_rotation(rotation->context, rotation->account);
}

bool
rbr_rotation_recall(
	struct rbr_rotation *rotation, struct rbr_message *record, struct rbr_clock *ret_sent, int64_t *ret_sent_ms)
{
	if (!rbr_cache_read_newest(&rotation->pending_key, record) || !rbr_message_get(record, "bytes"))
		return false;
	ret_sent->real = rbr_message_get_number(record, "sent", 0);
	ret_sent->boot = rbr_message_get_number(record, "sent_boot", 0);
	*ret_sent_ms = rbr_message_get_number(record, "sent_ms", 0);
	return true;
}

bool
rbr_rotation_is_parked(const struct rbr_rotation *rotation)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	return rbr_cache_read_newest(&rotation->pending_key, &record) && rbr_message_get(&record, "bytes");
}

bool
rbr_rotation_is_wished(const struct rbr_rotation *rotation, const struct rbr_message *record)
{
	const char *wish = rbr_message_get(record, "wish");

	return wish && rotation->wish && strcmp(wish, rotation->wish) == 0;
}

bool
rbr_rotation_was_sent(const struct rbr_message *record, const struct ringbearer_secret *token)
{
	const char *used = rbr_message_get(record, "used");
	char hash[RBR_TOKEN_HASH_MAX];

	hash_token(token, hash);
	return used && strcmp(used, hash) == 0;
}

bool
rbr_rotation_has_ended(const struct rbr_rotation *rotation)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	return rbr_cache_read(&rotation->dead_key, &record);
}

void
rbr_rotation_drop_pending(const struct rbr_rotation *rotation)
{
	rbr_cache_drop(&rotation->pending_key);
}

void
rbr_rotation_settle(struct rbr_rotation *rotation)
{
	rbr_cache_drop(&rotation->mark_key);
	rbr_cache_drop(&rotation->pending_key);
	rotation->sends = rotation->sends_before = 0;
}

void
rbr_rotation_forget(struct rbr_rotation *rotation)
{
	rbr_rotation_settle(rotation);
	rbr_cache_drop(&rotation->dead_key);
}
