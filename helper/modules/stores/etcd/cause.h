/* SPDX-License-Identifier: MIT */
/* Why an endpoint gives no answer, and what somebody can do about it. */
#ifndef RBR_ETCD_CAUSE_H
#define RBR_ETCD_CAUSE_H

/* Of several endpoints the last in this order says most. */
enum rbr_etcd_cause {
	RBR_ETCD_UNREACHED,
	RBR_ETCD_CLOSED, /* the connection, by the other side, before anything came */
	RBR_ETCD_PLAIN, /* the same, and we spoke no TLS */
	RBR_ETCD_NO_TLS, /* none came about */
	RBR_ETCD_NOT_ETCD,
	RBR_ETCD_DISBELIEF, /* one side does not believe the other's certificate */
	RBR_ETCD_OWN_FILES, /* what `store_ca_file` and its like name is of no use */
	RBR_ETCD_NO_LEADER, /* it answers, and may know a leader again */
	RBR_ETCD_REFUSAL, /* it has said what it does not like */
};

/* What it means: "etcd was not reached". */
const char *rbr_etcd_cause_text(enum rbr_etcd_cause cause);

/* "start it, or mend `store_endpoint`" */
const char *rbr_etcd_cause_mend(enum rbr_etcd_cause cause);

#endif
