/* SPDX-License-Identifier: MIT */
/* The loopback listener that a browser sets out from and is sent back to (RFC 8252 section 7.3). */
#ifndef RBR_LOOPBACK_H
#define RBR_LOOPBACK_H

#include "callback.h"
#include "modules/oauth/oauth.h"

#define RBR_CALLBACK_PATH "/callback" /* before an account's name */
#define RBR_REDIRECT_MAX 512 /* bytes of a redirect URI, with its NUL */

struct rbr_loopback {
	int sockets[2]; /* IPv4 and IPv6; -1 where there is none */
	char redirect_uri[RBR_REDIRECT_MAX]; /* as it goes into the requests */
	char path[RBR_REDIRECT_MAX];
	char host[RBR_REDIRECT_MAX]; /* what the Host header must say */
	char start[RBR_REDIRECT_MAX]; /* the address to set out from; "" if there is none */
	const char *start_path; /* in it */
	const char *destination; /* where it leads */
	bool of_account; /* the path is this account's, and others have theirs */
	bool guarded; /* a browser was given `start`, and only who came by it may come back */
	bool started; /* somebody has come by it */
	bool warned; /* of somebody else */
};

#define RBR_LOOPBACK_CLOSED ((struct rbr_loopback){.sockets = {-1, -1}})

/*
 * Opens the listener for REGISTERED (the account's redirect_uri: http, a loopback literal or `localhost`, any port where it
 * names none), or, if it is NULL, for any port and the path /callback/ACCOUNT, so that no two accounts share an address
 * (RFC 9700 section 4.4.2.2). The sockets stay open until rbr_loopback_close(): no port is found, let go and taken again.
 * RINGBEARER_E_CONFIG (not a loopback address), RINGBEARER_E_SYSTEM (the port is taken).
 */
int rbr_loopback_open(const struct rbr_oauth *oauth, const char *registered, struct rbr_loopback *ret_loopback)
	__attribute__((warn_unused_result));

/*
 * Makes `start`, an address that is good once and leads to DESTINATION (kept by the caller). It is what a browser's command
 * line shows to every user of the machine, in the place of a request whose state is nobody else's business.
 * RINGBEARER_E_SYSTEM.
 */
int rbr_loopback_lead(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, const char *destination)
	__attribute__((warn_unused_result));

/* Waits until somebody has come by `start`; false when MILLISECONDS are over. */
bool rbr_loopback_wait_start(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, int64_t milliseconds);

/*
 * Waits until a browser comes back with STATE, and sends it on to a page without the code in its address. Anything else
 * (another path, host, method or state, a parameter twice; while it is guarded, another user, and whoever comes back before
 * anybody has set out) is refused and the wait goes on, so that no page on this machine can end a login. Only who has the right
 * STATE and brings it to the path of another account ends it: RINGBEARER_E_ACCESS_DENIED. RINGBEARER_E_LOGIN_REQUIRED when MILLISECONDS
 * are over.
 */
int rbr_loopback_wait(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, const char *state,
	int64_t milliseconds, struct rbr_callback *ret_callback) __attribute__((warn_unused_result));

/* Shows the browser that was sent on how the login ended: TITLE and TEXT, plain. Waits a few seconds for it at most. */
void rbr_loopback_finish(
	const struct rbr_oauth *oauth, struct rbr_loopback *loopback, bool good, const char *title, const char *text);

void rbr_loopback_close(struct rbr_loopback *loopback);

#endif
