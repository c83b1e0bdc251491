/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "browser.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/fastpath/url.h"
#include "protocol/url-characters.h"
#include "words.h"

/* CLOSE_RANGE_CLOEXEC (Linux 5.11), which not every C library's headers have. */
#define CLOSE_ON_EXEC 4u

extern char **environ;

const char *
rbr_browser_named(void)
{
	const char *browser = secure_getenv("BROWSER");

	return browser && *browser ? browser : NULL;
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

static bool
start(char **words)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	bool started = false;
	pid_t child;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	if (prepare(&actions, &attributes)) {
		mode_t mask = umask(022); /* ours is for secrets */

		/* What we were given by whoever started us is not for the browser either. */
		(void)syscall(SYS_close_range, 3u, ~0u, CLOSE_ON_EXEC);

		started = posix_spawnp(&child, words[0], &actions, &attributes, words, environ) == 0;
		(void)umask(mask);
	}
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return started;
}

/* A program by its path, blanks and colons in it included, before it is a command with words. */
static bool
start_command(const char *command, size_t size, const char *url)
{
	struct rbr_words words;
	char path[PATH_MAX];

	if (size < sizeof path && memchr(command, '/', size)) {
		memcpy(path, command, size);
		path[size] = '\0';
		if (access(path, X_OK) == 0) {
			char *address = strdup(url), *whole[] = {path, address, NULL};
			bool started = address && start(whole);

			free(address);
			return started;
		}
	}
	return rbr_words_split(command, size, url, &words) && start(words.words);
}

/* The commands of LIST, one after the other, until one can be started. */
static bool
start_one_of(const char *list, const char *url)
{
	bool started = strchr(list, ':') && access(list, X_OK) == 0 && start_command(list, strlen(list), url);

	while (!started && *list) {
		size_t size = strcspn(list, ":");

		started = start_command(list, size, url);
		list += size + (list[size] == ':');
	}
	return started;
}

bool
rbr_browser_open(const char *url)
{
	struct rbr_url parsed;

	if (!rbr_has_url_characters(url) || rbr_url_parse(&parsed, url, "", NULL) < 0 || !rbr_url_is_safe(&parsed))
		return false;
	if (rbr_browser_named())
		return start_one_of(rbr_browser_named(), url);
	return (secure_getenv("DISPLAY") || secure_getenv("WAYLAND_DISPLAY")) && start_one_of("xdg-open", url);
}
