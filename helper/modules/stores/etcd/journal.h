/* SPDX-License-Identifier: MIT */
/*
 * The shared journal (module.h). Requests that each operation costs where nothing goes wrong:
 *
 *     view       1   a range over the item
 *     acquire    1   one transaction, and with it a lease of etcd's
 *     keep       2   etcd's lease renewed, and a look whether the key is still ours
 *     store_if   1   one transaction, and with it a lease of etcd's where there are records that go by themselves
 *     wait       1   a watch, on a connection of its own, for all of the time
 *
 * A lease goes right before the transaction that needs it, on the same connection, which takes several requests at a time (HTTP/2, so
 * with TLS only). Where it does not, or where the transaction came first all the same, it is asked for by itself: one more.
 *
 * The number of a lease is the revision that wrote its key, so that one that was taken away has another number.
 */
#ifndef RBR_ETCD_JOURNAL_H
#define RBR_ETCD_JOURNAL_H

#include "etcd.h"

int rbr_etcd_view(struct rbr_etcd *etcd, const struct ringbearer_item *item, struct ringbearer_view *ret_view);
int rbr_etcd_acquire(struct rbr_etcd *etcd, const struct ringbearer_item *item, const char *holder, int64_t seconds,
	int64_t displaces, const char *const *unless, struct ringbearer_view *ret_view);
int rbr_etcd_keep(struct rbr_etcd *etcd, const struct ringbearer_item *item, int64_t lease);
int rbr_etcd_store_if(struct rbr_etcd *etcd, const struct ringbearer_item *item, const struct ringbearer_change *change,
	int64_t *ret_version);
int rbr_etcd_wait(struct rbr_etcd *etcd, const struct ringbearer_item *item, int64_t revision, int64_t milliseconds);

#endif
