/* SPDX-License-Identifier: MIT */
/* `get` and `token`: the protocol's question, from stdin or from options. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"
#include "command.h"

enum {
	OPTION_ACCOUNT = 1,
	OPTION_URL,
	OPTION_USERNAME,
	OPTION_SCOPE,
	OPTION_RESOURCE,
	OPTION_MIN_VALID,
	OPTION_FORMAT,
	OPTION_INTERACTIVE,
	OPTION_SHOW,
};

#define OPTIONS_OF_GET 4

static const struct option options[] = {
	{"account", required_argument, NULL, OPTION_ACCOUNT},
	{"url", required_argument, NULL, OPTION_URL},
	{"username", required_argument, NULL, OPTION_USERNAME},
	{"format", required_argument, NULL, OPTION_FORMAT},
	/* `token` takes the rest */
	{"scope", required_argument, NULL, OPTION_SCOPE},
	{"resource", required_argument, NULL, OPTION_RESOURCE},
	{"min-valid", required_argument, NULL, OPTION_MIN_VALID},
	{"interactive", no_argument, NULL, OPTION_INTERACTIVE},
	{"show", no_argument, NULL, OPTION_SHOW},
	{NULL, 0, NULL, 0},
};

static const char *
key_of(int option)
{
	switch (option) {
	case OPTION_ACCOUNT:
		return "account";
	case OPTION_URL:
		return "url";
	case OPTION_USERNAME:
		return "username";
	case OPTION_SCOPE:
		return "scope";
	case OPTION_RESOURCE:
		return "resource[]";
	case OPTION_MIN_VALID:
		return "min_valid";
	case OPTION_FORMAT:
		return "format";
	default:
		return NULL;
	}
}

/* Turns options into the lines that they stand for. */
static int
read_options(struct rbr_context *context, int argc, char **argv, const struct option *known,
	struct rbr_message *message, bool *ret_show)
{
	int option, rc = 0;

	while (rc == 0 && (option = rbr_option(context, argc, argv, known)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		if (option == OPTION_SHOW)
			*ret_show = true;
		else if (option == OPTION_INTERACTIVE)
			rc = rbr_message_add(message, "interactive", "auto");
		else
			rc = rbr_message_add(message, key_of(option), optarg);
	}
	if (rc < 0)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"an option's value has a newline or is too long; shorten it");
	return 0;
}

/* Tells a caller that announced capability[]=error why there is no answer. */
static void
tell_error(struct rbr_context *context)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	const struct rbr_error *error = &context->error;
	struct rbr_error ignored = *error;

	if (rbr_message_add(&message, "error", ringbearer_error_name(error->code)) < 0 ||
		rbr_message_add(&message, "error_description", error->detail) < 0)
		return;
	if (error->retry_after > 0 && rbr_message_add_number(&message, "retry_after", error->retry_after) < 0)
		return;
	if (rbr_message_format(&message, &out) == 0 && rbr_output(context, &out) < 0)
		context->error = ignored; /* the first reason is the one to report */
}

static int
answer(struct rbr_context *context, const struct rbr_request *request)
{
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	const struct rbr_answer form = {
		.credential = &credential, .authtype = request->authtype, .username = request->username};
	int rc = rbr_broker_answer(context, request, RBR_IF_NEEDED, &wish, &credential);

	(void)snprintf(context->account, sizeof context->account, "%s", wish.account);
	if (rc < 0)
		return rc;
	rc = request->format->write(&form, &out);
	if (rc < 0)
		return rbr_fail_memory(&context->error);
	rc = rbr_output(context, &out);
	if (rc == 0)
		rbr_broker_renew_ahead(context, &wish, &credential);
	return rc;
}

static int
refuse_terminal(struct rbr_context *context, bool show)
{
	if (show || !isatty(STDOUT_FILENO))
		return 0;
	return rbr_fail(&context->error, RINGBEARER_E_USAGE,
		"a token is not shown on a terminal; send it to a pipe or a file, or add --show");
}

static int
run(struct rbr_context *context, struct rbr_request *request)
{
	int rc = rbr_request_understand(request, &context->error);

	if (rc == 0)
		rc = answer(context, request);
	if (rc < 0 && request->tells_errors)
		tell_error(context);
	return rc;
}

int
rbr_command_get(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	bool show = false;
	int rc = read_options(context, argc, argv, options, &request.message, &show);

	if (rc == 0)
		rc = rbr_no_argument(context, argc, argv);
	if (rc == 0)
		rc = refuse_terminal(context, show);
	if (rc == 0 && !rbr_message_get(&request.message, "account") && !rbr_message_get(&request.message, "url"))
		rc = rbr_message_read(&request.message, STDIN_FILENO, &context->error);
	return rc < 0 ? rc : run(context, &request);
}

int
rbr_command_token(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	bool show = false;
	const char *name = NULL;
	int rc = read_options(context, argc, argv, options + OPTIONS_OF_GET, &request.message, &show);

	if (rc == 0)
		rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0)
		rc = refuse_terminal(context, show);
	if (rc < 0)
		return rc;
	if (rbr_message_add(&request.message, "account", name) < 0 ||
		rbr_message_add(&request.message, "format", "token") < 0)
		return rbr_fail_memory(&context->error);
	return run(context, &request);
}
