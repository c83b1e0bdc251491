/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "git_helpers.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "git_run.h"

#define EPHEMERAL_MAJOR 2 /* git 2.46 and later: other helpers do not keep what is handed out */
#define EPHEMERAL_MINOR 46

bool
rbr_git_helper_is_ours(const char *helper)
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

/* `--show-scope -z` gives scope, NUL, key, newline, value, NUL for each; a line without `=` has no value. */
static void
parse(struct rbr_git_helpers *helpers)
{
	static const char start[] = "credential.", end[] = "helper";
	char *scope = helpers->text, *key, *value, *next;

	for (; *scope && helpers->count < RBR_GIT_HELPERS_MAX; scope = next) {
		struct rbr_git_helper *helper = &helpers->list[helpers->count++];

		key = scope + strlen(scope) + 1;
		next = key + strlen(key) + 1;
		value = strchrnul(key, '\n');
		if (*value)
			*value++ = '\0';
		*helper = (struct rbr_git_helper){scope, key, value, key + strlen(start), 0};
		helper->url_size = (int)(strlen(helper->url) - strlen(end));
		if (helper->url_size > 0)
			helper->url_size--; /* the dot */
	}
}

int
rbr_git_helpers_ask(struct rbr_context *context, struct rbr_git_helpers *ret_helpers)
{
	static const char *const list[] = {
		"git", "config", "--show-scope", "-z", "--get-regexp", "^credential\\.(.*\\.)?helper$", NULL};
	int status = -1, rc;

	ret_helpers->count = 0;
	ret_helpers->text = calloc(1, RBR_GIT_OUTPUT_MAX + 2); /* two NULs end it */
	if (!ret_helpers->text)
		return rbr_fail_memory(&context->error);
	rc = rbr_git_run(context, list, false, &status, ret_helpers->text);
	if (rc == 0 && status == 0)
		parse(ret_helpers);
	return rc;
}

void
rbr_git_helpers_wipe(struct rbr_git_helpers *helpers)
{
	free(helpers->text);
	helpers->text = NULL;
}

int
rbr_git_keeping_version(struct rbr_context *context, char ret_version[RBR_GIT_VERSION_MAX])
{
	static const char *const ask[] = {"git", "--version", NULL};
	char *text = calloc(1, RBR_GIT_OUTPUT_MAX);
	int status = -1, major = 0, minor = 0, rc;

	if (!text)
		return rbr_fail_memory(&context->error);
	rc = rbr_git_run(context, ask, true, &status, text);
	ret_version[0] = '\0';
	if (rc == 0 && sscanf(text, "git version %d.%d", &major, &minor) == 2 &&
		(major < EPHEMERAL_MAJOR || (major == EPHEMERAL_MAJOR && minor < EPHEMERAL_MINOR)))
		(void)snprintf(ret_version, RBR_GIT_VERSION_MAX, "%d.%d", major, minor);
	free(text);
	return rc;
}
