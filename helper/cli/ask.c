/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ask.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "protocol/fastpath/locate.h"

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

#define OPTIONS_OF_GET 3

static const struct option options[] = {
	{"url", required_argument, NULL, OPTION_URL},
	{"username", required_argument, NULL, OPTION_USERNAME},
	{"format", required_argument, NULL, OPTION_FORMAT},
	/* `token` takes the rest */
	{"account", required_argument, NULL, OPTION_ACCOUNT},
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
		else if (option == OPTION_URL && context->for_git)
			; /* git says itself where the token goes */
		else
			rc = rbr_message_add(message, key_of(option), optarg);
	}
	if (rc < 0)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"an option's value has a newline or is too long; shorten it");
	return 0;
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
read_input(struct rbr_context *context, struct rbr_request *request, struct ringbearer_secret *input)
{
	int rc = rbr_message_take(STDIN_FILENO, input, &context->error);

	return rc < 0 ? rc
		      : rbr_message_parse(&request->message, rbr_secret_string(input), input->size, RBR_DIALECT_WIRE,
				"the request", RINGBEARER_E_MALFORMED_REQUEST, &context->error);
}

/* `token ACCOUNT` is `get --account=ACCOUNT --format=token`. */
static int
take_token_arguments(struct rbr_context *context, int argc, char **argv, struct rbr_message *message)
{
	const char *name = rbr_message_get(message, "account");
	bool named = name != NULL;
	int rc = named ? rbr_no_argument(context, argc, argv) : rbr_account_argument(context, argc, argv, &name);

	if (rc < 0)
		return rc;
	if ((!named && rbr_message_add(message, "account", name) < 0) ||
		rbr_message_add(message, "format", "token") < 0)
		return rbr_fail_memory(&context->error);
	return 0;
}

/* `get` and `erase` have options alone. */
static int
refuse_arguments(struct rbr_context *context, int argc, char **argv)
{
	if (optind < argc && rbr_account_check_name(argv[optind], NULL) == 0 && strcmp(argv[0], "store") != 0)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"`%s` is one argument too many; write --account=%s", argv[optind], argv[optind]);
	return rbr_no_argument(context, argc, argv);
}

static bool
names_something(const struct rbr_message *message)
{
	return rbr_message_get(message, "account") || rbr_message_get(message, "url");
}

int
rbr_ask_place(struct rbr_context *context, const struct rbr_request *request)
{
	if (!context->for_git || request->has_url)
		return 0;
	return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
		"the request: it names no host, and nothing is handed out without one; add protocol= and host=");
}

int
rbr_ask_message(struct rbr_context *context, int argc, char **argv, struct rbr_request *request)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret input = RBR_SECRET_EMPTY;
	bool erase = strcmp(argv[0], "erase") == 0, show;
	int rc = read_options(context, argc, argv, options, &request->message, &show);

	if (rc == 0)
		rc = refuse_arguments(context, argc, argv);
	if (rc == 0 && !(erase && names_something(&request->message) && isatty(STDIN_FILENO)))
		rc = read_input(context, request, &input);
	return rc;
}

/* Does the form that the options name look for the rest in the environment? */
static bool
looks_elsewhere(const struct rbr_message *message)
{
	const char *form = rbr_message_get(message, "format");
	const struct rbr_format *format = form ? rbr_format_find(form) : NULL;

	return format && format->in_environment;
}

int
rbr_ask(struct rbr_context *context, int argc, char **argv, struct rbr_request *request,
	struct ringbearer_secret *input)
{
	bool token = strcmp(argv[0], "token") == 0, show = false;
	int rc =
		read_options(context, argc, argv, token ? options + OPTIONS_OF_GET : options, &request->message, &show);

	if (rc == 0)
		rc = token ? take_token_arguments(context, argc, argv, &request->message)
			   : refuse_arguments(context, argc, argv);
	if (rc == 0)
		rc = refuse_terminal(context, show);
	if (rc == 0 && (context->for_git || !names_something(&request->message)) && !looks_elsewhere(&request->message))
		rc = read_input(context, request, input);
	if (rc == 0)
		rc = rbr_request_understand(request, &context->error);
	return rc < 0 ? rc : rbr_ask_place(context, request);
}

int
rbr_output(struct rbr_context *context, const struct ringbearer_secret *out)
{
	size_t written = 0;
	ssize_t each;

	while (written < out->size) {
		each = write(STDOUT_FILENO, out->data + written, out->size - written);
		if (each < 0 && errno == EINTR)
			continue;
		if (each < 0)
			return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "the answer cannot be written: %s",
				strerror(errno));
		written += (size_t)each;
	}
	return 0;
}

int
rbr_hand_out(struct rbr_context *context, const struct rbr_request *request, const struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	const struct rbr_answer answer = {.credential = credential,
		.authtype = request->authtype,
		.basic = request->wants_basic,
		.username = request->username,
		.host = request->has_url ? request->url.host : NULL,
		.port = request->has_url ? request->url.port : 0,
		.asked = request->asked,
		.version = request->version,
		.keeps_state = request->keeps_state,
		.again = request->refused_ms != 0};
	int rc = request->format->write(&answer, &out);

	if (rc == RINGBEARER_E_CONFIG)
		return rbr_fail(&context->error, rc, "the form %s needs a user name%s; add `username` to the account",
			request->format->name,
			credential->username || request->username ? " without control characters" : "");
	return rc < 0 ? rbr_fail_memory(&context->error) : rbr_output(context, &out);
}
