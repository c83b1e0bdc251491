/* SPDX-License-Identifier: MIT */
/* What a caller asks for: git's key=value message, or the same as options. */
#ifndef RBR_REQUEST_H
#define RBR_REQUEST_H

#include <stdbool.h>

#include "protocol/formats/formats.h"
#include "protocol/message.h"
#include "url.h"

struct rbr_request {
	struct rbr_message message; /* as it came; owns the strings below */
	const char *account; /* NULL: find it by the URL */
	bool has_url;
	struct rbr_url url;
	bool exact; /* of what is stored: the URL's path alone, also where that is "/" */
	const char *username; /* NULL: not said */
	const char *scope; /* NULL: the account's */
	int64_t min_valid; /* seconds; -1: not said */
	bool interactive; /* may a person be asked? */
	bool authtype; /* capability[]=authtype */
	bool tells_errors; /* capability[]=error */
	bool wants_basic; /* the server's challenges offer Basic and not Bearer */
	bool rejected; /* the server said that the token is invalid, or refused it without saying why */
	bool wants_login; /* the server wants more than a token can show: a stronger or a more recent login */
	const char *wanted_scope; /* from a challenge with error="insufficient_scope"; NULL: none */
	const char *refused; /* the token that was refused: one is named, and a challenge is there; NULL: not known */
	int64_t refused_ms; /* the same as git tells it: when that token was obtained (CLOCK_BOOTTIME); 0: not said */
	bool keeps_state; /* capability[]=state: the caller brings back what it is told, and comes back if it is refused */
	const struct rbr_format *format;
	const char *asked; /* the place as the caller wrote it; NULL: it named none */
	const char *version; /* of the caller's protocol; NULL: not said */
};

#define RBR_REQUEST_EMPTY ((struct rbr_request){.message = {RBR_SECRET_EMPTY, NULL, 0, 0}})

void rbr_request_wipe(struct rbr_request *request);

/* Fills REQUEST from its message. RINGBEARER_E_MALFORMED_REQUEST with a detail that names the line to change. */
int rbr_request_understand(struct rbr_request *request, struct rbr_error *error) RBR_MUST_CHECK;

/* The resources that are asked for; *CURSOR starts at 0. */
const char *rbr_request_resource(const struct rbr_request *request, size_t *cursor);

/* The token that the caller names: `credential`, else `password`; NULL if it names none. */
const char *rbr_request_named_token(const struct rbr_request *request);

#endif
