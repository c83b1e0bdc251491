/* SPDX-License-Identifier: MIT */
/*
 * One POST to one endpoint with libcurl: https (http to loopback literals only), no redirect, a capped answer, a bounded time. The
 * connection is kept for the next one, and a request that libcurl would send again by itself, because the connection turned out
 * dead, is stopped: who asks decides.
 */
#ifndef RBR_ETCD_HTTP_H
#define RBR_ETCD_HTTP_H

#include "cause.h"
#include "etcd.h"

#define RBR_ETCD_ANSWER_MAX (4u * 1024 * 1024 - 1) /* bytes; etcd itself takes 1.5 MiB at once */
#define RBR_ETCD_HEADERS_MAX 32768 /* bytes */
#define RBR_ETCD_WHY_MAX 320

enum rbr_etcd_outcome {
	RBR_ETCD_ANSWERED,
	RBR_ETCD_NOT_SENT, /* it has not left this machine */
	RBR_ETCD_UNKNOWN, /* it may have arrived, and been done */
};

struct rbr_etcd_limits {
	int64_t connect_ms; /* for name, connection and TLS */
	int64_t whole_ms;
};

/* What a watch does with a line of its answer, which has a NUL behind it: false ends the request. */
typedef bool (*rbr_etcd_line_taker)(const char *line, size_t size, void *data);

/* What is sent just before on the same connection, and not waited for: its answer is not looked at. */
struct rbr_etcd_ahead {
	const char *path;
	const struct ringbearer_secret *body;
};

struct rbr_etcd_post {
	const char *endpoint;
	const char *path; /* below it: "/v3/kv/txn" */
	const struct ringbearer_secret *body;
	struct rbr_etcd_ahead ahead; /* with a path of NULL: nothing; only where rbr_etcd_http_multiplexes() */
	const struct ringbearer_secret *token; /* of a user; or NULL */
	struct rbr_etcd_limits limits;
	rbr_etcd_line_taker take_line; /* of an answer that does not end, on a connection of its own; or NULL */
	void *data;
	const bool *heard; /* with take_line: not so within connect_ms, and it is over */
};

struct rbr_etcd_reply {
	enum rbr_etcd_outcome outcome;
	long status;
	struct ringbearer_secret *body; /* NULL: there was no request */
	size_t header_bytes;
	bool excess; /* the answer was too long */
	bool closed; /* the connection was, from the other side, before anything came */
	bool silent; /* no answer, and no refusal either: time was lost */
	enum rbr_etcd_cause cause; /* there is no answer: the kind of reason */
	char why[RBR_ETCD_WHY_MAX]; /* there is no answer: for people */
};

/* Does this URL say http? */
bool rbr_etcd_is_plain(const char *url);

/* Looks whether the files of certificates may be used. RINGBEARER_E_CONFIG. */
int rbr_etcd_http_check(const struct rbr_etcd *etcd) __attribute__((warn_unused_result));

/* Sends POST. 0, with how it went in *RET_REPLY; RINGBEARER_E_SYSTEM. */
int rbr_etcd_http_post(const struct rbr_etcd *etcd, const struct rbr_etcd_post *post, struct rbr_etcd_reply *ret_reply)
	__attribute__((warn_unused_result));

void rbr_etcd_reply_wipe(const struct rbr_etcd *etcd, struct rbr_etcd_reply *reply);

/* Does the connection that was used last take several requests at a time (HTTP/2)? */
bool rbr_etcd_http_multiplexes(void);

/* Closes the connections that were kept. */
void rbr_etcd_http_end(void);

#endif
