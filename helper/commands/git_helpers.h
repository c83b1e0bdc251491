/* SPDX-License-Identifier: MIT */
/* Which credential helpers git asks: the `helper` lines of its configuration. */
#ifndef RBR_GIT_HELPERS_H
#define RBR_GIT_HELPERS_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/fastpath/context.h"

#define RBR_GIT_HELPERS_MAX 256 /* of the configuration's lines; the rest is not looked at */
#define RBR_GIT_VERSION_MAX 32
/* Our own lines among them, by name or by path, whatever options they have. */
#define RBR_GIT_OURS "(^|[/!])(git-credential-)?ringbearer('|[ ]|$)"

/* One `helper` line, for all hosts unless `url` names one. */
struct rbr_git_helper {
	const char *scope;
	const char *key;
	const char *value;
	const char *url; /* "" for all hosts */
	int url_size;
};

struct rbr_git_helpers {
	char *text; /* that they are in */
	struct rbr_git_helper list[RBR_GIT_HELPERS_MAX];
	size_t count;
};

/* Every line, in the order in which git reads them; to be wiped also on failure. RINGBEARER_E_CONFIG if there is no git. */
int rbr_git_helpers_ask(struct rbr_context *context, struct rbr_git_helpers *ret_helpers) RBR_MUST_CHECK;
void rbr_git_helpers_wipe(struct rbr_git_helpers *helpers);

/* Is VALUE one of our lines? By the same rule as RBR_GIT_OURS. */
bool rbr_git_helper_is_ours(const char *value);

/* RET_VERSION is git's, as 2.39, if it has other helpers keep what it got from one; else "". */
int rbr_git_keeping_version(struct rbr_context *context, char ret_version[RBR_GIT_VERSION_MAX]) RBR_MUST_CHECK;

#endif
