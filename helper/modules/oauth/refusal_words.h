/* SPDX-License-Identifier: MIT */
/* A server's own words about why there are no tokens, wherever it has put them. */
#ifndef RBR_REFUSAL_WORDS_H
#define RBR_REFUSAL_WORDS_H

#include <json-c/json.h>
#include <stdbool.h>

#include "oauth.h"

/* Room for a server's text that rbr_clean_text() has cut. */
#define RBR_CLEAN_TEXT_MAX 480

/* The server's TEXT (NULL: none) without the secrets it may repeat, and with everything gone that RFC 6749 section 5.2 does not
 * allow. What is too long loses its middle: the reason stands at the end as often as at the beginning. */
void rbr_clean_text(const struct rbr_oauth *oauth, const char *text, char ret_text[RBR_CLEAN_TEXT_MAX]);

/* Is there an `error` in OBJECT? One that is null, false, 0 or empty is none: some servers always send the member. */
bool rbr_token_has_error(struct json_object *object);

#define RBR_ERROR_NAME_SHOWN 64
#define RBR_REASON_MAX (RBR_CLEAN_TEXT_MAX + RBR_ERROR_NAME_SHOWN + 32)

/* What is known of a refusal. */
struct rbr_refusal {
	long status;
	bool has_error; /* an `error` member, and not only words */
	char error[RBR_CLEAN_TEXT_MAX]; /* "": none, or none that is a name */
	char text[RBR_CLEAN_TEXT_MAX]; /* "": none */
	char reason[RBR_REASON_MAX]; /* all of it, for people: "(invalid_client: app is off, status 401)" */
};

/* Takes the words out of OBJECT (may be NULL), which came with STATUS. Bytes of a stranger: fuzz-token-response. */
void rbr_refusal_read(
	const struct rbr_oauth *oauth, struct json_object *object, long status, struct rbr_refusal *ret_refusal);

#endif
