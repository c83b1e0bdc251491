/* SPDX-License-Identifier: MIT */
/* Bazel and others that follow EngFlow's credential helper specification: `get`, a URI as JSON, headers as JSON. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "callers.h"
#include "host/document.h"

int
rbr_caller_bazel(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message question = RBR_MESSAGE_EMPTY;
	const char *uri;
	int rc;

	if (argc != 2 || strcmp(argv[1], "get") != 0)
		return rbr_caller_misuse(context, argv[0]);
	rc = rbr_document_take(context, STDIN_FILENO, &text);
	if (rc == 0)
		rc = rbr_document_read(context, text.data, text.size, "the request", &question);
	if (rc < 0)
		return rc;
	uri = rbr_message_get(&question, "uri");
	if (!uri)
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: it has no `uri`; send {\"uri\":\"https://host/path\"}");
	rc = rbr_caller_answer(context, "bazel", uri, uri);
	/* Whoever asks for everything is told that no credential is needed there. */
	return rc == RINGBEARER_E_NO_ACCOUNT ? rbr_caller_write(context, "{}\n") : rc;
}
