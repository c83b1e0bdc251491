/* SPDX-License-Identifier: MIT */
/* `store`: keeps a secret that arrives on stdin. What git stores is the token that it was handed: nothing to do. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "custody.h"
#include "protocol/message.h"
#include "vault.h"

static int
keep(struct rbr_context *context, struct rbr_account *account, const char *kind, const char *value)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	int rc = rbr_secret_append_string(&secret, value);

	if (rc < 0)
		return rbr_fail_memory(&context->error);
	return rbr_custody_keep(context, account, kind, &secret, false);
}

int
rbr_command_store(struct rbr_context *context, int argc, char **argv)
{
	static const char *const kinds[] = {RBR_KIND_CLIENT_SECRET, RBR_KIND_REFRESH_TOKEN, RBR_KIND_API_KEY};
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;
	const char *name, *value;
	bool loaded = false;
	size_t i;
	int rc = rbr_no_argument(context, argc, argv);

	if (rc == 0)
		rc = rbr_message_read(&message, STDIN_FILENO, &context->error);
	name = rc == 0 ? rbr_message_get(&message, "account") : NULL;
	for (i = 0; rc == 0 && name && i < RBR_ARRAY_SIZE(kinds); i++) {
		value = rbr_message_get(&message, kinds[i]);
		if (!value)
			continue;
		(void)snprintf(context->account, sizeof context->account, "%s", name);
		if (!loaded)
			rc = rbr_account_load(name, &account, &context->error);
		loaded = true;
		if (rc == 0)
			rc = keep(context, &account, kinds[i], value);
	}
	return rc;
}
