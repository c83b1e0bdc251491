/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "idn.h"

#include <string.h>

#include "host.h"
#include "loader.h"
#include "person/log.h"
#include "protocol/message.h"

#define READING_MS 1000 /* nothing is waited for in there */
/* Of a name that a network knows. */
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

static int
translate(struct rbr_context *context, const char *host, struct rbr_message *ret_answer)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *lines = NULL;
	struct rbr_account nobody = RBR_ACCOUNT_EMPTY;
	struct ringbearer_call call = {
		.context = context, .account = &nobody, .deadline_ms = rbr_now_ms() + READING_MS};
	struct rbr_input input;
	int rc = rbr_loader_input(context, "idn", &input);

	if (rc == 0 && !input.ops.flatten)
		rc = RINGBEARER_E_MODULE;
	if (rc == 0)
		rc = rbr_loader_check(context, input.name, input.ops.flatten(&call, host, strlen(host), &lines));
	if (rc < 0 || !lines)
		return rc < 0 ? rc : RINGBEARER_E_MODULE;
	return rbr_message_parse(ret_answer, rbr_secret_string(lines), lines->size, RBR_DIALECT_WIRE, "the host",
		RINGBEARER_E_MALFORMED_REQUEST, &context->error);
}

void
rbr_idn_settle(struct rbr_context *context, char *host, size_t room)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message answer = RBR_MESSAGE_EMPTY;
	const struct rbr_error before = context->error;
	const char *settled = NULL;

	if (translate(context, host, &answer) == 0)
		settled = rbr_message_get(&answer, "host");
	else
		rbr_trace(context, "the host stays as it is written: %s", context->error.detail);
	if (settled && *settled && strlen(settled) < room && settled[strspn(settled, HOST_CHARACTERS)] == '\0')
		memcpy(host, settled, strlen(settled) + 1);
	context->error = before;
}
