/* SPDX-License-Identifier: MIT */
/* An answer that is none: what etcd means by it. */
#ifndef RBR_ETCD_REFUSAL_H
#define RBR_ETCD_REFUSAL_H

#include <stddef.h>

#define RBR_ETCD_SAID_MAX 256

enum rbr_etcd_refusal {
	RBR_ETCD_AGREED, /* it is an answer */
	RBR_ETCD_LEADERLESS, /* the node knows no leader, and has done nothing */
	RBR_ETCD_HURRIED, /* too much is asked of it at the moment; it has done nothing */
	RBR_ETCD_UNSURE, /* the leader was lost on the way or the node stops: it may have been done */
	RBR_ETCD_FULL, /* its quota is used up */
	RBR_ETCD_FORBIDDEN, /* the user may not */
	RBR_ETCD_STALE, /* the token of the user is over */
	RBR_ETCD_STRANGER, /* who asks is not known: a wrong password, or no user where one is wanted */
	RBR_ETCD_OPEN, /* there are no users at all, and one was named */
	RBR_ETCD_LEASE_GONE,
	RBR_ETCD_COMPACTED, /* what was asked for is no longer there */
	RBR_ETCD_LARGE, /* too long for it */
	RBR_ETCD_REFUSED, /* anything else */
	RBR_ETCD_NO_GATEWAY, /* who answers is not etcd */
};

/* What is meant by SIZE bytes of BODY with STATUS. RET_SAID gets etcd's own words, not cleaned; "" if there are none. */
enum rbr_etcd_refusal rbr_etcd_refusal_read(
	long status, const char *body, size_t size, char ret_said[RBR_ETCD_SAID_MAX]);

#endif
