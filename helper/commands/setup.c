/* SPDX-License-Identifier: MIT */
/* `setup`: has another program ask ringbearer, by a line in that program's own configuration. */
#include "config.h"
#include "folders.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/programs.h"
#include "command.h"
#include "git_helpers.h"
#include "git_run.h"
#include "person/log.h"
#include "protocol/fastpath/locate.h"
#include "protocol/fastpath/paths.h"
#include "vault/storage.h"

#define GIT_LINK "git-credential-ringbearer"
#define HELPER_MAX (PATH_MAX + 64)

struct choices {
	bool global;
	bool interactive;
};

/* -- which line -- */

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

	if (rbr_find_program(GIT_LINK, X_OK, path)) {
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
put_removal(const struct rbr_git_helper *line)
{
	rbr_say("remove it: git config --%s --fixed-value --unset-all ", line->scope);
	put_quoted(line->key);
	rbr_say(" ");
	put_quoted(line->value);
	rbr_say("\n");
}

/* VERSION is that of a git that has LINE's helper keep what ringbearer hands out, or "". */
static void
show_other(const struct rbr_git_helper *line, bool before, const char *version)
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
show_reset(const struct rbr_git_helper *line)
{
	rbr_say("%s (%s) has an empty line behind it: git forgets ringbearer%s; ", line->key, line->scope,
		line->url_size > 0 ? " there" : "");
	put_removal(line);
}

/* Says which other helpers git asks, and what has it forget ours. */
static void
show_others(const struct rbr_git_helpers *lines, const char *version)
{
	size_t start = 0, ours = lines->count, i;

	for (i = 0; i < lines->count; i++) {
		const struct rbr_git_helper *line = &lines->list[i];

		if (line->url_size > 0)
			continue;
		if (*line->value == '\0') {
			start = i + 1;
			if (ours < i)
				ours = lines->count;
		} else if (ours == lines->count && rbr_git_helper_is_ours(line->value))
			ours = i;
	}
	if (ours == lines->count && start > 0) {
		show_reset(&lines->list[start - 1]);
		return;
	}
	for (i = start; i < lines->count; i++)
		if (*lines->list[i].value == '\0' && i > ours)
			show_reset(&lines->list[i]);
		else if (*lines->list[i].value && !rbr_git_helper_is_ours(lines->list[i].value))
			show_other(&lines->list[i], i < ours, version);
}

static int
list_others(struct rbr_context *context)
{
	RBR_CLEANUP(rbr_git_helpers_wipe) struct rbr_git_helpers helpers = {.count = 0};
	char version[RBR_GIT_VERSION_MAX];
	int rc = rbr_git_keeping_version(context, version);

	if (rc == 0)
		rc = rbr_git_helpers_ask(context, &helpers);
	if (rc == 0)
		show_others(&helpers, version);
	return rc;
}

/* -- where passwords would go -- */

/* Without a store git is answered with nothing, and says nothing of it: now is the time to. One that is locked will be opened. */
static void
check_store(struct rbr_context *context)
{
	char path[PATH_MAX];
	int rc = rbr_storage_knock(context);
	struct rbr_error why = context->error;

	context->error.code = 0;
	if (rc == 0 || rc == RINGBEARER_E_STORE_LOCKED || rc == RINGBEARER_E_STORE_DISMISSED)
		return;
	if (rc == RINGBEARER_E_STORE_UNAVAILABLE && !strstr(why.detail, "store init") &&
		rbr_path_folder(RBR_PLACE_USER, RBR_DEFAULTS, path, NULL) == 0)
		rbr_warn(context, NULL,
			"git's passwords have no place to be kept in: %s; or run `ringbearer store init`, and write `store = file` into %s",
			why.detail, path);
	else
		rbr_warn(context, NULL, "git's passwords have no place to be kept in: %s", why.detail);
}

/* -- the command -- */

static int
set_up_git(struct rbr_context *context, const struct choices *choices)
{
	static const char *const find[] = {"git", "rev-parse", NULL};
	const char *scope = choices->global ? "--global" : "--local";
	char helper[HELPER_MAX];
	const char *const write[] = {
		"git", "config", scope, "--replace-all", "credential.helper", helper, RBR_GIT_OURS, NULL};
	int status = 0, rc = write_helper(context, choices, helper);

	if (rc == 0 && !choices->global)
		rc = rbr_git_run(context, find, true, &status, NULL);
	if (rc == 0 && status != 0)
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			"git knows no repository of yours here; go to one, or add --global");
	if (rc == 0)
		rc = rbr_git_run(context, write, false, &status, NULL);
	if (rc < 0)
		return rc;
	if (status != 0)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "git could not write its configuration; see its message");
	rbr_say("credential.helper = %s (%s)\n", helper, scope + 2);
	rc = list_others(context);
	if (rc == 0)
		check_store(context);
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
