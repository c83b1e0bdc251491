/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "callers.h"

#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "cli/ask.h"
#include "commands/needs.h"

static const struct rbr_caller callers[] = {
	{"bazel-credential-ringbearer", rbr_caller_bazel, 0,
		"Bazel runs this program with the argument `get`; name it in --credential_helper"},
	{"cargo-credential-ringbearer", rbr_caller_cargo, 0,
		"cargo runs this program with --cargo-plugin; name it as credential-provider in its configuration"},
	{"docker-credential-ringbearer", rbr_caller_docker, 1,
		"docker runs this program with get, store, erase, list or version; name `ringbearer` under "
		"credHelpers in its configuration"},
	{"docker-credential-ringbearer-interactive", rbr_caller_docker_interactive, 1,
		"docker runs this program with get, store, erase, list or version, and a person may be asked to unlock the "
		"keyring; name `ringbearer-interactive` under credHelpers in its configuration"},
	{"git-credential-ringbearer", rbr_caller_git, 0,
		"git runs this program; write `helper = ringbearer` under [credential] in its configuration"},
	{"terraform-credentials-ringbearer", rbr_caller_terraform, 0,
		"Terraform runs this program with get, store or forget and a host; write "
		"credentials_helper \"ringbearer\" {} into its configuration"},
};

const struct rbr_caller *
rbr_caller_find(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(callers); i++)
		if (strcmp(callers[i].link, name) == 0)
			return &callers[i];
	return NULL;
}

const struct rbr_caller *
rbr_caller_at(size_t i)
{
	return i < RBR_ARRAY_SIZE(callers) ? &callers[i] : NULL;
}

int
rbr_caller_misuse(struct rbr_context *context, const char *argv0)
{
	const struct rbr_caller *caller = rbr_caller_find(argv0);

	return rbr_fail(
		&context->error, RINGBEARER_E_USAGE, "%s", caller ? caller->usage : "another program runs this one");
}

int
rbr_caller_answer(struct rbr_context *context, const char *form, const char *url, const char *asked)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	int rc;

	if (rbr_message_add(&request.message, "format", form) < 0 ||
		rbr_message_add(&request.message, "url", url) < 0 ||
		(context->interactive && rbr_message_add(&request.message, "interactive", "auto") < 0))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: the address has a character or a length that no URL has; write https://host/path");
	rc = rbr_request_understand(&request, &context->error);
	request.asked = asked;
	return rc < 0 ? rc : rbr_answer(context, &request);
}

const char *
rbr_caller_remedy(struct rbr_context *context, const char *name)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;

	return rbr_account_load(name, &account, NULL) < 0 || rbr_needs_login(context, &account) ? "login" : "secret";
}

int
rbr_caller_keep_nothing(struct rbr_context *context, const char *name, const char *place)
{
	return rbr_fail(&context->error, RINGBEARER_E_USAGE,
		"the account `%s` answers for %.80s, and its tokens come from elsewhere; run `ringbearer %s %s`", name,
		place, rbr_caller_remedy(context, name), name);
}

void
rbr_caller_message(const struct rbr_context *context, char ret_message[RBR_CALLER_MESSAGE_MAX])
{
	const struct rbr_error *error = &context->error;
	const bool advised = strchr(error->detail, ';') != NULL;
	const char *detail = error->detail[0] != '\0' ? error->detail : ringbearer_error_name(error->code);

	(void)snprintf(ret_message, RBR_CALLER_MESSAGE_MAX, "ringbearer: %s%s%s%s%s", context->account,
		context->account[0] != '\0' ? ": " : "", detail, advised ? "" : "; ",
		advised ? "" : ringbearer_error_advice(error->code));
}

int
rbr_caller_write(struct rbr_context *context, const char *text)
{
	const struct ringbearer_secret out = {(char *)(uintptr_t)text, strlen(text), 0};

	return rbr_output(context, &out);
}
