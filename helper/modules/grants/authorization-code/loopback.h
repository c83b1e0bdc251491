/* SPDX-License-Identifier: MIT */
/* The loopback listener that a browser is sent back to (RFC 8252 section 7.3). */
#ifndef RBR_LOOPBACK_H
#define RBR_LOOPBACK_H

#include "modules/oauth/oauth.h"

#define RBR_REDIRECT_MAX 512 /* bytes of a redirect URI, with its NUL */
#define RBR_CALLBACK_MAX 8192 /* bytes of a request's head */

struct rbr_loopback {
	int sockets[2]; /* IPv4 and IPv6; -1 where there is none */
	char redirect_uri[RBR_REDIRECT_MAX]; /* as it goes into the requests */
	char path[RBR_REDIRECT_MAX];
	char host[RBR_REDIRECT_MAX]; /* what the Host header must say */
};

#define RBR_LOOPBACK_CLOSED ((struct rbr_loopback){.sockets = {-1, -1}})

/* What came back, decoded; NULL where a parameter is missing. The strings lie in `text`. */
struct rbr_callback {
	char text[RBR_CALLBACK_MAX];
	const char *code;
	const char *state;
	const char *iss;
	const char *error;
	const char *error_description;
};

/*
 * Opens the listener for REGISTERED (the account's redirect_uri: http, a loopback literal or `localhost`, any port where it
 * names none), or for any port and /callback if it is NULL. The sockets stay open until rbr_loopback_close(): no port is
 * found, let go and taken again. RINGBEARER_E_CONFIG (not a loopback address), RINGBEARER_E_SYSTEM (the port is taken).
 */
int rbr_loopback_open(const struct rbr_oauth *oauth, const char *registered, struct rbr_loopback *ret_loopback)
	__attribute__((warn_unused_result));

/*
 * Waits until a browser comes back with STATE, and sends it on to a page without the code in its address. Anything else
 * (another path, host, method or state, a parameter twice) is refused and the wait goes on, so that no page on this machine
 * can end a login. RINGBEARER_E_LOGIN_REQUIRED when MILLISECONDS are over.
 */
int rbr_loopback_wait(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, const char *state,
	int64_t milliseconds, struct rbr_callback *ret_callback) __attribute__((warn_unused_result));

/* Shows the browser that was sent on how the login ended: TITLE and TEXT, plain. Waits a few seconds for it at most. */
void rbr_loopback_finish(
	const struct rbr_oauth *oauth, struct rbr_loopback *loopback, bool good, const char *title, const char *text);

void rbr_loopback_close(struct rbr_loopback *loopback);

/* Reads a query string (without its question mark). False if a parameter stands there twice, an escape is broken or
 * it is too long. */
bool rbr_callback_parse(const char *query, size_t size, struct rbr_callback *ret_callback);

#endif
