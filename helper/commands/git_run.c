/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "git_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/programs.h"

extern char **environ;

/* Reads DESCRIPTOR to its end; what does not fit is refused. */
static bool
read_all(int descriptor, char *text, size_t room)
{
	size_t used = 0;
	ssize_t each;

	while (used < room) {
		each = read(descriptor, text + used, room - used);
		if (each < 0 && errno == EINTR)
			continue;
		if (each < 0)
			return false;
		if (each == 0) {
			text[used] = '\0';
			return true;
		}
		used += (size_t)each;
	}
	return false;
}

/* A folder that is not readable is what libc tells of, where no other has it. */
static int
fail_to_run(struct rbr_context *context, int number)
{
	char path[PATH_MAX];

	if (number == EACCES && !rbr_find_program("git", F_OK, path))
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			"there is no git in the folders of PATH that can be read; install git");
	return rbr_fail(&context->error, RINGBEARER_E_CONFIG, "git cannot be run (%s); install git", strerror(number));
}

int
rbr_git_run(struct rbr_context *context, const char *const *arguments, bool silent, int *ret_status, char *ret_output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all;
	int ends[2], status = 0, rc;
	bool read_well;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "no pipe to git: %s", strerror(errno));
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	if (silent)
		(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(&child, "git", &actions, &attributes, (char *const *)(uintptr_t)arguments, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	read_well = rc != 0 || !ret_output || read_all(ends[0], ret_output, RBR_GIT_OUTPUT_MAX);
	(void)close(ends[0]);
	if (rc != 0)
		return fail_to_run(context, rc);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!read_well)
		return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "git's configuration cannot be read");
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return 0;
}
