/* SPDX-License-Identifier: MIT */
/*
 * URLs as accounts and callers name them, made comparable as RFC 3986 section 6.2.2 says: scheme and host in lower
 * case, a final dot of the host and the default port left out, unreserved characters not escaped, dot segments removed. The query and the fragment
 * are dropped: an account answers for a place, not for a question.
 */
#ifndef RBR_URL_H
#define RBR_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/error.h"

#define RBR_URL_MAX 4096 /* bytes of a URL with its NUL */

struct rbr_url {
	char scheme[16];
	/* An IPv6 address has its brackets. "" only where the scheme is neither http nor https. May be Unicode, and what is in no
	 * host that a network knows stays escaped: people and git have such ones, and want to have them kept. */
	char host[256];
	unsigned
		port; /* the scheme's default if none was given; 0 where the scheme has no default that is known here */
	char path[RBR_URL_MAX]; /* begins with a slash */
	char username[256]; /* "" if it has none */
};

/* Takes TEXT apart. RINGBEARER_E_CONFIG with a detail that begins with WHAT. */
int rbr_url_parse(struct rbr_url *ret_url, const char *text, const char *what, struct rbr_error *error) RBR_MUST_CHECK;

/* The port that SCHEME has where none is said; 0 where it has none that is known here. */
unsigned rbr_url_default_port(const char *scheme);

/* "scheme://host:port": what two URLs must share to reach the same server. */
void rbr_url_origin(const struct rbr_url *url, char *origin, size_t size);

bool rbr_url_same_origin(const struct rbr_url *a, const struct rbr_url *b);

/* How many characters of PATH the path PREFIX covers, by whole segments; -1 if it does not cover it. */
long rbr_url_path_covers(const char *prefix, const char *path);

/* How many characters of URL's path PREFIX covers, by whole segments, if scheme, host and port are the same; -1 if
 * it does not cover it. "https://h/a/" and "https://h/a" cover "/a" and "/a/b", not "/ab". */
long rbr_url_covers(const struct rbr_url *prefix, const struct rbr_url *url);

/* May secrets be sent there? https, or http to a loopback literal (RFC 8252 section 7.3). */
bool rbr_url_is_safe(const struct rbr_url *url);

#endif
