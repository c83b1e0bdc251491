/* SPDX-License-Identifier: MIT */
/* etcd's leases: what is put with one goes when its seconds are over. */
#ifndef RBR_ETCD_LEASE_H
#define RBR_ETCD_LEASE_H

#include "body.h"
#include "etcd.h"

#define RBR_ETCD_HOLDER_MAX 512 /* bytes */

/* A lease that lasts SECONDS from now on at least: one that was got before and not used, or a new one. */
int rbr_etcd_lease_get(const struct rbr_etcd *etcd, int64_t seconds, int64_t *ret_id)
	__attribute__((warn_unused_result));

/* One for SECONDS that is asked for together with the transaction that needs it, and has a number of our own making: RET_BODY is the
 * request for it. False if that cannot be done on the connection as it is. Asked for twice, it is there once; and what was put
 * with it shows that it was there. */
bool rbr_etcd_lease_plan(const struct rbr_etcd *etcd, int64_t seconds, struct rbr_etcd_body *ret_body, int64_t *ret_id);

/* It was not needed: the next who wants one for SECONDS gets it. */
void rbr_etcd_lease_put_back(const struct rbr_etcd *etcd, int64_t id, int64_t seconds);

/* The key that is called NUMBER in the journal is held by it; and 0 for one that is not known here. */
void rbr_etcd_lease_note(const struct rbr_etcd *etcd, int64_t id, int64_t seconds, int64_t number);
int64_t rbr_etcd_lease_of(const struct rbr_etcd *etcd, int64_t number);
void rbr_etcd_lease_forget(const struct rbr_etcd *etcd, int64_t number);

/* Has it last its seconds again. RINGBEARER_E_BUSY if it has ended. */
int rbr_etcd_lease_keep(const struct rbr_etcd *etcd, int64_t id) __attribute__((warn_unused_result));

#endif
