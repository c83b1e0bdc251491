/* SPDX-License-Identifier: MIT */
/* Challenges: what a server says in WWW-Authenticate (RFC 9110 section 11.6.1, RFC 6750 section 3), passed on by a caller. A
 * text may hold several schemes. */
#ifndef RBR_CHALLENGE_H
#define RBR_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

/* The value of parameter NAME of the scheme Bearer (RFC 6750 section 3), into VALUE. False if CHALLENGE has none, or one
 * that is longer than SIZE. */
bool rbr_challenge_parameter(const char *challenge, const char *name, char *value, size_t size);

/* Does CHALLENGE offer SCHEME? Bytes of a stranger: fuzz-request. */
bool rbr_challenge_has(const char *challenge, const char *scheme);

#endif
