/* SPDX-License-Identifier: MIT */
/*
 * What goes on while a request is under way: the mark when it leaves, every byte that comes back, and when that has been enough.
 * Bytes are parked as they arrive, before anybody parses them.
 */
#ifndef RBR_TRANSFER_H
#define RBR_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "headers.h"
#include "http.h"
#include "http_failure.h"

struct rbr_transfer {
	const struct rbr_oauth *oauth;
	struct rbr_http_answer *answer;
	CURL *curl;
	enum rbr_replay replay;
	bool posts;
	struct ringbearer_probe *probe; /* only the answer's head is wanted; NULL: all of it is */
	size_t parked; /* bytes of the body that were taken care of */
	struct rbr_headers headers;
	int64_t grown_ms; /* when the body last grew */
	size_t looked_at; /* the body's size when it was last looked at whether it is whole */
	bool whole; /* it is, although the connection says that more will come */
	size_t raw; /* bytes that have come in, those of header lines and around the body's included */
	enum rbr_http_excess excess;
};

/* Has libcurl tell TRANSFER of everything. */
void rbr_transfer_watch(struct rbr_transfer *transfer);

/* The request is over: what came last is parked, too. */
void rbr_transfer_settle(struct rbr_transfer *transfer);

#endif
