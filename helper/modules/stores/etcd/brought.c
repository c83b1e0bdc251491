/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "brought.h"

#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "txn.h"

static bool
is_of(const struct rbr_etcd_brought *brought, const struct rbr_etcd_item *item)
{
	return brought->base && strcmp(brought->base, item->base) == 0;
}

static void
forget_pair(struct rbr_etcd_brought *brought)
{
	rbr_etcd_pair_wipe(&brought->pair);
	brought->known = false;
}

void
rbr_etcd_brought_expect(const struct rbr_etcd *etcd, const struct ringbearer_item *items, size_t count)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	struct rbr_etcd_item item;
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_BROUGHT_MAX; i++) {
		forget_pair(&kept->brought[i]);
		free(kept->brought[i].base);
		kept->brought[i].base = NULL;
		if (i < count && rbr_etcd_item_start(etcd, &items[i], &item) == 0)
			kept->brought[i].base = strdup(item.base);
	}
}

/* The item of BROUGHT, as far as its keys go. */
static void
make_item(const struct rbr_etcd_brought *brought, struct rbr_etcd_item *ret_item)
{
	ret_item->item = NULL;
	ret_item->size = strlen(brought->base);
	memcpy(ret_item->base, brought->base, ret_item->size + 1);
}

void
rbr_etcd_brought_ask(const struct rbr_etcd *etcd, struct rbr_etcd_body *body, const struct rbr_etcd_item *item)
{
	const struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	struct rbr_etcd_item wanted;
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_BROUGHT_MAX; i++)
		if (kept->brought[i].base && !is_of(&kept->brought[i], item)) {
			make_item(&kept->brought[i], &wanted);
			rbr_etcd_add_get(body, &wanted, RBR_ETCD_VALUE);
		}
}

void
rbr_etcd_brought_take(const struct rbr_etcd *etcd, const struct rbr_etcd_answer *answer,
	const struct rbr_etcd_item *item, size_t first)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	struct rbr_etcd_answer part;
	size_t i;
	int rc;

	for (i = 0; kept && i < RBR_ETCD_BROUGHT_MAX; i++) {
		struct rbr_etcd_brought *brought = &kept->brought[i];
		struct rbr_etcd_item wanted;

		if (!brought->base || is_of(brought, item))
			continue;
		forget_pair(brought);
		make_item(brought, &wanted);
		rc = RINGBEARER_E_STORE_UNAVAILABLE;
		if (rbr_etcd_answer_part(answer, first++, &part))
			(void)rbr_etcd_find(etcd, &wanted, &part, RBR_ETCD_VALUE, &brought->pair, &rc);
		brought->known = rc == 0;
	}
}

bool
rbr_etcd_brought_find(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, struct rbr_etcd_pair *ret_pair)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_BROUGHT_MAX; i++)
		if (kept->brought[i].known && is_of(&kept->brought[i], item)) {
			*ret_pair = kept->brought[i].pair;
			memset(&kept->brought[i].pair, 0, sizeof kept->brought[i].pair);
			kept->brought[i].known = false;
			return true;
		}
	return false;
}

void
rbr_etcd_brought_forget(const struct rbr_etcd *etcd)
{
	struct rbr_etcd_kept *kept = rbr_etcd_kept(etcd);
	size_t i;

	for (i = 0; kept && i < RBR_ETCD_BROUGHT_MAX; i++)
		forget_pair(&kept->brought[i]);
}
