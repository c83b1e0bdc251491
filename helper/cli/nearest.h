/* SPDX-License-Identifier: MIT */
/* "Did you mean …": the known name that looks most like one that is not known. */
#ifndef RBR_NEAREST_H
#define RBR_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#define RBR_NEAREST_MAX 64 /* bytes of a name that count */

struct rbr_nearest {
	const char *wanted;
	size_t distance; /* how many characters must be added, dropped or replaced */
	char name[RBR_NEAREST_MAX + 1]; /* "" before the first candidate */
};

#define RBR_NEAREST(text) ((struct rbr_nearest){.wanted = (text)})

void rbr_nearest_try(struct rbr_nearest *nearest, const char *candidate);

/* The same for DATA, a struct rbr_nearest; fits rbr_account_visit() and rbr_provider_visit(). Returns 0. */
int rbr_nearest_visit(const char *candidate, void *data);

/* Is it near enough that somebody may have meant it? */
bool rbr_nearest_fits(const struct rbr_nearest *nearest);

#endif
