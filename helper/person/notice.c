/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "notice.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "terminal.h"

/* CLOSE_RANGE_CLOEXEC (Linux 5.11), which not every C library's headers have. */
#define CLOSE_ON_EXEC 4u

extern char **environ;

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

/* Nothing of the caller's: it may wait for the end of its pipes. */
static bool
prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	return posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
		posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
		posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, STDERR_FILENO) == 0 &&
		posix_spawnattr_setsigdefault(attributes, &all) == 0 &&
		posix_spawnattr_setsigmask(attributes, &none) == 0 &&
		posix_spawnattr_setflags(
			attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID) == 0;
}

void
rbr_notice_start(const char *account)
{
	char path[PATH_MAX], word[] = "notice", program[] = "ringbearer";
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *name = strdup(account);
	char *const words[] = {program, word, name, NULL};
	pid_t child;

	if (size <= 0 || !name) {
		free(name);
		return;
	}
	path[size] = '\0';
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	if (prepare(&actions, &attributes)) {
		(void)syscall(SYS_close_range, 3u, ~0u, CLOSE_ON_EXEC);
		(void)!posix_spawn(&child, path, &actions, &attributes, words, environ);
	}
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	free(name);
}
