/* SPDX-License-Identifier: MIT */
/*
 * A buffer of known length for bytes that must not linger. It is wiped over its whole capacity when it is
 * freed, emptied or grown, and it never passes through realloc(), which would leave a copy behind. A NUL that does not
 * count follows the bytes, so that `data` can be read as a string where the bytes hold no NUL.
 */
#ifndef RBR_SECRET_H
#define RBR_SECRET_H

#include "base.h"

/* Largest buffer: anything bigger is a mistake or an attack. */
#define RBR_SECRET_MAX (4u * 1024 * 1024)

struct ringbearer_secret {
	char *data; /* NULL while nothing was appended */
	size_t size;
	size_t capacity;
};

/* An empty secret, for declarations with RBR_CLEANUP(rbr_secret_wipe). */
#define RBR_SECRET_EMPTY ((struct ringbearer_secret){NULL, 0, 0})

/* Appends; 0, or RINGBEARER_E_SYSTEM when memory is short or the buffer would pass RBR_SECRET_MAX: it is unchanged
 * then. */
int rbr_secret_append(struct ringbearer_secret *secret, const void *data, size_t size) RBR_MUST_CHECK;
int rbr_secret_append_string(struct ringbearer_secret *secret, const char *string) RBR_MUST_CHECK;

/* Makes room for SIZE more bytes without another allocation. */
int rbr_secret_reserve(struct ringbearer_secret *secret, size_t size) RBR_MUST_CHECK;

/* Wipes and frees the bytes; SECRET is empty afterwards and can be used again. */
void rbr_secret_wipe(struct ringbearer_secret *secret);

/* The same for one on the heap; for RBR_CLEANUP on pointers. */
struct ringbearer_secret *rbr_secret_new(const void *data, size_t size);
void rbr_secret_free(struct ringbearer_secret *secret);
void rbr_secret_freep(struct ringbearer_secret **secret);

/* Same bytes? The time it takes depends on the lengths alone. */
int rbr_secret_equal(const void *a, size_t a_size, const void *b, size_t b_size);

/* The bytes as a string, "" when there are none. */
const char *rbr_secret_string(const struct ringbearer_secret *secret);

#endif
