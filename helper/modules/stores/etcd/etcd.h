/* SPDX-License-Identifier: MIT */
/*
 * What all of the store `etcd` works with. The way down: etcd.c (the operations of any store) and journal.c (those that machines
 * share a login by), item.c (keys and sealed values), gateway.c (an answer from one of the endpoints), http.c (one request).
 * body.c writes etcd's JSON, answer.c and refusal.c read it.
 */
#ifndef RBR_ETCD_H
#define RBR_ETCD_H

#include "protocol/module.h"

#define RBR_ETCD_ENDPOINTS_MAX 16
#define RBR_ETCD_PREFIX_MAX 256 /* bytes, with the NUL */
#define RBR_ETCD_PREFIX "/ringbearer/" /* where `store_prefix` is not set */

/* An operation at work. */
struct rbr_etcd {
	const struct ringbearer_host *host;
	struct ringbearer_call *call;
	const char *endpoints[RBR_ETCD_ENDPOINTS_MAX];
	size_t endpoint_count;
	char prefix[RBR_ETCD_PREFIX_MAX]; /* ends with a slash */
};

/* Begins an operation: reads where etcd is. RINGBEARER_E_CONFIG if that is not said well. */
int rbr_etcd_begin(struct rbr_etcd *etcd, const struct ringbearer_host *host, struct ringbearer_call *call)
	__attribute__((warn_unused_result));

/* Says that memory is short. */
int rbr_etcd_no_memory(const struct rbr_etcd *etcd);

/* CLOCK_BOOTTIME */
int64_t rbr_etcd_now_ms(void);

#endif
