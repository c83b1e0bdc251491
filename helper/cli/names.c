/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/ringbearer.h"

int
rbr_names_add(const char *name, void *data)
{
	struct rbr_names *names = data;
	char **list = reallocarray(names->list, names->count + 1, sizeof *list);

	if (!list)
		return RINGBEARER_E_SYSTEM;
	names->list = list;
	list[names->count] = strdup(name);
	if (!list[names->count])
		return RINGBEARER_E_SYSTEM;
	names->count++;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
rbr_names_sort(struct rbr_names *names)
{
	if (names->count > 0)
		qsort(names->list, names->count, sizeof *names->list, compare);
}

void
rbr_names_wipe(struct rbr_names *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	names->list = NULL;
	names->count = 0;
}
