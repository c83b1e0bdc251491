/* SPDX-License-Identifier: MIT */
/*
 * Secrets in etcd (version 3, by its JSON gateway), for machines that share a login: `store = etcd`. etcd, its disks and its
 * backups get to see nothing but sealed values; item.h says what stands where.
 *
 * What may have been done although no answer came (the leader was lost, a connection broke) is never just sent again: a change has
 * conditions that it makes untrue itself, and what it has written is known by its bytes, since no two sealings are alike.
 */
#include "config.h"

#include "etcd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "brought.h"
#include "describe.h"
#include "journal.h"
#include "protocol/writer.h"
#include "txn.h"

#define SECRET_MAX 131072 /* bytes */
#define TRIES 64 /* of a change that others come in between of */

static const struct ringbearer_host *host;

int64_t
rbr_etcd_now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
rbr_etcd_no_memory(const struct rbr_etcd *etcd)
{
	return etcd->host->fail(etcd->call, RINGBEARER_E_SYSTEM, "out of memory");
}

int
rbr_etcd_begin(struct rbr_etcd *etcd, const struct ringbearer_host *given_host, struct ringbearer_call *call)
{
	const char *prefix = given_host->config(call, "store_prefix", 0), *endpoint;
	struct rbr_writer writer = rbr_writer_start(etcd->prefix, sizeof etcd->prefix);

	etcd->host = given_host;
	etcd->call = call;
	etcd->endpoint_count = 0;
	while ((endpoint = given_host->config(call, "store_endpoint", etcd->endpoint_count))) {
		if (etcd->endpoint_count == RBR_ETCD_ENDPOINTS_MAX)
			return given_host->fail(call, RINGBEARER_E_CONFIG,
				"there are more than %d `store_endpoint`; take some away", RBR_ETCD_ENDPOINTS_MAX);
		if (strchr(endpoint, '?'))
			return given_host->fail(
				call, RINGBEARER_E_CONFIG, "`store_endpoint` must not have a query; mend the account");
		etcd->endpoints[etcd->endpoint_count++] = endpoint;
	}
	if (etcd->endpoint_count == 0)
		return given_host->fail(call, RINGBEARER_E_CONFIG,
			"`store_endpoint` is not set; add store_endpoint = https://HOST:2379 for each node of etcd");
	rbr_write_text(&writer, prefix ? prefix : RBR_ETCD_PREFIX);
	if (writer.used == 0 || etcd->prefix[writer.used - 1] != '/')
		rbr_write_char(&writer, '/');
	if (!rbr_writer_fits(&writer))
		return given_host->fail(call, RINGBEARER_E_CONFIG,
			"`store_prefix` is longer than %d bytes; choose a shorter one", RBR_ETCD_PREFIX_MAX - 2);
	return 0;
}

/* -- values -- */

/* The value's key as it is: nothing, or a pair. */
static int
fetch(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, struct rbr_etcd_pair *ret_pair)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	const struct rbr_etcd_request request = {"/v3/kv/range", &body, RBR_ETCD_AGAIN, NULL};
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	int rc;

	rbr_etcd_add(&body, "{");
	rbr_etcd_add_key(&body, item, RBR_ETCD_VALUE);
	rbr_etcd_add(&body, "}");
	rc = rbr_etcd_ask(etcd, &request, &course, &answer);
	if (rc == 0)
		(void)rbr_etcd_find(etcd, item, &answer, RBR_ETCD_VALUE, ret_pair, &rc);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *what, struct ringbearer_secret **ret_value)
{
	struct rbr_etcd_pair pair = {0};
	struct rbr_etcd_item item;
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	if (rc == 0)
		rc = rbr_etcd_item_start(&etcd, what, &item);
	if (rc == 0 && !rbr_etcd_brought_find(&etcd, &item, &pair))
		rc = fetch(&etcd, &item, &pair);
	if (rc == 0)
		rc = pair.changed == 0
			? RINGBEARER_E_NO_SECRET
			: rbr_etcd_open(&etcd, &item, RBR_ETCD_VALUE, pair.value, pair.value_size, ret_value);
	rbr_etcd_pair_wipe(&pair);
	return rc;
}

/* Puts SEALED in the place of what was SEEN, or takes that away if it is NULL, and the records with it. PAIR is what is there
 * afterwards if it is not what was seen; *RET_UNSURE, as of a request. */
static int
replace(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_sealed *sealed,
	int64_t seen, struct rbr_etcd_pair *ret_pair, bool *ret_done, bool *ret_unsure)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	const struct rbr_etcd_request request = {"/v3/kv/txn", &body, RBR_ETCD_AGAIN_MARKED, NULL};
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	int rc;

	rbr_etcd_add(&body, "{\"compare\":[");
	rbr_etcd_add_compare(&body, item, RBR_ETCD_VALUE, seen);
	rbr_etcd_add(&body, "],\"success\":[");
	if (sealed)
		rbr_etcd_add_put(&body, item, RBR_ETCD_VALUE, sealed, 0);
	else
		rbr_etcd_add_delete(&body, item, RBR_ETCD_VALUE);
	rbr_etcd_add_delete_records(&body, item);
	rbr_etcd_add(&body, "],\"failure\":[");
	rbr_etcd_add_get(&body, item, RBR_ETCD_VALUE);
	rbr_etcd_add(&body, "]}");
	rc = rbr_etcd_ask(etcd, &request, &course, &answer);
	*ret_done = rc == 0 && answer.succeeded;
	*ret_unsure = course.unsure;
	if (rc == 0 && !answer.succeeded)
		(void)rbr_etcd_find(etcd, item, &answer, RBR_ETCD_VALUE, ret_pair, &rc);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

/* The same until it is done: others may change it meanwhile, and the last one is right. */
static int
replace_whatever(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_sealed *sealed)
{
	struct rbr_etcd_pair pair = {0};
	bool done = false, unsure = false;
	int tries, rc = fetch(etcd, item, &pair);

	rbr_etcd_brought_forget(etcd);

	for (tries = 0; rc == 0 && !done && tries < TRIES; tries++) {
		int64_t seen = pair.changed;

		if (sealed && seen != 0)
			rc = rbr_etcd_spare(etcd, item, pair.value, pair.value_size);
		rbr_etcd_pair_wipe(&pair);
		if (rc == 0)
			rc = replace(etcd, item, sealed, seen, &pair, &done, &unsure);
		if (rc < 0 || done)
			break;
		done = sealed ? rbr_etcd_is(&pair, sealed) : pair.changed == 0;
		/* Perhaps it was done, and somebody has built on it since: that must not be undone. */
		if (!done && unsure)
			rc = rbr_etcd_fail_unsure(etcd);
	}
	rbr_etcd_pair_wipe(&pair);
	if (rc == 0 && !done)
		rc = etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"others change this secret all the time; find out who, and try again");
	return rc;
}

static int
store(struct ringbearer_call *call, const struct ringbearer_item *what, const struct ringbearer_secret *value)
{
	struct rbr_etcd_sealed sealed = {NULL, 0};
	struct rbr_etcd_item item;
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	if (rc == 0 && host->secret_size(value) > SECRET_MAX)
		rc = host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "the secret is longer than %d bytes", SECRET_MAX);
	if (rc == 0)
		rc = rbr_etcd_item_start(&etcd, what, &item);
	if (rc == 0)
		rc = rbr_etcd_seal(
			&etcd, &item, RBR_ETCD_VALUE, host->secret_data(value), host->secret_size(value), &sealed);
	if (rc == 0)
		rc = replace_whatever(&etcd, &item, &sealed);
	rbr_etcd_sealed_wipe(&sealed);
	return rc;
}

static int
erase(struct ringbearer_call *call, const struct ringbearer_item *what)
{
	struct rbr_etcd_item item;
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	if (rc == 0)
		rc = rbr_etcd_item_start(&etcd, what, &item);
	return rc < 0 ? rc : replace_whatever(&etcd, &item, NULL);
}

static int
visit_all(const struct rbr_etcd *etcd, const struct rbr_etcd_answer *answer, const char *account,
	ringbearer_item_visitor visit, void *data)
{
	struct ringbearer_item item;
	struct rbr_etcd_pair pair;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < rbr_etcd_pair_count(answer); i++) {
		if (!rbr_etcd_pair_read(answer, i, &pair))
			return rbr_etcd_fail_malformed(etcd);
		/* A key that is none of ours is somebody else's business. */
		if (rbr_etcd_item_unpack(etcd, pair.key, &item) && (!account || strcmp(item.account, account) == 0))
			rc = visit(&item, data);
		rbr_etcd_pair_wipe(&pair);
	}
	return rc;
}

static int
list(struct ringbearer_call *call, const char *account, ringbearer_item_visitor visit, void *data)
{
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	char key[RBR_ETCD_KEY_MAX];
	struct rbr_etcd_body body;
	struct rbr_etcd_request request = {"/v3/kv/range", &body, RBR_ETCD_AGAIN, NULL};
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	if (rc == 0)
		rc = rbr_etcd_account_key(&etcd, account, key);
	if (rc < 0)
		return rc;
	body = rbr_etcd_body_start(&etcd);
	rbr_etcd_add(&body, "{\"keys_only\":true,\"sort_order\":\"DESCEND\",\"sort_target\":\"MOD\",");
	rbr_etcd_add_prefix(&body, key);
	rbr_etcd_add(&body, "}");
	rc = rbr_etcd_ask(&etcd, &request, &course, &answer);
	if (rc == 0)
		rc = visit_all(&etcd, &answer, account, visit, data);
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

static void
expect(struct ringbearer_call *call, const struct ringbearer_item *items, size_t count)
{
	struct rbr_etcd etcd;

	if (rbr_etcd_begin(&etcd, host, call) == 0)
		rbr_etcd_brought_expect(&etcd, items, count);
}

/* -- the shared journal -- */

static int
view(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_view *ret_view)
{
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	return rc < 0 ? rc : rbr_etcd_view(&etcd, item, ret_view);
}

static int
acquire(struct ringbearer_call *call, const struct ringbearer_item *item, const char *holder, int64_t seconds,
	int64_t displaces, const char *const *unless, struct ringbearer_view *ret_view)
{
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	return rc < 0 ? rc : rbr_etcd_acquire(&etcd, item, holder, seconds, displaces, unless, ret_view);
}

static int
keep(struct ringbearer_call *call, const struct ringbearer_item *item, int64_t lease)
{
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	return rc < 0 ? rc : rbr_etcd_keep(&etcd, item, lease);
}

static int
store_if(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_change *change,
	int64_t *ret_version)
{
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	return rc < 0 ? rc : rbr_etcd_store_if(&etcd, item, change, ret_version);
}

static int
wait_for_change(
	struct ringbearer_call *call, const struct ringbearer_item *item, int64_t revision, int64_t milliseconds)
{
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	return rc < 0 ? rc : rbr_etcd_wait(&etcd, item, revision, milliseconds);
}

static int
describe(struct ringbearer_call *call, ringbearer_store_teller tell, void *data)
{
	struct rbr_etcd etcd;
	int rc = rbr_etcd_begin(&etcd, host, call);

	return rc < 0 ? rc : rbr_etcd_describe(&etcd, tell, data);
}

static const struct ringbearer_store operations = {
	.size = sizeof operations,
	.lookup = lookup,
	.store = store,
	.erase = erase,
	.list = list,
	.expect = expect,
	.view = view,
	.acquire = acquire,
	.keep = keep,
	.store_if = store_if,
	.wait = wait_for_change,
	.describe = describe,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "store-etcd",
	.family = "store",
	.operations = &operations,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
