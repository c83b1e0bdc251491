/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "journal.h"

#include <stdio.h>
#include <string.h>

#include "brought.h"
#include "lease.h"
#include "txn.h"

#define ACQUIRE_TRIES 4
#define VALUE_MAX 131072 /* bytes */

static int
fail_busy(const struct rbr_etcd *etcd, const char *what)
{
	return etcd->host->fail(etcd->call, RINGBEARER_E_BUSY, "%s; try again", what);
}

/* -- looking -- */

static bool
is_record_name(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return size > 0 && size <= RINGBEARER_RECORD_NAME_MAX && name[size] == '\0';
}

static int
take_record(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_pair *pair,
	struct ringbearer_view *view)
{
	const char *key = pair->key + item->size, *name = key + sizeof RBR_ETCD_RECORD - 1;
	struct ringbearer_secret *value = NULL;
	size_t at = view->record_count;
	int rc;

	if (!is_record_name(name)) /* a later version's */
		return 0;
	if (at == RINGBEARER_RECORDS_MAX)
		return etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"etcd has more than %d records for `%.200s`; have its operators say who writes there",
			RINGBEARER_RECORDS_MAX, item->item->account);
	rc = rbr_etcd_open(etcd, item, key, pair->value, pair->value_size, &value);
	if (rc < 0)
		return rc;
	(void)snprintf(view->names[at], sizeof view->names[at], "%s", name);
	view->records[at] =
		(struct ringbearer_record){.name = view->names[at], .value = value, .version = pair->changed};
	view->record_count++;
	return 0;
}

static int
take_pair(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_pair *pair,
	struct ringbearer_view *view)
{
	const char *name = pair->key + item->size;

	if (strncmp(pair->key, item->base, item->size) != 0)
		return rbr_etcd_fail_malformed(etcd);
	if (strcmp(name, RBR_ETCD_VALUE) == 0 && !view->value) {
		view->version = pair->changed;
		return rbr_etcd_open(etcd, item, name, pair->value, pair->value_size, &view->value);
	}
	if (strcmp(name, RBR_ETCD_LEASE) == 0 && !view->holder) {
		view->lease = pair->changed;
		return rbr_etcd_open(etcd, item, name, pair->value, pair->value_size, &view->holder);
	}
	if (strncmp(name, RBR_ETCD_RECORD, sizeof RBR_ETCD_RECORD - 1) == 0)
		return take_record(etcd, item, pair, view);
	return 0;
}

/* What was found, as the host knows it. HELD_BY: etcd's lease of the lease's key. */
static int
make_view(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_answer *answer,
	struct ringbearer_view *ret_view, int64_t *ret_held_by)
{
	struct rbr_etcd_pair pair;
	size_t i;
	int rc = 0;

	*ret_held_by = 0;
	if (answer->revision == 0)
		return rbr_etcd_fail_malformed(etcd);
	ret_view->revision = answer->revision;
	for (i = 0; rc == 0 && i < rbr_etcd_pair_count(answer); i++) {
		if (!rbr_etcd_pair_read(answer, i, &pair))
			return rbr_etcd_fail_malformed(etcd);
		rc = take_pair(etcd, item, &pair, ret_view);
		if (ret_view->lease == pair.changed)
			*ret_held_by = pair.lease;
		rbr_etcd_pair_wipe(&pair);
	}
	return rc;
}

/* Frees what a view holds: it is made anew. */
static void
empty_view(const struct rbr_etcd *etcd, struct ringbearer_view *view)
{
	uint32_t size = view->size;
	size_t i;

	etcd->host->secret_free(view->value);
	etcd->host->secret_free(view->holder);
	for (i = 0; i < view->record_count; i++) {
		struct ringbearer_secret *value;

		memcpy(&value, &view->records[i].value, sizeof value); /* const for the host's sake */
		etcd->host->secret_free(value);
	}
	memset(view, 0, sizeof *view);
	view->size = size;
}

static void
begin_view(struct ringbearer_view *view)
{
	memset(view, 0, sizeof *view);
	view->size = sizeof *view;
}

int
rbr_etcd_view(struct rbr_etcd *etcd, const struct ringbearer_item *what, struct ringbearer_view *ret_view)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	const struct rbr_etcd_request request = {"/v3/kv/range", &body, RBR_ETCD_AGAIN, NULL};
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	struct rbr_etcd_item item;
	int64_t held_by;
	int rc = rbr_etcd_item_start(etcd, what, &item);

	begin_view(ret_view);
	if (rc == 0) {
		rbr_etcd_add(&body, "{");
		rbr_etcd_add_range(&body, &item, "");
		rbr_etcd_add(&body, "}");
		rc = rbr_etcd_ask(etcd, &request, &course, &answer);
	}
	if (rc == 0)
		rc = make_view(etcd, &item, &answer, ret_view, &held_by);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

int
rbr_etcd_wait(struct rbr_etcd *etcd, const struct ringbearer_item *what, int64_t revision, int64_t milliseconds)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	struct rbr_etcd_item item;
	int rc = rbr_etcd_item_start(etcd, what, &item);

	if (rc == 0) {
		rbr_etcd_add(&body, "{\"create_request\":{\"start_revision\":");
		rbr_etcd_add_number(&body, revision + 1);
		rbr_etcd_add(&body, ",");
		rbr_etcd_add_range(&body, &item, "");
		rbr_etcd_add(&body, "}}");
		rc = rbr_etcd_watch(etcd, &body, milliseconds);
	}
	rbr_etcd_body_wipe(&body);
	return rc;
}

/* -- the lease -- */

/* One try to put the lease's key. *RET_TAKEN: it is ours now. */
static int
try_to_take(struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_sealed *holder, int64_t id,
	const struct rbr_etcd_body *grant, int64_t displaces, const char *const *unless,
	struct ringbearer_view *ret_view, bool *ret_taken, struct rbr_etcd_course *course)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	const struct rbr_etcd_request request = {"/v3/kv/txn", &body, RBR_ETCD_AGAIN_MARKED, grant};
	struct rbr_etcd_answer answer = {0};
	char name[RBR_ETCD_NAME_MAX];
	int64_t held_by = 0;
	int rc;

	rbr_etcd_add(&body, "{\"compare\":[");
	rbr_etcd_add_compare(&body, item, RBR_ETCD_LEASE, displaces);
	for (; unless && *unless; unless++) {
		(void)snprintf(name, sizeof name, RBR_ETCD_RECORD "%s", *unless);
		rbr_etcd_add_compare(&body, item, name, 0);
	}
	rbr_etcd_add(&body, "],\"success\":[");
	rbr_etcd_add_put(&body, item, RBR_ETCD_LEASE, holder, id);
	rbr_etcd_brought_ask(etcd, &body, item);
	rbr_etcd_add_get_all(&body, item);
	rbr_etcd_add(&body, "],\"failure\":[");
	rbr_etcd_add_get_all(&body, item);
	rbr_etcd_add(&body, "]}");
	rc = rbr_etcd_ask(etcd, &request, course, &answer);
	if (rc == 0)
		rc = make_view(etcd, item, &answer, ret_view, &held_by);
	if (rc == 0 && answer.succeeded)
		rbr_etcd_brought_take(etcd, &answer, item, 1);
	/* Also what was done by a try whose answer did not come. */
	*ret_taken = rc == 0 && ret_view->lease != 0 && held_by == id;
	if (rc == 0 && answer.succeeded && !*ret_taken)
		rc = rbr_etcd_fail_malformed(etcd);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

/* Is one of the records UNLESS in VIEW? */
static bool
has_one(const struct ringbearer_view *view, const char *const *unless)
{
	size_t i;

	for (; unless && *unless; unless++)
		for (i = 0; i < view->record_count; i++)
			if (strcmp(view->records[i].name, *unless) == 0)
				return true;
	return false;
}

static int
acquire(struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_sealed *holder, int64_t seconds,
	int64_t displaces, const char *const *unless, struct ringbearer_view *ret_view)
{
	bool taken = false;
	int tries, rc = 0;

	for (tries = 0; tries < ACQUIRE_TRIES && !taken; tries++) {
		struct rbr_etcd_course course = {0};
		struct rbr_etcd_body grant = {0};
		int64_t id = 0;
		bool planned = tries == 0 && rbr_etcd_lease_plan(etcd, seconds, &grant, &id);

		if (!planned)
			rc = rbr_etcd_lease_get(etcd, seconds, &id);
		if (rc < 0)
			return rc;
		empty_view(etcd, ret_view);
		rc = try_to_take(
			etcd, item, holder, id, planned ? &grant : NULL, displaces, unless, ret_view, &taken, &course);
		if (planned)
			rbr_etcd_body_wipe(&grant);
		if (rc < 0 && course.refusal == RBR_ETCD_LEASE_GONE) {
			rc = 0; /* the transaction came first, or the lease has ended: without haste */
			continue;
		}
		if (rc < 0)
			return rc;
		if (taken) {
			rbr_etcd_lease_note(etcd, id, seconds, ret_view->lease);
			return 0;
		}
		rbr_etcd_lease_put_back(etcd, id, seconds);
		if (ret_view->lease != 0)
			return fail_busy(etcd, "another machine has the lease");
		if (has_one(ret_view, unless))
			return fail_busy(etcd, "another machine has done it already");
		displaces = 0; /* whose it was has let it go */
	}
	return fail_busy(etcd, "the lease is taken and let go all the time");
}

int
rbr_etcd_acquire(struct rbr_etcd *etcd, const struct ringbearer_item *what, const char *holder, int64_t seconds,
	int64_t displaces, const char *const *unless, struct ringbearer_view *ret_view)
{
	struct rbr_etcd_sealed sealed = {NULL, 0};
	struct rbr_etcd_item item;
	int rc = rbr_etcd_item_start(etcd, what, &item);

	begin_view(ret_view);
	if (rc == 0 && (strlen(holder) > RBR_ETCD_HOLDER_MAX || seconds < 1 || seconds > RINGBEARER_RECORD_SECONDS_MAX))
		rc = etcd->host->fail(
			etcd->call, RINGBEARER_E_SYSTEM, "a lease cannot be taken in this name, or for so long");
	if (rc == 0)
		rc = rbr_etcd_seal(etcd, &item, RBR_ETCD_LEASE, holder, strlen(holder), &sealed);
	if (rc == 0)
		rc = acquire(etcd, &item, &sealed, seconds, displaces, unless, ret_view);
	rbr_etcd_sealed_wipe(&sealed);
	return rc;
}

/* The lease's key, as it is. *RET_NUMBER and *RET_ID are 0 if nobody has it. */
static int
look_at_lease(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, int64_t *ret_number, int64_t *ret_id)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	const struct rbr_etcd_request request = {"/v3/kv/range", &body, RBR_ETCD_AGAIN, NULL};
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	struct rbr_etcd_pair pair = {0};
	int rc;

	rbr_etcd_add(&body, "{");
	rbr_etcd_add_key(&body, item, RBR_ETCD_LEASE);
	rbr_etcd_add(&body, "}");
	rc = rbr_etcd_ask(etcd, &request, &course, &answer);
	if (rc == 0)
		(void)rbr_etcd_find(etcd, item, &answer, RBR_ETCD_LEASE, &pair, &rc);
	*ret_number = pair.changed;
	*ret_id = pair.lease;
	rbr_etcd_pair_wipe(&pair);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

int
rbr_etcd_keep(struct rbr_etcd *etcd, const struct ringbearer_item *what, int64_t lease)
{
	int64_t id = rbr_etcd_lease_of(etcd, lease), number = 0, of_key = 0;
	struct rbr_etcd_item item;
	int rc = rbr_etcd_item_start(etcd, what, &item);

	if (rc == 0 && (id == 0 || lease <= 0))
		rc = fail_busy(etcd, "the lease is none of this process");
	if (rc == 0)
		rc = rbr_etcd_lease_keep(etcd, id);
	/* Where the key was taken away, etcd's lease lives on. */
	if (rc == 0)
		rc = look_at_lease(etcd, &item, &number, &of_key);
	if (rc == 0 && (number != lease || of_key != id))
		rc = fail_busy(etcd, "another machine has taken the lease away");
	if (rc == RINGBEARER_E_BUSY)
		rbr_etcd_lease_forget(etcd, lease);
	return rc;
}

/* -- changes -- */

/* A change, ready to be sent. */
struct changing {
	struct rbr_etcd *etcd;
	struct rbr_etcd_item item;
	const struct ringbearer_change *change;
	struct rbr_etcd_sealed value;
	struct rbr_etcd_sealed records[RINGBEARER_RECORDS_MAX];
	char names[RINGBEARER_RECORDS_MAX][RBR_ETCD_NAME_MAX];
	int64_t leases[RINGBEARER_RECORDS_MAX]; /* etcd's */
	struct rbr_etcd_body grant; /* asked for one of them together with the change */
	bool planned; /* there is that */
};

static int
check(const struct changing *changing)
{
	const struct ringbearer_change *change = changing->change;
	const struct ringbearer_host *host = changing->etcd->host;
	bool sound = change->record_count <= RINGBEARER_RECORDS_MAX && (!change->release || change->if_lease != 0) &&
		(!change->value || host->secret_size(change->value) <= VALUE_MAX);
	size_t i;

	for (i = 0; sound && i < change->record_count; i++) {
		const struct ringbearer_record *record = &change->records[i];

		sound = is_record_name(record->name) && record->seconds >= 0 &&
			record->seconds <= RINGBEARER_RECORD_SECONDS_MAX &&
			(!record->value || host->secret_size(record->value) <= RINGBEARER_RECORD_SIZE_MAX);
	}
	return sound ? 0
		     : host->fail(changing->etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
			       "a change of what is shared is too large, or not sound; report it");
}

/* Records that stay for the same time share a lease of etcd's; the first may be asked for together with the change. */
static int
get_lease(struct changing *changing, size_t at, bool plan)
{
	const struct ringbearer_record *records = changing->change->records;
	size_t i;

	for (i = 0; i < at; i++)
		if (records[i].seconds == records[at].seconds && changing->leases[i] != 0) {
			changing->leases[at] = changing->leases[i];
			return 0;
		}
	if (plan && !changing->planned &&
		rbr_etcd_lease_plan(changing->etcd, records[at].seconds, &changing->grant, &changing->leases[at])) {
		changing->planned = true;
		return 0;
	}
	return rbr_etcd_lease_get(changing->etcd, records[at].seconds, &changing->leases[at]);
}

static int
get_leases(struct changing *changing, bool plan)
{
	const struct ringbearer_change *change = changing->change;
	size_t i;
	int rc = 0;

	memset(changing->leases, 0, sizeof changing->leases);
	for (i = 0; rc == 0 && i < change->record_count; i++)
		if (change->records[i].value && change->records[i].seconds > 0)
			rc = get_lease(changing, i, plan);
	return rc;
}

static int
prepare(struct changing *changing)
{
	const struct ringbearer_change *change = changing->change;
	const struct ringbearer_host *host = changing->etcd->host;
	size_t i;
	int rc = check(changing);

	if (rc == 0 && change->value)
		rc = rbr_etcd_seal(changing->etcd, &changing->item, RBR_ETCD_VALUE, host->secret_data(change->value),
			host->secret_size(change->value), &changing->value);
	for (i = 0; rc == 0 && i < change->record_count; i++) {
		const struct ringbearer_record *record = &change->records[i];

		(void)snprintf(changing->names[i], RBR_ETCD_NAME_MAX, RBR_ETCD_RECORD "%s", record->name);
		if (!record->value)
			continue;
		rc = rbr_etcd_seal(changing->etcd, &changing->item, changing->names[i],
			host->secret_data(record->value), host->secret_size(record->value), &changing->records[i]);
	}
	return rc < 0 ? rc : get_leases(changing, true);
}

static void
write_change(const struct changing *changing, struct rbr_etcd_body *body)
{
	const struct ringbearer_change *change = changing->change;
	const struct rbr_etcd_item *item = &changing->item;
	size_t i;

	rbr_etcd_add(body, "{\"compare\":[");
	if (change->if_lease != 0)
		rbr_etcd_add_compare(body, item, RBR_ETCD_LEASE, change->if_lease);
	if (change->if_version != 0)
		rbr_etcd_add_compare(body, item, RBR_ETCD_VALUE, change->if_version);
	rbr_etcd_add(body, "],\"success\":[");
	if (change->value)
		rbr_etcd_add_put(body, item, RBR_ETCD_VALUE, &changing->value, 0);
	for (i = 0; i < change->record_count; i++) {
		if (change->records[i].value)
			rbr_etcd_add_put(body, item, changing->names[i], &changing->records[i], changing->leases[i]);
		else
			rbr_etcd_add_delete(body, item, changing->names[i]);
	}
	if (change->release)
		rbr_etcd_add_delete(body, item, RBR_ETCD_LEASE);
	rbr_etcd_add_get(body, item, RBR_ETCD_VALUE);
	rbr_etcd_add(body, "],\"failure\":[");
	rbr_etcd_add_get_all(body, item);
	rbr_etcd_add(body, "]}");
}

/* Is the key NAME as the change would have it: gone if SEALED is NULL? */
static bool
is_as_changed(const struct changing *changing, const struct rbr_etcd_answer *answer, const char *name,
	const struct rbr_etcd_sealed *sealed)
{
	struct rbr_etcd_pair pair;
	int rc;
	bool there = rbr_etcd_find(changing->etcd, &changing->item, answer, name, &pair, &rc);
	bool same = rc == 0 && (sealed ? there && rbr_etcd_is(&pair, sealed) : !there);

	rbr_etcd_pair_wipe(&pair);
	return same;
}

/* The conditions are not met, and an earlier try may have been why: has all of it been done? */
static bool
is_done(const struct changing *changing, const struct rbr_etcd_answer *answer)
{
	const struct ringbearer_change *change = changing->change;
	bool done = true;
	size_t i;

	if (change->value)
		done = is_as_changed(changing, answer, RBR_ETCD_VALUE, &changing->value);
	for (i = 0; done && i < change->record_count; i++)
		done = is_as_changed(
			changing, answer, changing->names[i], change->records[i].value ? &changing->records[i] : NULL);
	return done && (!change->release || is_as_changed(changing, answer, RBR_ETCD_LEASE, NULL));
}

static int
send_change(const struct changing *changing, struct rbr_etcd_course *course, int64_t *ret_version)
{
	const struct ringbearer_change *change = changing->change;
	struct rbr_etcd_body body = rbr_etcd_body_start(changing->etcd);
	const struct rbr_etcd_request request = {"/v3/kv/txn", &body,
		change->if_lease != 0 || change->if_version != 0 ? RBR_ETCD_AGAIN_MARKED : RBR_ETCD_ONCE,
		changing->planned ? &changing->grant : NULL};
	struct rbr_etcd_answer answer = {0};
	struct rbr_etcd_pair pair = {0};
	int rc;

	write_change(changing, &body);
	rc = rbr_etcd_ask(changing->etcd, &request, course, &answer);
	if (rc == 0 && !answer.succeeded && !(course->unsure && is_done(changing, &answer)))
		rc = course->unsure ? rbr_etcd_fail_unsure(changing->etcd)
				    : fail_busy(changing->etcd, "another machine has changed what this was about");
	if (rc == 0)
		(void)rbr_etcd_find(changing->etcd, &changing->item, &answer, RBR_ETCD_VALUE, &pair, &rc);
	if (rc == 0)
		*ret_version = pair.changed;
	rbr_etcd_pair_wipe(&pair);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

int
rbr_etcd_store_if(struct rbr_etcd *etcd, const struct ringbearer_item *what, const struct ringbearer_change *change,
	int64_t *ret_version)
{
	struct changing changing = {.etcd = etcd, .change = change};
	struct rbr_etcd_course course = {0};
	size_t i;
	int rc = rbr_etcd_item_start(etcd, what, &changing.item);

	if (rc == 0)
		rc = prepare(&changing);
	if (rc == 0)
		rc = send_change(&changing, &course, ret_version);
	if (changing.planned)
		rbr_etcd_body_wipe(&changing.grant);
	if (rc < 0 && changing.planned && course.refusal == RBR_ETCD_LEASE_GONE) {
		changing.planned = false; /* the change came first */
		rc = get_leases(&changing, false);
		if (rc == 0)
			rc = send_change(&changing, &course, ret_version);
	}
	if (rc == 0 && change->release)
		rbr_etcd_lease_forget(etcd, change->if_lease);
	rbr_etcd_sealed_wipe(&changing.value);
	for (i = 0; i < RINGBEARER_RECORDS_MAX; i++)
		rbr_etcd_sealed_wipe(&changing.records[i]);
	return rc;
}
