/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "protocol/fastpath/scope.h"

#include <stdio.h>
#include <string.h>

bool
rbr_scope_has(const char *list, const char *word, size_t size)
{
	while (*list) {
		size_t each = strcspn(list, " ");

		if (each == size && memcmp(list, word, size) == 0)
			return true;
		list += each + strspn(list + each, " ");
	}
	return false;
}

bool
rbr_scope_join(char list[RBR_SCOPE_MAX], const char *more)
{
	size_t used = strlen(list);

	for (more += strspn(more, " "); *more; more += strspn(more, " ")) {
		size_t size = strcspn(more, " ");

		if (!rbr_scope_has(list, more, size)) {
			int length = snprintf(
				list + used, RBR_SCOPE_MAX - used, "%s%.*s", used > 0 ? " " : "", (int)size, more);

			if (length < 0 || used + (size_t)length >= RBR_SCOPE_MAX)
				return false;
			used += (size_t)length;
		}
		more += size;
	}
	return true;
}

bool
rbr_scope_covers(const char *granted, const char *wanted)
{
	for (wanted += strspn(wanted, " "); *wanted; wanted += strspn(wanted, " ")) {
		size_t size = strcspn(wanted, " ");

		if (!rbr_scope_has(granted, wanted, size))
			return false;
		wanted += size;
	}
	return true;
}
