/* SPDX-License-Identifier: MIT */
/*
 * What may stand in a URL. All that comes from elsewhere and goes to a browser, into a header or before a person passes here:
 * blanks, quotes, backslashes and controls mean something to shells, headers and terminals, and nothing in a URL. In a header,
 * since modules use it as well.
 */
#ifndef RBR_URL_CHARACTERS_H
#define RBR_URL_CHARACTERS_H

#include <stdbool.h>
#include <string.h>

/* RFC 3986 section 2: unreserved and reserved characters, and the percent sign of an escape. */
#define RBR_URL_CHARACTERS                                                                    \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" /* unreserved */ \
	":/?#[]@!$&'()*+,;=%"

/* Has TEXT nothing but these, and anything at all? */
static inline bool
rbr_has_url_characters(const char *text)
{
	return *text != '\0' && text[strspn(text, RBR_URL_CHARACTERS)] == '\0';
}

#endif
