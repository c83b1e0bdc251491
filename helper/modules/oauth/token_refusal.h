/* SPDX-License-Identifier: MIT */
/* What a token endpoint's refusal means (RFC 6749 section 5.2, and what servers really send). */
#ifndef RBR_TOKEN_REFUSAL_H
#define RBR_TOKEN_REFUSAL_H

#include <json-c/json.h>

#include "http.h"

/* Is there an `error` in OBJECT? One that is null, false, 0 or empty is none: some servers always send the member. */
bool rbr_token_has_error(struct json_object *object);

/* Says why there are no tokens in ANSWER. OBJECT is the JSON of it, or NULL. Returns a code of enum ringbearer_error. */
int rbr_token_refusal(const struct rbr_oauth *oauth, const struct rbr_http_answer *answer, struct json_object *object)
	__attribute__((warn_unused_result));

/* Room for a server's text that rbr_clean_text() has cut. */
#define RBR_CLEAN_TEXT_MAX 480

/* The server's TEXT (NULL: none) without the secrets it may repeat, and with everything gone that RFC 6749 section 5.2 does not
 * allow. What is too long loses its middle: the reason stands at the end as often as at the beginning. */
void rbr_clean_text(const struct rbr_oauth *oauth, const char *text, char ret_text[RBR_CLEAN_TEXT_MAX]);

#endif
