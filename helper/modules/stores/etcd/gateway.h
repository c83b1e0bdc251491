/* SPDX-License-Identifier: MIT */
/*
 * An answer, from whichever endpoint gives one.
 *
 * All endpoints are tried, the one that answered last first. One that refuses the connection costs nothing; one that is silent
 * costs half a second in the first round, and more in those that follow. A node without a leader is asked again until it has one,
 * for as long as an election takes. What may have been done already is sent again only where the caller can tell from the answer
 * whether it was.
 */
#ifndef RBR_ETCD_GATEWAY_H
#define RBR_ETCD_GATEWAY_H

#include "answer.h"
#include "body.h"
#include "etcd.h"
#include "http.h"
#include "refusal.h"

/* May a request be sent again when it may have been done? */
enum rbr_etcd_again {
	RBR_ETCD_AGAIN, /* twice is like once */
	RBR_ETCD_AGAIN_MARKED, /* yes, and the caller looks at `unsure` */
	RBR_ETCD_ONCE, /* no */
};

struct rbr_etcd_request {
	const char *path; /* "/v3/kv/txn" */
	const struct rbr_etcd_body *body;
	enum rbr_etcd_again again;
	const struct rbr_etcd_body *grant; /* a lease that it needs and that is asked for right before; or NULL */
};

/* How a request went, beside its answer. */
struct rbr_etcd_course {
	bool unsure; /* it, or one like it before, may have been done without our knowing */
	enum rbr_etcd_refusal refusal; /* why there is no answer, where etcd has said so */
};

/* Makes REQUEST. 0 and an answer, or RINGBEARER_E_STORE_UNAVAILABLE, RINGBEARER_E_CONFIG, …, with the reason recorded; of
 * RBR_ETCD_LEASE_GONE and RBR_ETCD_COMPACTED, too. RET_COURSE is set in any case, and `unsure` never taken back. */
int rbr_etcd_ask(const struct rbr_etcd *etcd, const struct rbr_etcd_request *request, struct rbr_etcd_course *course,
	struct rbr_etcd_answer *ret_answer) __attribute__((warn_unused_result));

/* Why an endpoint has given no answer. */
struct rbr_etcd_trouble {
	enum rbr_etcd_cause cause;
	char why[RBR_ETCD_WHY_MAX]; /* for people */
};

/* Asks one endpoint, by its number, within WHOLE_MS. False, and *RET_TROUBLE, if it fails. */
bool rbr_etcd_ask_one(const struct rbr_etcd *etcd, size_t endpoint, const struct rbr_etcd_request *request,
	int64_t whole_ms, struct rbr_etcd_answer *ret_answer, struct rbr_etcd_trouble *ret_trouble);

/* Watches: sends BODY to /v3/watch and reads what comes until there is news or MILLISECONDS have passed. */
int rbr_etcd_watch(const struct rbr_etcd *etcd, const struct rbr_etcd_body *body, int64_t milliseconds)
	__attribute__((warn_unused_result));

#endif
