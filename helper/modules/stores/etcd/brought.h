/* SPDX-License-Identifier: MIT */
/*
 * What lookups that were announced will want, brought along by the transaction that takes a lease right before them: a renewal has
 * one request less to wait for.
 */
#ifndef RBR_ETCD_BROUGHT_H
#define RBR_ETCD_BROUGHT_H

#include "answer.h"
#include "body.h"
#include "item.h"

/* These will be looked up; others will not. */
void rbr_etcd_brought_expect(const struct rbr_etcd *etcd, const struct ringbearer_item *items, size_t count);

/* Adds a read of each of them but ITEM to the transaction BODY. */
void rbr_etcd_brought_ask(const struct rbr_etcd *etcd, struct rbr_etcd_body *body, const struct rbr_etcd_item *item);

/* Takes them out of the ANSWER to that, where they are from response FIRST on. What is malformed is not taken. */
void rbr_etcd_brought_take(const struct rbr_etcd *etcd, const struct rbr_etcd_answer *answer,
	const struct rbr_etcd_item *item, size_t first);

/* What was found of ITEM, once: empty if it was not there. False: it is not known. */
bool rbr_etcd_brought_find(
	const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, struct rbr_etcd_pair *ret_pair);

/* Nothing is known any more: something is changed. */
void rbr_etcd_brought_forget(const struct rbr_etcd *etcd);

#endif
