/* SPDX-License-Identifier: MIT */
/*
 * Looks over the shoulder of malloc() and free(): for programs that are linked with $(watch_ldflags).
 *
 * Blocks that the code under test gets from malloc() (the secret buffers and nothing else: all other
 * memory is calloc()ed or comes from reallocarray()) are looked at in the moment in which they are freed,
 * before the bytes are given back. That a secret is wiped can be seen so without reading freed memory.
 */
#ifndef RBR_WATCH_H
#define RBR_WATCH_H

#include <stddef.h>

/* Starts to count afresh. */
void watch_start(void);

/* Stops and says how many watched blocks were freed in all, and how many of them held a byte other than
 * zero, since watch_start(). */
void watch_stop(size_t *ret_freed, size_t *ret_dirty);

/* The allocation number COUNT from now on (0: the next one) and all after it fail. */
void watch_fail_after(size_t count);

/* No allocation fails any more; returns how many did. */
size_t watch_fail_never(void);

#endif
