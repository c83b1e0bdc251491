/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "nearest.h"

#include <stdio.h>
#include <string.h>

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[RBR_NEAREST_MAX + 1], i, j, b_size = strnlen(b, RBR_NEAREST_MAX);

	for (j = 0; j <= b_size; j++)
		row[j] = j;
	for (i = 0; i < RBR_NEAREST_MAX && a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (j = 1; j <= b_size; j++) {
			size_t replaced = diagonal + (a[i] != b[j - 1]);

			diagonal = row[j];
			row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_size];
}

void
rbr_nearest_try(struct rbr_nearest *nearest, const char *candidate)
{
	size_t each = distance(nearest->wanted, candidate);

	if (nearest->name[0] != '\0' && each >= nearest->distance)
		return;
	nearest->distance = each;
	(void)snprintf(nearest->name, sizeof nearest->name, "%s", candidate);
}

int
rbr_nearest_visit(const char *candidate, void *data)
{
	rbr_nearest_try(data, candidate);
	return 0;
}

bool
rbr_nearest_fits(const struct rbr_nearest *nearest)
{
	return nearest->name[0] != '\0' && nearest->distance <= 1 + strlen(nearest->name) / 4 &&
		nearest->distance < strlen(nearest->name);
}
