/* SPDX-License-Identifier: MIT */
/* A list of names that can be sorted. */
#ifndef RBR_NAMES_H
#define RBR_NAMES_H

#include <stddef.h>

struct rbr_names {
	char **list;
	size_t count;
};

/* Adds NAME to the struct rbr_names that DATA points to; fits rbr_account_visit() and rbr_provider_visit().
 * RINGBEARER_E_SYSTEM. */
int rbr_names_add(const char *name, void *data);
void rbr_names_sort(struct rbr_names *names);
void rbr_names_wipe(struct rbr_names *names);

#endif
