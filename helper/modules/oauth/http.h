/* SPDX-License-Identifier: MIT */
/* One POST with libcurl: https (http to loopback literals only), no redirect, a capped answer, under the call's deadline. */
#ifndef RBR_HTTP_H
#define RBR_HTTP_H

#include "headers.h"
#include "oauth.h"

#define RBR_HTTP_BODY_MAX (256u * 1024) /* bytes of an answer */
#define RBR_HTTP_RAW_MAX (8u * RBR_HTTP_BODY_MAX) /* with all that is around it: one byte in each chunk has five more */
#define RBR_HTTP_CONNECT_MS 10000 /* for name, connection and TLS */

struct rbr_http_answer {
	long status; /* 0: there was no answer */
	struct ringbearer_secret *body; /* what came of it, also if it was cut or too long */
	long retry_after; /* seconds; 0: not said */
	bool sent; /* the request may have reached the server */
	int withheld; /* other than 0: the host would not have it leave, for this reason */
	bool timed_out; /* and no whole answer came in time */
	bool refusal; /* the body's status is none of 2xx, also where it was cut: no token in it is meant */
	char location_host[RBR_HTTP_LOCATION_HOST_MAX]; /* where a redirect wanted us to go; "" if nowhere */
};

#define RBR_HTTP_ANSWER_EMPTY ((struct rbr_http_answer){.status = 0})

/* What takes its time before the first request, for who has a moment now. Each request sees to it as well. */
void rbr_http_begin(void);

/* Frees what ANSWER holds. */
void rbr_http_answer_wipe(const struct rbr_oauth *oauth, struct rbr_http_answer *answer);

/* May a request use something up? Then the host is told when it leaves, and its answer is parked. */
enum rbr_replay {
	RBR_REPLAY_SAFE, /* it uses nothing up: client credentials, revocation */
	RBR_REPLAY_UNSAFE, /* it uses up a refresh token */
	RBR_REPLAY_NEVER, /* it uses up a code: if its answer is lost, the login starts over */
};

/* Fetches URL: public data, no credentials. The rest is as with rbr_http_post(). */
int rbr_http_get(const struct rbr_oauth *oauth, const char *url, struct rbr_http_answer *ret_answer)
	__attribute__((warn_unused_result));

/* Sends BODY as a form to the account's endpoint KEY ("token_endpoint", …), if secrets may go there (host->endpoint()). AUTHORIZATION is a whole header line or NULL. 0 if there was an answer, of whatever
 * status; otherwise RINGBEARER_E_NETWORK, RINGBEARER_E_TLS, RINGBEARER_E_CONFIG, RINGBEARER_E_MALFORMED_RESPONSE (too
 * long) or RINGBEARER_E_SYSTEM. */
int rbr_http_post(const struct rbr_oauth *oauth, const char *key, const struct ringbearer_secret *body,
	const struct ringbearer_secret *authorization, enum rbr_replay replay, struct rbr_http_answer *ret_answer)
	__attribute__((warn_unused_result));

/* The head of an answer to the account's endpoint KEY, asked for without anything that is the account's. */
int rbr_http_probe(const struct rbr_oauth *oauth, const char *key, struct ringbearer_probe *ret_probe);

#endif
