/* SPDX-License-Identifier: MIT */
/* `setup`: has another program ask ringbearer, by a line in that program's own configuration. */
#include "config.h"
#include "folders.h"

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

#include "command.h"

#define OUTPUT_MAX 65536 /* bytes of what git says about its configuration */
#define GIT_LINK "git-credential-ringbearer"
#define HELPER_MAX (PATH_MAX + 64)
/* Our own lines among the helpers, by name or by path, whatever options they have. */
#define OURS "(^|[/!])(git-credential-)?ringbearer('|[ ]|$)"

extern char **environ;

struct choices {
	bool global;
	bool interactive;
};

/* -- running git -- */

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

/* Runs git without a shell. *RET_STATUS is its exit status; RET_OUTPUT (may be NULL) has OUTPUT_MAX bytes for what it
 * writes. RINGBEARER_E_CONFIG if there is no git. */
static int
run_git(struct rbr_context *context, const char *const *arguments, int *ret_status, char *ret_output)
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
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(&child, "git", &actions, &attributes, (char *const *)(uintptr_t)arguments, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	read_well = rc != 0 || !ret_output || read_all(ends[0], ret_output, OUTPUT_MAX);
	(void)close(ends[0]);
	if (rc != 0)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "git cannot be run (%s); install git", strerror(rc));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!read_well)
		return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "git's configuration cannot be read");
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return 0;
}

/* -- which line -- */

static bool
on_path(const char *name)
{
	const char *folder = secure_getenv("PATH"), *end;
	char path[PATH_MAX];
	int length;

	for (; folder && *folder; folder = *end ? end + 1 : end) {
		end = strchrnul(folder, ':');
		length = snprintf(path, sizeof path, "%.*s/%s", (int)(end - folder), folder, name);
		if (end > folder && length > 0 && (size_t)length < sizeof path && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* The link where ringbearer is installed, or beside this program. */
static bool
find_link(char ret_path[PATH_MAX])
{
	ssize_t size;
	char *slash;

	(void)snprintf(ret_path, PATH_MAX, "%s", RBR_BINDIR "/" GIT_LINK);
	if (access(ret_path, X_OK) == 0)
		return true;
	size = readlink("/proc/self/exe", ret_path, PATH_MAX - sizeof GIT_LINK);
	if (size <= 0)
		return false;
	ret_path[size] = '\0';
	slash = strrchr(ret_path, '/');
	memcpy(slash + 1, GIT_LINK, sizeof GIT_LINK);
	return access(ret_path, X_OK) == 0;
}

/* What stands behind `helper =`. git hands it to a shell: a path with anything odd in it goes into quotes. */
static int
write_helper(struct rbr_context *context, const struct choices *choices, char ret_helper[HELPER_MAX])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";
	const char *options = choices->interactive ? " --interactive" : "";
	char path[PATH_MAX];

	if (on_path(GIT_LINK)) {
		(void)snprintf(ret_helper, HELPER_MAX, "ringbearer%s", options);
		return 0;
	}
	if (!find_link(path) || strchr(path, '\''))
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			GIT_LINK " is neither on PATH nor in " RBR_BINDIR
				 "; install ringbearer, or make a link of that name to "
				 "it on PATH");
	if (path[strspn(path, plain)] == '\0')
		(void)snprintf(ret_helper, HELPER_MAX, "%s%s", path, options);
	else
		(void)snprintf(ret_helper, HELPER_MAX, "!'%s'%s", path, options);
	return 0;
}

/* -- what else is there -- */

/* Is HELPER one of our lines? By the same rule as OURS. */
static bool
is_ours(const char *helper)
{
	const char *end = strstr(helper, "ringbearer"), *start = end;

	if (!end)
		return false;
	end += strlen("ringbearer");
	if (start - helper >= (ptrdiff_t)strlen("git-credential-") &&
		strncmp(start - strlen("git-credential-"), "git-credential-", strlen("git-credential-")) == 0)
		start -= strlen("git-credential-");
	return (start == helper || start[-1] == '/' || start[-1] == '!') &&
		(*end == '\0' || *end == ' ' || *end == '\'');
}

/* Says which helpers git asks before ours: `--show-scope -z` gives scope, NUL, key, newline, value, NUL for each. */
static void
show_others(char *listing)
{
	char *scope = listing, *key, *value;
	char line[OUTPUT_MAX];

	for (; *scope; scope = value + strlen(value) + 1) {
		key = scope + strlen(scope) + 1;
		value = strchr(key, '\n');
		if (!value)
			return;
		*value++ = '\0';
		if (is_ours(value))
			return;
		if (*value)
			(void)snprintf(line, sizeof line, "asked before it: %s = %s (%s)", key, value, scope);
		else
			(void)snprintf(
				line, sizeof line, "%s (%s) has an empty line: git forgets those above it", key, scope);
		rbr_sanitize(line);
		(void)puts(line);
	}
}

static int
set_up_git(struct rbr_context *context, const struct choices *choices)
{
	const char *scope = choices->global ? "--global" : "--local";
	char helper[HELPER_MAX], *listing;
	const char *const write[] = {"git", "config", scope, "--replace-all", "credential.helper", helper, OURS, NULL};
	const char *const list[] = {
		"git", "config", "--show-scope", "-z", "--get-regexp", "^credential\\.(.*\\.)?helper$", NULL};
	int status = -1, rc = write_helper(context, choices, helper);

	if (rc == 0)
		rc = run_git(context, write, &status, NULL);
	if (rc < 0)
		return rc;
	if (status != 0)
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG, "git could not write its configuration%s",
			choices->global ? "; see its message" : "; go to a repository, or add --global");
	(void)printf("credential.helper = %s (%s)\n", helper, scope + 2);
	listing = calloc(1, OUTPUT_MAX + 2); /* two NULs end it */
	if (!listing)
		return rbr_fail_memory(&context->error);
	rc = run_git(context, list, &status, listing);
	if (rc == 0 && status == 0)
		show_others(listing);
	free(listing);
	return rc;
}

static const struct {
	const char *name;
	int (*run)(struct rbr_context *context, const struct choices *choices);
} targets[] = {
	{"git", set_up_git},
};

enum { OPTION_GLOBAL = 1, OPTION_INTERACTIVE };

int
rbr_command_setup(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{"global", no_argument, NULL, OPTION_GLOBAL},
		{"interactive", no_argument, NULL, OPTION_INTERACTIVE}, {NULL, 0, NULL, 0}};
	struct choices choices = {.global = false};
	size_t i;
	int option;

	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		if (option == OPTION_GLOBAL)
			choices.global = true;
		else
			choices.interactive = true;
	}
	for (i = 0; optind + 1 == argc && i < RBR_ARRAY_SIZE(targets); i++)
		if (strcmp(argv[optind], targets[i].name) == 0)
			return targets[i].run(context, &choices);
	return rbr_fail(&context->error, RINGBEARER_E_USAGE, "name what to set up: `ringbearer setup git`");
}
