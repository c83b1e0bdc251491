/* SPDX-License-Identifier: MIT */
/* The query of an authorization response (RFC 6749 section 4.1.2, RFC 9207 section 2). */
#ifndef RBR_CALLBACK_H
#define RBR_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>

#define RBR_CALLBACK_MAX 8192 /* bytes of all that it says */

/* What came back, decoded; NULL where a parameter is missing. The strings lie in `text`. */
struct rbr_callback {
	char text[RBR_CALLBACK_MAX];
	const char *code;
	const char *state;
	const char *iss;
	const char *error;
	const char *error_description;
};

/* Reads a query string (without its question mark). False if a parameter stands there twice, an escape is broken or
 * what it says is too long. */
bool rbr_callback_parse(const char *query, size_t size, struct rbr_callback *ret_callback);

#endif
