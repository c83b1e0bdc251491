/* SPDX-License-Identifier: MIT */
/* What a token endpoint's refusal means (RFC 6749 section 5.2, and what servers really send). */
#ifndef RBR_TOKEN_REFUSAL_H
#define RBR_TOKEN_REFUSAL_H

#include <json-c/json.h>

#include "http.h"

/* Says why there are no tokens in ANSWER. OBJECT is the JSON of it, or NULL. Returns a code of enum ringbearer_error. */
int rbr_token_refusal(const struct rbr_oauth *oauth, const struct rbr_http_answer *answer, struct json_object *object)
	__attribute__((warn_unused_result));

#endif
