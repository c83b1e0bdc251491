/* SPDX-License-Identifier: MIT */
/* The head of a request to the listener, as far as it has come. */
#ifndef RBR_HEAD_H
#define RBR_HEAD_H

#include <stddef.h>

#define RBR_HEAD_MAX 8192 /* bytes of a head, with its NUL */

enum rbr_head_state {
	RBR_HEAD_MORE, /* it is not all there */
	RBR_HEAD_GOOD, /* GET with a target, HTTP/1, one Host and the right one */
	RBR_HEAD_METHOD, /* another method */
	RBR_HEAD_BAD, /* anything else */
	RBR_HEAD_LONG, /* over RBR_HEAD_MAX, or with a NUL in it */
};

/* Where the target's parts lie in the bytes; `query` is NULL if there is none. */
struct rbr_head {
	const char *path;
	size_t path_size;
	const char *query;
	size_t query_size;
};

/* Reads the SIZE bytes of TEXT, fewer than RBR_HEAD_MAX, behind which is a NUL; HOST is what its Host must say. *RET_HEAD is
 * set if it is good. */
enum rbr_head_state rbr_head_read(const char *text, size_t size, const char *host, struct rbr_head *ret_head);

#endif
