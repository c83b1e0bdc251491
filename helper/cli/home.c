/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

#include "protocol/fastpath/paths.h"

const char *
rbr_home(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry && entry->pw_dir && entry->pw_dir[0] == '/' ? entry->pw_dir : NULL;
}
