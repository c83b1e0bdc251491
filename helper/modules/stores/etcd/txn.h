/* SPDX-License-Identifier: MIT */
/*
 * The pieces of a transaction: `{"compare":[…],"success":[…],"failure":[…]}`. Each puts a comma before itself where one belongs.
 * A key may be changed once in a transaction.
 */
#ifndef RBR_ETCD_TXN_H
#define RBR_ETCD_TXN_H

#include "gateway.h"
#include "item.h"

/* Only if the revision that wrote the key NAME is CHANGED; 0: if there is no such key. */
void rbr_etcd_add_compare(
	struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name, int64_t changed);

/* LEASE: etcd's, 0 for none. */
void rbr_etcd_add_put(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name,
	const struct rbr_etcd_sealed *sealed, int64_t lease);
void rbr_etcd_add_delete(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name);
void rbr_etcd_add_delete_records(struct rbr_etcd_body *body, const struct rbr_etcd_item *item);
void rbr_etcd_add_get(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name);
/* All that the item has. */
void rbr_etcd_add_get_all(struct rbr_etcd_body *body, const struct rbr_etcd_item *item);

/* Looks for the key NAME of the item among what was found. False if it is not there; *RET_PAIR is empty then. RET_RC gets
 * RINGBEARER_E_STORE_UNAVAILABLE if something is malformed, else 0. */
bool rbr_etcd_find(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const struct rbr_etcd_answer *answer,
	const char *name, struct rbr_etcd_pair *ret_pair, int *ret_rc);

/* Says that an answer is malformed. */
int rbr_etcd_fail_malformed(const struct rbr_etcd *etcd);

/* Says that it is not known what became of a change. */
int rbr_etcd_fail_unsure(const struct rbr_etcd *etcd);

/* Is what PAIR holds to the byte what was sealed? No two sealings are alike. */
bool rbr_etcd_is(const struct rbr_etcd_pair *pair, const struct rbr_etcd_sealed *sealed);

#endif
