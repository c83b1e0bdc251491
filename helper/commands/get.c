/* SPDX-License-Identifier: MIT */
/* `get` and `token`: the protocol's question, from stdin or from options. */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "answer/answer.h"
#include "answer/kubernetes.h"
#include "command.h"

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

/* The caller may read stderr as a part of the answer: whatever module or library has something to say, it says it to
 * nobody. */
static void
hush(const struct rbr_context *context)
{
	int nobody = context->trace ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nobody < 0)
		return;
	(void)dup2(nobody, STDERR_FILENO);
	(void)close(nobody);
}

static int
answer_in_form(struct rbr_context *context, struct rbr_request *request)
{
	int rc = request->format->in_environment ? rbr_kubernetes_look(context, request) : 0;

	return rc < 0 ? rc : rbr_answer(context, request);
}

/* Where failures are answers, too: RC, unless it is 0, or what comes of the request. 0: something is out, and all is well as far
 * as the exit status goes. */
static int
answer_always(struct rbr_context *context, struct rbr_request *request, int rc)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	const char *detail = context->error.detail;

	hush(context);
	if (rc == 0)
		rc = answer_in_form(context, request);
	context->unfinished = 0;
	if (rc == 0)
		return 0;
	if (request->format->write_failure(
		    ringbearer_error_name(rc), *detail ? detail : ringbearer_error_advice(rc), &out) < 0)
		return rc;
	return rbr_output(context, &out);
}

/* `get` and `token` differ in their arguments alone. */
int
rbr_command_get(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret input = RBR_SECRET_EMPTY;
	int rc = rbr_ask(context, argc, argv, &request, &input);
	const struct rbr_format *format = request.format;

	if (format && format->write_failure)
		return answer_always(context, &request, rc);
	if (rc == 0 && format)
		rc = answer_in_form(context, &request);
	if (rc < 0 && request.tells_errors)
		tell_error(context);
	return rc;
}
