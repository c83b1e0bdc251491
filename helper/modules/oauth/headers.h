/* SPDX-License-Identifier: MIT */
/* The header lines of an answer: all of them together are bounded, whoever sends them, and little of them is kept. */
#ifndef RBR_HEADERS_H
#define RBR_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#define RBR_HTTP_HEADER_BYTES_MAX (64u * 1024) /* of all lines: of interim answers, a proxy's and trailers, too */
#define RBR_HTTP_ANSWERS_MAX 16u /* a proxy's, interim ones (1xx) and the last */
#define RBR_HTTP_LOCATION_HOST_MAX 256

struct rbr_headers {
	size_t bytes;
	unsigned answers;
	char location_host[RBR_HTTP_LOCATION_HOST_MAX]; /* where the last answer's redirect leads; "" if nowhere else */
};

/* Takes the line of SIZE bytes at DATA, which no NUL needs to follow. False: there are more than any service needs. */
bool rbr_headers_take(struct rbr_headers *headers, const char *data, size_t size);

#endif
