/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
rbr_find_program(const char *name, int mode, char ret_path[PATH_MAX])
{
	const char *folder = secure_getenv("PATH"), *end;
	int length;

	for (; folder && *folder; folder = *end ? end + 1 : end) {
		end = strchrnul(folder, ':');
		length = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)(end - folder), folder, name);
		if (end > folder && length > 0 && length < PATH_MAX && access(ret_path, mode) == 0)
			return true;
	}
	return false;
}
