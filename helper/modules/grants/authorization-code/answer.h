/* SPDX-License-Identifier: MIT */
/* What the service's answer to an authorization request means. */
#ifndef RBR_ANSWER_H
#define RBR_ANSWER_H

#include "callback.h"
#include "modules/oauth/oauth.h"

/*
 * Did the service that was asked send CALLBACK, and a code with it? Where it comes from is looked at before anything else in it
 * is believed or shown; of one that comes from elsewhere nothing is left. RINGBEARER_E_ACCESS_DENIED,
 * RINGBEARER_E_TEMPORARILY_UNAVAILABLE, RINGBEARER_E_CONFIG, RINGBEARER_E_MALFORMED_RESPONSE.
 */
int rbr_answer_check(const struct rbr_oauth *oauth, struct rbr_callback *callback) __attribute__((warn_unused_result));

/* Is URL at the same scheme, host and port as PLACE? Both in URL characters, without a user name. */
bool rbr_answer_same_origin(const char *url, const char *place);

#endif
