/* SPDX-License-Identifier: MIT */
/*
 * The renewal of one login that many machines share. The machine's lock (turn.h) comes first, so that a machine takes part once;
 * then
 *
 * 1. the token that another machine has got, or its verdict, is taken as it is. That is found out in one step with
 * 2. the lease, which is not given where there is such a record. Who has to wait is told by the store when something changes. A lease
 *    is taken away from a run of this machine that died (the lock says that it did), and from who has not marked anything for a
 *    while: its mark can no longer succeed then, so it sends nothing;
 * 3. the mark, right before the first byte: one step with "the lease is still mine" and "this is still the token that I read". And the
 *    lease must outlive whatever the request may take, and the seconds in which it may be sent once more. Else nothing is sent;
 * 4. the answer is parked on this machine (journal/rotation.c), as ever;
 * 5. the next token takes the place of the version that was read, and of no other. The access token is shared, mark and lease go in the
 *    same step. A run that was paused can do that late, and does no harm.
 *
 * A mark of another machine is old by the time that its lease is over: its token is not sent again by itself. The machine's own
 * marks are its journal's to judge, as long as that knows of them. tests/model has gone through all orders of these steps.
 */
#include "config.h"

#include "machines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "journal/spent.h"
#include "person/log.h"
#include "turn.h"

#define ROOM_MS \
	(5 * 1000) /* by which a lease outlives what it is taken for: clocks that run apart, and our own steps */
#define BEFORE_SENDING_MS \
	(20 * 1000) /* that secrets, name, connection and TLS may take on top, or the lease is kept up */
#define UNMARKED_MS \
	(15 * 1000) /* who has not come to its mark by then has died, or sleeps: a connection may take 10 s of it */
#define EMPTY_WAIT_MS 500 /* between two looks that showed the same */
#define LEAVE_MS (2 * 1000) /* for what is done when the answer is known */
#define RECORDS_KEPT 48 /* of an item, before the oldest makes room; the store takes a few more */
#define LONG_AGO_MS (24 * 3600 * 1000)

static int64_t
request_ms(const struct rbr_machines *machines)
{
	return rbr_call_answer_ms(&machines->exchange->call) + RBR_RETRY_WINDOW_MS + ROOM_MS;
}

static struct rbr_error *
error_of(const struct rbr_machines *machines)
{
	return &machines->exchange->call.context->error;
}

/* -- the mark -- */

static int
overtaken(struct rbr_machines *machines)
{
	machines->overtaken = !machines->sent;
	machines->shared.lease = 0;
	return rbr_fail(error_of(machines), RINGBEARER_E_BUSY,
		"another machine has taken over this renewal; nothing was sent, try again");
}

/* Is MARK this machine's, and does the machine's journal know what became of it? One that was lost with a session or a container does
 * not, nor that of a copy of this machine, and there the silence of a journal would mean nothing. */
static bool
is_own(const struct rbr_machines *machines, const struct rbr_mark *mark)
{
	return rbr_holder_is_here(&mark->by, &machines->here) &&
		(!mark->kept || rbr_rotation_knows_lease(machines->rotation, mark->lease));
}

/* Of all marks that this machine has written, that one can still be in the store which is there, and the one that comes now. */
static bool
note_lease(const struct rbr_machines *machines)
{
	struct rbr_mark before;
	bool stands = rbr_record_read_mark(rbr_shared_record(&machines->shared, RBR_RECORD_MARK), &before) &&
		is_own(machines, &before);

	return rbr_rotation_note_lease(machines->rotation, machines->shared.lease, stands ? before.lease : 0);
}

static int
write_mark(struct rbr_machines *machines, bool kept)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	const struct rbr_rotation *rotation = machines->rotation;
	struct rbr_mark mark = {.by = machines->here,
		.lease = machines->shared.lease,
		.sent_ms = rotation->sent_ms,
		.sends = rotation->sends,
		.kept = kept && note_lease(machines)};
	struct ringbearer_record record = {.name = RBR_RECORD_MARK, .value = &text};
	struct ringbearer_change change = {.size = sizeof change,
		.if_lease = machines->shared.lease,
		.if_version = machines->shared.view.version,
		.record_count = 1,
		.records = &record};

	mark.by.since = rbr_clock_now().real;
	memcpy(mark.used, rotation->used, sizeof mark.used);
	if (rbr_record_write_mark(&mark, &text) < 0)
		return rbr_fail_memory(error_of(machines));
	machines->marked = true; /* or may be, if no answer comes */
	return rbr_shared_change(&machines->shared, &change);
}

/* May the request leave? Asked with the connection standing. */
static int
before_sending(struct rbr_rotation *rotation, bool kept)
{
	struct rbr_machines *machines = rotation->guard_data;
	int64_t needed_ms = request_ms(machines);
	int rc = machines->shared.lease == 0 ? RINGBEARER_E_BUSY : 0;

	if (rc == 0)
		rc = rbr_shared_hold(&machines->shared, rbr_now_ms() + needed_ms);
	if (rc == 0)
		rc = write_mark(machines, kept);
	if (rc == RINGBEARER_E_BUSY)
		return overtaken(machines);
	if (rc < 0)
		return rc;
	/* Whoever was stopped meanwhile has no lease to speak of. */
	if (machines->shared.lasts_ms < rbr_now_ms() + needed_ms)
		return overtaken(machines);
	machines->sent = true;
	return 0;
}

const char *
rbr_machines_recall(struct rbr_machines *machines)
{
	struct rbr_rotation *rotation;
	struct rbr_mark mark;

	if (!machines || !machines->open)
		return NULL;
	rotation = machines->rotation;
	if (!rbr_record_read_mark(rbr_shared_record(&machines->shared, RBR_RECORD_MARK), &mark) ||
		strcmp(mark.used, rotation->used) != 0) {
		rbr_rotation_suppose(rotation, 0, 0);
		return NULL;
	}
	if (is_own(machines, &mark)) {
		if (!mark.kept)
			rbr_rotation_suppose(rotation, (unsigned)mark.sends, mark.sent_ms);
		return NULL;
	}
	rbr_rotation_suppose(rotation, (unsigned)mark.sends, rbr_now_ms() - LONG_AGO_MS);
	memcpy(machines->met_host, mark.by.host, sizeof machines->met_host);
	return machines->met_host;
}

bool
rbr_machines_is_dead(const struct rbr_machines *machines)
{
	struct rbr_mark dead;

	return machines && machines->open &&
		rbr_record_read_mark(rbr_shared_record(&machines->shared, RBR_RECORD_DEAD), &dead) &&
		strcmp(dead.used, machines->rotation->used) == 0;
}

/* -- the turn -- */

/* Is the token that another machine has shared what WISH is after? Then it is this machine's, too. */
static bool
take_token(struct rbr_machines *machines, const struct rbr_record_names *names, const struct rbr_wish *wish,
	struct rbr_credential *credential)
{
	struct rbr_exchange *exchange = machines->exchange;
	struct rbr_context *context = exchange->call.context;
	const struct rbr_error before = context->error;
	const struct ringbearer_record *record = rbr_shared_record(&machines->shared, names->token);
	bool takes = rbr_record_read_token(record, names, exchange) && rbr_exchange_check(exchange, wish) == 0 &&
		rbr_exchange_answer(exchange, credential) == 0 &&
		!rbr_spent_has(wish->account, credential->token, credential->obtained_ms) &&
		rbr_wish_takes(context, wish, credential) &&
		!(context->quiet && rbr_credential_ageing(credential, rbr_clock_now()));

	if (takes) {
		rbr_trace(context, "another machine has got a token");
		rbr_credential_wipe(credential);
		takes = rbr_exchange_publish(exchange, wish, credential) == 0;
	}
	if (!takes) {
		rbr_credential_wipe(credential);
		rbr_exchange_begin(exchange);
		exchange->refused_again = false;
		context->error = before;
	}
	return takes;
}

/* What the view has for WISH: a token, or a verdict as an error. */
static int
take_up(struct rbr_machines *machines, const struct rbr_record_names *names, const struct rbr_wish *wish,
	struct rbr_credential *credential, bool *ret_answered)
{
	const struct ringbearer_record *record;
	bool is_new;
	int rc;

	*ret_answered = take_token(machines, names, wish, credential);
	record = rbr_shared_record(&machines->shared, names->verdict);
	if (*ret_answered || !record)
		return 0;
	is_new = record->version > machines->since;
	if (!is_new && wish->urgency == RBR_FORCED)
		return 0;
	rc = rbr_record_read_verdict(record, names, is_new, error_of(machines));
	machines->told = rc < 0;
	return rc;
}

/* The lease that may be taken: 0 for nobody's, else the one to take it from. -1: none, yet. */
static int64_t
free_lease(struct rbr_machines *machines)
{
	const struct ringbearer_view *view = &machines->shared.view;
	struct rbr_holder holder;
	struct rbr_mark mark;
	bool marked;

	if (view->lease == 0)
		return 0;
	marked = rbr_record_read_mark(rbr_shared_record(&machines->shared, RBR_RECORD_MARK), &mark) &&
		mark.lease == view->lease;
	if (rbr_record_read_holder(view->holder, &holder) && rbr_holder_is_here(&holder, &machines->here) &&
		(!marked || is_own(machines, &mark)))
		return view->lease;
	if (machines->met_lease != view->lease) {
		machines->met_lease = view->lease;
		machines->met_ms = rbr_now_ms();
		memcpy(machines->met_host, holder.host, sizeof machines->met_host);
	}
	if (marked)
		return -1;
	return rbr_now_ms() - machines->met_ms >= UNMARKED_MS ? view->lease : -1;
}

static int
take_lease(struct rbr_machines *machines, int64_t displaces, const char *const *unless)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	int64_t seconds = (request_ms(machines) + BEFORE_SENDING_MS + 999) / 1000;

	machines->here.since = rbr_clock_now().real;
	if (rbr_record_write_holder(&machines->here, &text) < 0)
		return rbr_fail_memory(error_of(machines));
	return rbr_shared_take(&machines->shared, rbr_secret_string(&text), seconds, displaces, unless);
}

static int
wait_for_change(struct rbr_machines *machines, int64_t until_ms)
{
	int64_t now_ms = rbr_now_ms(), left_ms = until_ms - now_ms,
		patience_ms = machines->met_ms + UNMARKED_MS - now_ms;
	int64_t seen = machines->shared.view.revision;
	int rc;

	if (left_ms <= 0)
		return rbr_fail(error_of(machines), RINGBEARER_E_BUSY,
			"the machine %s has been renewing this login for %d seconds; try again, and see there if it hangs",
			machines->met_host, RBR_TURN_WAIT_MS / 1000);
	if (patience_ms > 0 && patience_ms < left_ms)
		left_ms = patience_ms;
	rc = rbr_shared_wait(&machines->shared, left_ms);
	if (rc == 0)
		rc = rbr_shared_look(&machines->shared);
	/* A store that tells of nothing is not asked the faster for it. */
	if (rc == 0 && machines->shared.view.revision == seen && rbr_now_ms() - now_ms < EMPTY_WAIT_MS)
		rbr_sleep_ms(EMPTY_WAIT_MS);
	return rc;
}

/* The lease is asked for without a look before, which would show nothing in most cases; unless others have what WISH is after. */
static int
take_or_look(struct rbr_machines *machines, const struct rbr_record_names *names, const struct rbr_wish *wish)
{
	const char *unless[] = {names->token, names->verdict, NULL};
	bool any = wish->urgency == RBR_REJECTED || wish->urgency == RBR_FORCED;
	int rc;

	if (machines->since != 0)
		return 0;
	rc = take_lease(machines, 0, any ? NULL : unless);
	machines->since = machines->shared.view.revision;
	return rc == RINGBEARER_E_BUSY ? 0 : rc;
}

/* Until there is an answer, or this run has the lease. */
static int
wait_for_turn(struct rbr_machines *machines, const struct rbr_wish *wish, struct rbr_credential *credential,
	bool *ret_answered)
{
	RBR_CLEANUP(rbr_record_names_wipe) struct rbr_record_names names;
	int64_t until_ms = rbr_now_ms() + RBR_TURN_WAIT_MS, lease;
	int rc;

	if (rbr_record_names(machines->exchange->call.account, &names) < 0)
		return rbr_fail_memory(error_of(machines));
	rc = take_or_look(machines, &names, wish);
	while (rc == 0) {
		rc = take_up(machines, &names, wish, credential, ret_answered);
		if (rc < 0 || *ret_answered || machines->shared.lease != 0)
			break;
		lease = free_lease(machines);
		if (lease >= 0)
			rc = take_lease(machines, lease, NULL);
		if (rc == RINGBEARER_E_BUSY) /* somebody was faster, whose time begins here */
			(void)free_lease(machines);
		if (lease < 0 || rc == RINGBEARER_E_BUSY)
			rc = wait_for_change(machines, until_ms);
	}
	return rc;
}

int
rbr_machines_enter(struct rbr_machines *machines, const struct rbr_wish *wish, struct rbr_credential *credential,
	bool *ret_answered)
{
	struct ringbearer_call *call;
	int64_t own_ms;
	int rc;

	*ret_answered = false;
	if (!machines->open)
		return 0;
	call = &machines->exchange->call;
	own_ms = call->deadline_ms - rbr_now_ms();
	call->deadline_ms += RBR_TURN_WAIT_MS;
	rc = machines->overtaken ? rbr_shared_look(&machines->shared) : 0;
	machines->overtaken = false;
	if (rc == 0)
		rc = wait_for_turn(machines, wish, credential, ret_answered);
	call->deadline_ms = rbr_now_ms() + own_ms; /* others' time is not this call's */
	return rc;
}

bool
rbr_machines_is_overtaken(const struct rbr_machines *machines)
{
	return machines->open && machines->overtaken;
}

/* -- the store -- */

int
rbr_machines_open(
	struct rbr_machines *machines, struct rbr_exchange *exchange, struct rbr_rotation *rotation, bool look)
{
	int rc = rbr_exchange_vault(exchange);

	if (rc < 0 || !rbr_shared_is_possible(&exchange->vault))
		return rc;
	machines->exchange = exchange;
	machines->rotation = rotation;
	rc = rbr_shared_start(&machines->shared, &exchange->vault);
	if (rc == 0 && look)
		rc = rbr_shared_look(&machines->shared);
	if (rc < 0)
		return rc;
	machines->open = true;
	machines->since = machines->shared.view.revision; /* 0: it was not looked at yet */
	rbr_holder_here(exchange->call.context, exchange->call.account, &machines->here);
	rotation->guard = before_sending;
	rotation->guard_data = machines;
	exchange->machines = machines;
	exchange->shared = true;
	return 0;
}

void
rbr_machines_end(struct rbr_machines *machines)
{
	rbr_shared_end(&machines->shared);
	memset(machines, 0, sizeof *machines);
}

int
rbr_machines_refresh_token(struct rbr_machines *machines, struct ringbearer_secret **ret_token)
{
	return rbr_shared_value(&machines->shared, ret_token);
}

/* Whoever asks for another scope or resource each time leaves a record each time. The oldest, by its NAME, goes before the store is
 * full. */
static size_t
make_room(const struct rbr_machines *machines, const struct rbr_record_names *names,
	char name[RINGBEARER_RECORD_NAME_MAX + 1], struct ringbearer_record *ret_record)
{
	const struct ringbearer_view *view = &machines->shared.view;
	const struct ringbearer_record *oldest = NULL;
	size_t i;

	for (i = 0; view->record_count >= RECORDS_KEPT && i < view->record_count; i++)
		if (rbr_record_can_go(&view->records[i], names) &&
			(!oldest || view->records[i].version < oldest->version))
			oldest = &view->records[i];
	if (!oldest)
		return 0;
	(void)snprintf(name, RINGBEARER_RECORD_NAME_MAX + 1, "%s", oldest->name); /* the view may be another by then */
	*ret_record = (struct ringbearer_record){.name = name};
	return 1;
}

/* Is NEXT in the store already? A transaction whose answer was lost may have been made. */
static int
settle_conflict(struct rbr_machines *machines, const struct ringbearer_secret *next, int64_t version, bool *ret_again)
{
	const struct ringbearer_secret *kept;
	int rc = rbr_shared_look(&machines->shared);

	*ret_again = rc == 0 && machines->shared.view.version == version;
	if (rc < 0 || *ret_again)
		return rc;
	kept = machines->shared.view.value;
	if (next && !(kept && rbr_secret_equal(kept->data, kept->size, next->data, next->size)))
		rbr_trace(machines->exchange->call.context,
			"the store has another refresh token by now, a newer login's");
	return 0;
}

/* Where the token stays and another machine is under way with it, its mark stays, too: it is what stops those who come after. It is
 * the first of CHANGE's records. */
static void
spare_mark(const struct rbr_machines *machines, struct ringbearer_change *change)
{
	struct rbr_mark mark;

	if (!change->value && change->if_lease == 0 &&
		rbr_record_read_mark(rbr_shared_record(&machines->shared, RBR_RECORD_MARK), &mark) &&
		!is_own(machines, &mark)) {
		change->records++;
		change->record_count--;
	}
}

/* MARK is the first of RECORDS. */
static int
replace(struct rbr_machines *machines, const struct ringbearer_secret *next, const struct ringbearer_record *records,
	size_t count)
{
	struct rbr_shared *shared = &machines->shared;
	struct ringbearer_change change = {.size = sizeof change,
		.if_lease = shared->lease,
		.if_version = shared->view.version,
		.value = next,
		.release = shared->lease != 0,
		.record_count = count,
		.records = records};
	bool again = false;
	int rc;

	if (change.if_version == 0) /* there is nothing to replace, and 0 would be whatever there is */
		return 0;
	spare_mark(machines, &change);
	rc = rbr_shared_change(shared, &change);
	if (rc != RINGBEARER_E_BUSY)
		return rc;
	rc = settle_conflict(machines, next, change.if_version, &again);
	if (rc < 0 || !again)
		return rc;
	/* Only the lease is another's. What this run has got is the newest all the same. */
	change.if_lease = 0;
	change.release = false;
	shared->lease = 0;
	spare_mark(machines, &change);
	rc = rbr_shared_change(shared, &change);
	return rc == RINGBEARER_E_BUSY ? settle_conflict(machines, next, change.if_version, &again) : rc;
}

int
rbr_machines_keep(struct rbr_machines *machines, const struct ringbearer_secret *next)
{
	RBR_CLEANUP(rbr_record_names_wipe) struct rbr_record_names names;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret token = RBR_SECRET_EMPTY;
	const struct rbr_exchange *exchange = machines->exchange;
	struct ringbearer_record records[] = {
		{.name = RBR_RECORD_MARK}, {.name = RBR_RECORD_DEAD}, {.name = NULL}, {.name = NULL}, {.name = NULL}};
	char oldest[RINGBEARER_RECORD_NAME_MAX + 1];
	size_t count = 2;
	int rc;

	if (rbr_record_names(exchange->call.account, &names) < 0)
		return rbr_fail_memory(error_of(machines));
	records[count++].name = names.verdict;
	if (rbr_record_write_token(exchange, &names, &token, &records[count].seconds) == 0) {
		records[count].name = names.token;
		records[count++].value = &token;
	}
	count += make_room(machines, &names, oldest, &records[count]);
	rbr_trace(exchange->call.context, "keeping the refresh token of %s", exchange->call.account->name);
	rc = replace(machines, next, records, count);
	if (rc == 0)
		machines->marked = false;
	return rc;
}

void
rbr_machines_settle(struct rbr_machines *machines)
{
	if (machines)
		machines->settled = true;
}

void
rbr_machines_bury(struct rbr_machines *machines)
{
	if (machines)
		machines->dead = true;
}

/* What is left to say when it is over. */
static size_t
last_words(struct rbr_machines *machines, const struct rbr_record_names *names, struct ringbearer_secret texts[2],
	char oldest[RINGBEARER_RECORD_NAME_MAX + 1], int rc, bool everybodys, struct ringbearer_record records[4])
{
	struct rbr_mark dead = {.by = machines->here, .sends = 1};
	size_t count = 0;

	/* A mark that did not come to anything goes, unless somebody has sent the token before. */
	if (machines->settled || (machines->marked && !machines->sent && machines->rotation->sends_before == 0))
		records[count++] = (struct ringbearer_record){.name = RBR_RECORD_MARK};
	memcpy(dead.used, machines->rotation->used, sizeof dead.used);
	if (machines->dead && rbr_record_write_mark(&dead, &texts[0]) == 0)
		records[count++] = (struct ringbearer_record){
			.name = RBR_RECORD_DEAD, .value = &texts[0], .seconds = RINGBEARER_RECORD_SECONDS_MAX};
	records[count] = (struct ringbearer_record){.name = names->verdict, .value = &texts[1]};
	if (rc < 0 && everybodys && !machines->told && machines->shared.view.version != 0 &&
		rbr_record_write_verdict(error_of(machines), names, &texts[1], &records[count].seconds))
		count++;
	return count + make_room(machines, names, oldest, &records[count]);
}

void
rbr_machines_leave(struct rbr_machines *machines, int rc, bool everybodys)
{
	RBR_CLEANUP(rbr_record_names_wipe) struct rbr_record_names names = {.token = ""};
	struct ringbearer_secret texts[2] = {RBR_SECRET_EMPTY, RBR_SECRET_EMPTY};
	struct ringbearer_record records[4];
	char oldest[RINGBEARER_RECORD_NAME_MAX + 1];
	struct ringbearer_change change = {.size = sizeof change,
		.if_lease = machines->shared.lease,
		.release = true,
		.record_count = 0,
		.records = records};
	struct rbr_error error;
	int left;

	if (!machines->open || machines->shared.lease == 0)
		return;
	error = *error_of(machines);
	if (rbr_record_names(machines->exchange->call.account, &names) == 0)
		change.record_count = last_words(machines, &names, texts, oldest, rc, everybodys, records);
	/* What was found out about a token says nothing about one that a login has brought meanwhile. */
	if (change.record_count > 0)
		change.if_version = machines->shared.view.version;
	machines->exchange->call.deadline_ms = rbr_now_ms() + LEAVE_MS;
	left = rbr_shared_change(&machines->shared, &change);
	if (left == RINGBEARER_E_BUSY && change.record_count > 0) {
		change.record_count = 0;
		change.if_version = 0;
		left = rbr_shared_change(&machines->shared, &change);
	}
	if (left < 0)
		rbr_trace(machines->exchange->call.context, "the lease was not given back: %s",
			error_of(machines)->detail);
	*error_of(machines) = error;
	rbr_secret_wipe(&texts[0]);
	rbr_secret_wipe(&texts[1]);
}

int
rbr_machines_tidy(struct rbr_machines *machines)
{
	struct ringbearer_record record = {.name = RBR_RECORD_MARK};
	struct ringbearer_change change = {.size = sizeof change,
		.if_version = machines->shared.view.version,
		.record_count = 1,
		.records = &record};
	struct rbr_mark mark;
	int rc;

	if (!machines->open || !rbr_record_read_mark(rbr_shared_record(&machines->shared, RBR_RECORD_MARK), &mark) ||
		!is_own(machines, &mark) || !mark.kept || rbr_rotation_is_marked(machines->rotation, mark.used))
		return 0;
	rc = rbr_shared_change(&machines->shared, &change);
	return rc == RINGBEARER_E_BUSY ? 0 : rc;
}
