/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "document.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "loader.h"

#define CHUNK 4096
#define READING_MS 10000 /* nothing is waited for in there */

int
rbr_document_take(struct rbr_context *context, int descriptor, struct ringbearer_secret *text)
{
	ssize_t got;

	do {
		if (rbr_secret_reserve(text, CHUNK) < 0)
			return rbr_fail_memory(&context->error);
		got = read(descriptor, text->data + text->size, CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "the request cannot be read: %s",
				strerror(errno));
		text->size += (size_t)got;
		text->data[text->size] = '\0';
		if (text->size > RBR_DOCUMENT_MAX)
			return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
				"the request has more than %u bytes; shorten it", RBR_DOCUMENT_MAX);
	} while (got != 0);
	return 0;
}

int
rbr_document_read(
	struct rbr_context *context, const char *text, size_t size, const char *what, struct rbr_message *message)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *lines = NULL;
	struct rbr_account nobody = RBR_ACCOUNT_EMPTY;
	struct ringbearer_call call = {
		.context = context, .account = &nobody, .deadline_ms = rbr_now_ms() + READING_MS};
	struct rbr_input input;
	struct rbr_error why;
	int rc = rbr_loader_input(context, "json", &input);

	if (rc < 0)
		return rc;
	if (!input.ops.flatten)
		return rbr_fail(
			&context->error, RINGBEARER_E_MODULE, "the module %s reads nothing; replace it", input.name);
	rc = rbr_loader_check(context, input.name, input.ops.flatten(&call, text, size, &lines));
	if (rc == RINGBEARER_E_MALFORMED_REQUEST) {
		why = context->error;
		return rbr_fail(&context->error, rc, "%s: %s", what, why.detail);
	}
	return rc < 0 ? rc
		      : rbr_message_parse(message, rbr_secret_string(lines), lines->size, RBR_DIALECT_WIRE, what,
				RINGBEARER_E_MALFORMED_REQUEST, &context->error);
}
