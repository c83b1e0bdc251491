/* SPDX-License-Identifier: MIT */
/* Why a request brought no answer, in words. */
#ifndef RBR_HTTP_FAILURE_H
#define RBR_HTTP_FAILURE_H

#include <curl/curl.h>

#include "http.h"

/* What there was too much of. */
enum rbr_http_excess {
	RBR_HTTP_EXCESS_NONE,
	RBR_HTTP_EXCESS_BODY,
	RBR_HTTP_EXCESS_HEADERS, /* bytes of header lines, or answers before the answer */
	RBR_HTTP_EXCESS_FRAMES, /* bytes around the body's own */
};

struct rbr_http_failure {
	CURLcode code;
	const char *detail; /* libcurl's own words; "" if it has none */
	const char *url;
	enum rbr_http_excess excess;
	bool sent;
	int64_t waited_ms; /* how long the request was given in all */
};

/* Says why the request that CURL made has failed, and returns what rbr_http_post() does. */
int rbr_http_explain(const struct rbr_oauth *oauth, CURL *curl, const struct rbr_http_failure *failure)
	__attribute__((warn_unused_result));

#endif
