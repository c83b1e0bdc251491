/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "callers.h"

#include <string.h>

static const struct rbr_caller callers[] = {
	{"git-credential-ringbearer", rbr_caller_git, 0},
};

const struct rbr_caller *
rbr_caller_find(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(callers); i++)
		if (strcmp(callers[i].link, name) == 0)
			return &callers[i];
	return NULL;
}
