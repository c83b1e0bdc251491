/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "txn.h"

#include <string.h>

static void
separate(struct rbr_etcd_body *body)
{
	const struct ringbearer_host *host = body->etcd->host;

	if (!body->failed && host->secret_data(body->text)[host->secret_size(body->text) - 1] != '[')
		rbr_etcd_add(body, ",");
}

void
rbr_etcd_add_compare(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name, int64_t changed)
{
	separate(body);
	rbr_etcd_add(body, "{\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":");
	rbr_etcd_add_number(body, changed);
	rbr_etcd_add(body, ",");
	rbr_etcd_add_key(body, item, name);
	rbr_etcd_add(body, "}");
}

void
rbr_etcd_add_put(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name,
	const struct rbr_etcd_sealed *sealed, int64_t lease)
{
	separate(body);
	rbr_etcd_add(body, "{\"request_put\":{");
	rbr_etcd_add_key(body, item, name);
	rbr_etcd_add(body, ",\"value\":");
	rbr_etcd_add_bytes(body, sealed->bytes, sealed->size);
	if (lease != 0) {
		rbr_etcd_add(body, ",\"lease\":");
		rbr_etcd_add_number(body, lease);
	}
	rbr_etcd_add(body, "}}");
}

/* An operation of that kind on the key NAME, or on all keys that BEGIN with it. */
static void
add_operation(
	struct rbr_etcd_body *body, const char *kind, const struct rbr_etcd_item *item, const char *name, bool begin)
{
	separate(body);
	rbr_etcd_add(body, "{\"");
	rbr_etcd_add(body, kind);
	rbr_etcd_add(body, "\":{");
	if (begin)
		rbr_etcd_add_range(body, item, name);
	else
		rbr_etcd_add_key(body, item, name);
	rbr_etcd_add(body, "}}");
}

void
rbr_etcd_add_delete(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name)
{
	add_operation(body, "request_delete_range", item, name, false);
}

void
rbr_etcd_add_delete_records(struct rbr_etcd_body *body, const struct rbr_etcd_item *item)
{
	add_operation(body, "request_delete_range", item, RBR_ETCD_RECORD, true);
}

void
rbr_etcd_add_get(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name)
{
	add_operation(body, "request_range", item, name, false);
}

void
rbr_etcd_add_get_all(struct rbr_etcd_body *body, const struct rbr_etcd_item *item)
{
	add_operation(body, "request_range", item, "", true);
}

bool
rbr_etcd_find(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_answer *answer,
	const char *name, struct rbr_etcd_pair *ret_pair, int *ret_rc)
{
	size_t i;

	*ret_rc = 0;
	for (i = 0; i < rbr_etcd_pair_count(answer); i++) {
		if (!rbr_etcd_pair_read(answer, i, ret_pair)) {
			*ret_rc = rbr_etcd_fail_malformed(etcd);
			return false;
		}
		if (strncmp(ret_pair->key, item->base, item->size) == 0 &&
			strcmp(ret_pair->key + item->size, name) == 0)
			return true;
		rbr_etcd_pair_wipe(ret_pair);
	}
	memset(ret_pair, 0, sizeof *ret_pair);
	return false;
}

int
rbr_etcd_fail_malformed(const struct rbr_etcd *etcd)
{
	return etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"etcd's answer is malformed, or memory is short; see whether `store_endpoint` is etcd's own address");
}

int
rbr_etcd_fail_unsure(const struct rbr_etcd *etcd)
{
	return etcd->host->fail(etcd->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"etcd lost its leader or went away in the middle of a change, and something else was changed meanwhile; see "
		"`ringbearer list`, and try again");
}

bool
rbr_etcd_is(const struct rbr_etcd_pair *pair, const struct rbr_etcd_sealed *sealed)
{
	return pair->value && pair->value_size == sealed->size && memcmp(pair->value, sealed->bytes, sealed->size) == 0;
}
