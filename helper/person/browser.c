/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "browser.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/fastpath/url.h"

/* CLOSE_RANGE_CLOEXEC (Linux 5.11), which not every C library's headers have. */
#define CLOSE_ON_EXEC 4u

extern char **environ;

const char *
rbr_browser_named(void)
{
	const char *browser = secure_getenv("BROWSER");

	return browser && *browser ? browser : NULL;
}

static const char *
choose(void)
{
	if (rbr_browser_named())
		return rbr_browser_named();
	return secure_getenv("DISPLAY") || secure_getenv("WAYLAND_DISPLAY") ? "xdg-open" : NULL;
}

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

bool
rbr_browser_open(const char *url)
{
	const char *program = choose();
	char *arguments[] = {strdup(program ? program : ""), strdup(url), NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	struct rbr_url parsed;
	bool opened = false;
	pid_t child;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	if (program && arguments[0] && arguments[1] && rbr_url_parse(&parsed, url, "", NULL) == 0 &&
		rbr_url_is_safe(&parsed) && prepare(&actions, &attributes)) {
		mode_t mask = umask(022); /* ours is for secrets */

		/* What we were given by whoever started us is not for the browser either. */
		(void)syscall(SYS_close_range, 3u, ~0u, CLOSE_ON_EXEC);

		opened = posix_spawnp(&child, program, &actions, &attributes, arguments, environ) == 0;
		(void)umask(mask);
	}
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	free(arguments[0]);
	free(arguments[1]);
	return opened;
}
