/* SPDX-License-Identifier: MIT */
/*
 * Programs that run helpers under names of their own (`docker-credential-ringbearer`) and speak to them in their own
 * words: one file in callers/ for each, and links to the one program.
 */
#ifndef RBR_CALLERS_H
#define RBR_CALLERS_H

#include "protocol/fastpath/context.h"

#define RBR_CALLER_MESSAGE_MAX (RBR_DETAIL_MAX + 320)

struct rbr_caller {
	const char *link; /* the name that the program is run under */
	/* ARGV[0] is the link. 0, or a code; the detail is in context->error, and main() reports it on standard error. What
	 * the caller's protocol wants on standard output has been written. */
	int (*run)(struct rbr_context *context, int argc, char **argv);
	int failure; /* exit status that the caller's protocol wants for every failure; 0: ringbearer's own */
	const char *usage; /* for a person who runs it: who does that; how to have it done */
};

/* The caller that runs the program as ARGV0 (a path or a name); NULL if it is run as itself. */
const struct rbr_caller *rbr_caller_find(const char *argv0);

/* The callers that there are, from 0 on; NULL behind the last. */
const struct rbr_caller *rbr_caller_at(size_t i);

/* Fails with the usage of the caller that runs the program as ARGV0. RINGBEARER_E_USAGE. */
int rbr_caller_misuse(struct rbr_context *context, const char *argv0) RBR_MUST_CHECK;

/* Answers on standard output, in the form FORM, for the place URL, which the caller wrote as ASKED. */
int rbr_caller_answer(struct rbr_context *context, const char *form, const char *url, const char *asked) RBR_MUST_CHECK;

/* The command that gives the account NAME what its tokens come from: "login" or "secret". */
const char *rbr_caller_remedy(struct rbr_context *context, const char *name);

/* Fails because the caller brings a token for PLACE, for which the account NAME answers. RINGBEARER_E_USAGE. */
int rbr_caller_keep_nothing(struct rbr_context *context, const char *name, const char *place) RBR_MUST_CHECK;

/* context->error as main() would report it, for a protocol that takes messages. */
void rbr_caller_message(const struct rbr_context *context, char ret_message[RBR_CALLER_MESSAGE_MAX]);

/* Writes TEXT, which is no secret, to standard output. RINGBEARER_E_SYSTEM. */
int rbr_caller_write(struct rbr_context *context, const char *text) RBR_MUST_CHECK;

int rbr_caller_bazel(struct rbr_context *context, int argc, char **argv);
int rbr_caller_cargo(struct rbr_context *context, int argc, char **argv);
int rbr_caller_docker(struct rbr_context *context, int argc, char **argv);
int rbr_caller_docker_interactive(struct rbr_context *context, int argc, char **argv);
int rbr_caller_git(struct rbr_context *context, int argc, char **argv);
int rbr_caller_terraform(struct rbr_context *context, int argc, char **argv);

#endif
