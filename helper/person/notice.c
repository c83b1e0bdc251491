/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "notice.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "detached.h"
#include "terminal.h"

bool
rbr_notice_is_wanted(void)
{
	const char *address = secure_getenv("DBUS_SESSION_BUS_ADDRESS");
	char usual[64];

	if (rbr_terminal_present())
		return false;
	(void)snprintf(usual, sizeof usual, "/run/user/%u/bus", geteuid());
	return (address && *address) || access(usual, F_OK) == 0;
}

void
rbr_notice_start(const char *account)
{
	char path[PATH_MAX], word[] = "notice", program[] = "ringbearer";
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
	char *name = strdup(account);
	char *const words[] = {program, word, name, NULL};

	if (size <= 0 || !name) {
		free(name);
		return;
	}
	path[size] = '\0';
	(void)rbr_detached_start(path, words);
	free(name);
}
