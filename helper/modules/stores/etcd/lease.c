/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "lease.h"

#include <sodium.h>
#include <string.h>

#include "gateway.h"
#include "http.h"
#include "kept.h"

static int
ask(const struct rbr_etcd *etcd, const char *path, const struct rbr_etcd_body *body, struct rbr_etcd_course *course,
	struct rbr_etcd_answer *ret_answer)
{
	const struct rbr_etcd_request request = {path, body, RBR_ETCD_AGAIN, NULL};

	return rbr_etcd_ask(etcd, &request, course, ret_answer);
}

int
rbr_etcd_lease_keep(const struct rbr_etcd *etcd, int64_t id)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	struct json_object *result = NULL;
	int64_t seconds = 0;
	int rc;

	rbr_etcd_add(&body, "{\"ID\":");
	rbr_etcd_add_number(&body, id);
	rbr_etcd_add(&body, "}");
	rc = ask(etcd, "/v3/lease/keepalive", &body, &course, &answer);
	if (rc == 0 &&
		(!json_object_object_get_ex(answer.object, "result", &result) ||
			!rbr_etcd_number(result, "TTL", &seconds)))
		seconds = 0;
	/* A lease that has ended is answered like any other, without a time. */
	if ((rc == 0 && seconds == 0) || (rc < 0 && course.refusal == RBR_ETCD_LEASE_GONE))
		rc = etcd->host->fail(etcd->call, RINGBEARER_E_BUSY, "the lease has ended; start over");
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

static int
grant(const struct rbr_etcd *etcd, int64_t seconds, int64_t *ret_id)
{
	struct rbr_etcd_body body = rbr_etcd_body_start(etcd);
	struct rbr_etcd_course course = {0};
	struct rbr_etcd_answer answer = {0};
	int64_t lasts = 0, id = 0;
	int rc;

	rbr_etcd_add(&body, "{\"TTL\":");
	rbr_etcd_add_number(&body, seconds);
	rbr_etcd_add(&body, "}");
	rc = ask(etcd, "/v3/lease/grant", &body, &course, &answer);
	if (rc == 0 &&
		(!rbr_etcd_number(answer.object, "ID", &id) || !rbr_etcd_number(answer.object, "TTL", &lasts) ||
			id == 0 || lasts < seconds))
		rc = etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"etcd gives no lease of %lld seconds; see its log", (long long)seconds);
	if (rc == 0)
		*ret_id = id;
	rbr_etcd_answer_wipe(&answer);
	rbr_etcd_body_wipe(&body);
	return rc;
}

int
rbr_etcd_lease_get(const struct rbr_etcd *etcd, int64_t seconds, int64_t *ret_id)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_LEASES_MAX; i++) {
		struct rbr_etcd_lease spare = kept->leases[i];
		int rc;

		if (spare.id == 0 || spare.number != 0 || spare.seconds != seconds)
			continue;
		memset(&kept->leases[i], 0, sizeof kept->leases[i]);
		rc = rbr_etcd_lease_keep(etcd, spare.id);
		if (rc == 0)
			*ret_id = spare.id;
		if (rc != RINGBEARER_E_BUSY)
			return rc;
	}
	return grant(etcd, seconds, ret_id);
}

bool
rbr_etcd_lease_plan(const struct rbr_etcd *etcd, int64_t seconds, struct rbr_etcd_body *ret_body, int64_t *ret_id)
{
	uint64_t number = 0;

	if (!rbr_etcd_http_multiplexes())
		return false;
	randombytes_buf(&number, sizeof number);
	*ret_id = (int64_t)(number >> 1 | 1);
	*ret_body = rbr_etcd_body_start(etcd);
	rbr_etcd_add(ret_body, "{\"ID\":");
	rbr_etcd_add_number(ret_body, *ret_id);
	rbr_etcd_add(ret_body, ",\"TTL\":");
	rbr_etcd_add_number(ret_body, seconds);
	rbr_etcd_add(ret_body, "}");
	return true;
}

static void
take_place(const struct rbr_etcd *etcd, const struct rbr_etcd_lease *lease)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_LEASES_MAX; i++)
		if (kept->leases[i].id == 0 || i + 1 == RBR_ETCD_LEASES_MAX) {
			kept->leases[i] = *lease;
			return;
		}
}

void
rbr_etcd_lease_put_back(const struct rbr_etcd *etcd, int64_t id, int64_t seconds)
{
	take_place(etcd, &(const struct rbr_etcd_lease){.id = id, .seconds = seconds});
}

void
rbr_etcd_lease_note(const struct rbr_etcd *etcd, int64_t id, int64_t seconds, int64_t number)
{
	take_place(etcd, &(const struct rbr_etcd_lease){.number = number, .id = id, .seconds = seconds});
}

int64_t
rbr_etcd_lease_of(const struct rbr_etcd *etcd, int64_t number)
{
	const struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_LEASES_MAX; i++)
		if (kept->leases[i].number == number)
			return kept->leases[i].id;
	return 0;
}

void
rbr_etcd_lease_forget(const struct rbr_etcd *etcd, int64_t number)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_LEASES_MAX; i++)
		if (kept->leases[i].number == number)
			memset(&kept->leases[i], 0, sizeof kept->leases[i]);
}
