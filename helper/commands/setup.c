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
#include "person/log.h"

#define OUTPUT_MAX 65536 /* bytes of what git says about its configuration */
#define GIT_LINK "git-credential-ringbearer"
#define HELPER_MAX (PATH_MAX + 64)
#define LINES_MAX 256 /* of git's configuration; the rest is not looked at */
#define VERSION_MAX 32
#define EPHEMERAL_MAJOR 2 /* git 2.46 and later: other helpers do not keep what is handed out */
#define EPHEMERAL_MINOR 46
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

/* Runs git without a shell. *RET_STATUS is its exit status; RET_OUTPUT has OUTPUT_MAX bytes for what it writes, and where it is
 * NULL only git's errors are seen. With SILENT not even those. RINGBEARER_E_CONFIG if there is no git. */
static int
run_git(struct rbr_context *context, const char *const *arguments, bool silent, int *ret_status, char *ret_output)
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

/* One `helper` line, for all hosts unless `url` names one. */
struct line {
	const char *scope;
	const char *key;
	const char *value;
	const char *url; /* "" for all hosts */
	int url_size;
};

struct lines {
	struct line list[LINES_MAX];
	size_t count;
};

/* `--show-scope -z` gives scope, NUL, key, newline, value, NUL for each; a line without `=` has no value. */
static void
parse_lines(char *listing, struct lines *ret_lines)
{
	static const char start[] = "credential.", end[] = "helper";
	char *scope = listing, *key, *value, *next;

	for (ret_lines->count = 0; *scope && ret_lines->count < LINES_MAX; scope = next) {
		struct line *line = &ret_lines->list[ret_lines->count++];

		key = scope + strlen(scope) + 1;
		next = key + strlen(key) + 1;
		value = strchrnul(key, '\n');
		if (*value)
			*value++ = '\0';
		*line = (struct line){scope, key, value, key + strlen(start), 0};
		line->url_size = (int)(strlen(line->url) - strlen(end));
		if (line->url_size > 0)
			line->url_size--; /* the dot */
	}
}

/* TEXT as one word of a shell. */
static void
put_quoted(const char *text)
{
	size_t plain;

	rbr_say("'");
	for (; *text; text += plain) {
		plain = strcspn(text, "'");
		rbr_say("%.*s", (int)plain, text);
		if (text[plain] == '\'') {
			rbr_say("'\\''");
			plain++;
		}
	}
	rbr_say("'");
}

static void
put_removal(const struct line *line)
{
	rbr_say("remove it: git config --%s --fixed-value --unset-all ", line->scope);
	put_quoted(line->key);
	rbr_say(" ");
	put_quoted(line->value);
	rbr_say("\n");
}

/* VERSION is that of a git that has LINE's helper keep what ringbearer hands out, or "". */
static void
show_other(const struct line *line, bool before, const char *version)
{
	const bool disk = strncmp(line->value, "store", 5) == 0 && (line->value[5] == '\0' || line->value[5] == ' ');

	rbr_say("asked %s it", before ? "before" : "after");
	if (line->url_size > 0)
		rbr_say(", for %.*s alone", line->url_size, line->url);
	rbr_say(": %s (%s)\n", line->value, line->scope);
	if (*version == '\0')
		return;
	rbr_say("  git %s has it keep ringbearer's tokens%s; ", version, disk ? " on the disk" : "");
	put_removal(line);
}

/* An empty line behind ours. */
static void
show_reset(const struct line *line)
{
	rbr_say("%s (%s) has an empty line behind it: git forgets ringbearer%s; ", line->key, line->scope,
		line->url_size > 0 ? " there" : "");
	put_removal(line);
}

/* Says which other helpers git asks, and what has it forget ours. */
static void
show_others(const struct lines *lines, const char *version)
{
	size_t start = 0, ours = lines->count, i;

	for (i = 0; i < lines->count; i++) {
		const struct line *line = &lines->list[i];

		if (line->url_size > 0)
			continue;
		if (*line->value == '\0') {
			start = i + 1;
			if (ours < i)
				ours = lines->count;
		} else if (ours == lines->count && is_ours(line->value))
			ours = i;
	}
	if (ours == lines->count && start > 0) {
		show_reset(&lines->list[start - 1]);
		return;
	}
	for (i = start; i < lines->count; i++)
		if (*lines->list[i].value == '\0' && i > ours)
			show_reset(&lines->list[i]);
		else if (*lines->list[i].value && !is_ours(lines->list[i].value))
			show_other(&lines->list[i], i < ours, version);
}

/* RET_VERSION is git's, as 2.39, if it has other helpers keep what it got from one; else "". */
static int
find_keeping_version(struct rbr_context *context, char *listing, char ret_version[VERSION_MAX])
{
	static const char *const ask[] = {"git", "--version", NULL};
	int status = -1, major = 0, minor = 0, rc = run_git(context, ask, true, &status, listing);

	ret_version[0] = '\0';
	if (rc == 0 && sscanf(listing, "git version %d.%d", &major, &minor) == 2 &&
		(major < EPHEMERAL_MAJOR || (major == EPHEMERAL_MAJOR && minor < EPHEMERAL_MINOR)))
		(void)snprintf(ret_version, VERSION_MAX, "%d.%d", major, minor);
	return rc;
}

static int
list_others(struct rbr_context *context)
{
	static const char *const list[] = {
		"git", "config", "--show-scope", "-z", "--get-regexp", "^credential\\.(.*\\.)?helper$", NULL};
	char *listing = calloc(1, OUTPUT_MAX + 2), version[VERSION_MAX]; /* two NULs end it */
	struct lines lines;
	int status = -1, rc;

	if (!listing)
		return rbr_fail_memory(&context->error);
	rc = find_keeping_version(context, listing, version);
	if (rc == 0) {
		memset(listing, 0, OUTPUT_MAX + 2);
		rc = run_git(context, list, false, &status, listing);
	}
	if (rc == 0 && status == 0) {
		parse_lines(listing, &lines);
		show_others(&lines, version);
	}
	free(listing);
	return rc;
}

static int
set_up_git(struct rbr_context *context, const struct choices *choices)
{
	static const char *const find[] = {"git", "rev-parse", NULL};
	const char *scope = choices->global ? "--global" : "--local";
	char helper[HELPER_MAX];
	const char *const write[] = {"git", "config", scope, "--replace-all", "credential.helper", helper, OURS, NULL};
	int status = 0, rc = write_helper(context, choices, helper);

	if (rc == 0 && !choices->global)
		rc = run_git(context, find, true, &status, NULL);
	if (rc == 0 && status != 0)
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			"git knows no repository of yours here; go to one, or add --global");
	if (rc == 0)
		rc = run_git(context, write, false, &status, NULL);
	if (rc < 0)
		return rc;
	if (status != 0)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "git could not write its configuration; see its message");
	rbr_say("credential.helper = %s (%s)\n", helper, scope + 2);
	return list_others(context);
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
