/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "browser.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "detached.h"
#include "protocol/fastpath/url.h"
#include "protocol/url-characters.h"
#include "words.h"

const char *
rbr_browser_named(void)
{
	const char *browser = secure_getenv("BROWSER");

	return browser && *browser ? browser : NULL;
}

/* The program's number; 0 if there is none. */
static pid_t
start(char **words)
{
	mode_t mask = umask(022); /* ours is for secrets */
	pid_t child = rbr_detached_start(words[0], words);

	(void)umask(mask);
	return child;
}

/* A program by its path, blanks and colons in it included, before it is a command with words. */
static pid_t
start_command(const char *command, size_t size, const char *url)
{
	struct rbr_words words;
	char path[PATH_MAX];

	if (size < sizeof path && memchr(command, '/', size)) {
		memcpy(path, command, size);
		path[size] = '\0';
		if (access(path, X_OK) == 0) {
			char *address = strdup(url), *whole[] = {path, address, NULL};
			pid_t child = address ? start(whole) : 0;

			free(address);
			return child;
		}
	}
	return rbr_words_split(command, size, url, &words) ? start(words.words) : 0;
}

/* Starts the first command of *LIST that can be, and leaves *LIST behind it. */
static pid_t
start_next(const char **list, const char *url)
{
	pid_t child = 0;

	while (child == 0 && **list) {
		size_t size = strcspn(*list, ":");

		child = start_command(*list, size, url);
		*list += size + ((*list)[size] == ':');
	}
	return child;
}

/* Has CHILD ended, and badly? Waits until it has. */
static bool
has_failed(pid_t child)
{
	int status = 0;
	pid_t ended;

	do
		ended = waitpid(child, &status, 0);
	while (ended < 0 && errno == EINTR);
	return ended == child && !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Goes through LIST for as long as the login waits, whose process is LOGIN: past what cannot be started, and past what ends
 * badly. One byte to REPORT says that something could be started, none that nothing could. Does not return. */
static void
try_list(const char *list, const char *url, int report, pid_t login)
{
	pid_t child;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != login)
		_exit(0);
	if (report != STDERR_FILENO + 1 && dup2(report, STDERR_FILENO + 1) < 0)
		_exit(0);
	report = STDERR_FILENO + 1;
	(void)syscall(SYS_close_range, (unsigned)report + 1, ~0u, 0u); /* sockets and locks are the login's */
	child = start_next(&list, url);
	if (child > 0 && write(report, "", 1) == 1) {
		(void)close(report);
		while (child > 0 && has_failed(child))
			child = start_next(&list, url);
	}
	_exit(0);
}

/* The commands of LIST, one after the other, until one can be started and does not end badly. */
static bool
start_one_of(const char *list, const char *url)
{
	int ends[2];
	char byte;
	pid_t login = getpid(), child;
	ssize_t got;

	if (!strchr(list, ':') || access(list, X_OK) == 0)
		return start_command(list, strlen(list), url) > 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return start_next(&list, url) > 0;
	child = fork();
	if (child == 0)
		try_list(list, url, ends[1], login);
	(void)close(ends[1]);
	do
		got = child > 0 ? read(ends[0], &byte, 1) : 0;
	while (got < 0 && errno == EINTR);
	(void)close(ends[0]);
	return got == 1;
}

bool
rbr_browser_open(const char *url)
{
	const char *named = rbr_browser_named();
	struct rbr_url parsed;

	if (!rbr_has_url_characters(url) || rbr_url_parse(&parsed, url, "", NULL) < 0 || !rbr_url_is_safe(&parsed))
		return false;
	if (named)
		return start_one_of(named, url);
	return (secure_getenv("DISPLAY") || secure_getenv("WAYLAND_DISPLAY")) && start_one_of("xdg-open", url);
}
