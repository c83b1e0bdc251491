/* SPDX-License-Identifier: MIT */
/* `refresh`: renews now. */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "command.h"
#include "person/log.h"
#include "renewal/broker.h"
#include "renewal/discovery.h"

enum { OPTION_METADATA = 1 };

/* The issuer is asked for its endpoints again. */
static int
forget_metadata(struct rbr_context *context, const char *name)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	int rc = rbr_account_load(name, &account, &context->error);

	if (rc == 0)
		rbr_discovery_forget(&account);
	return rc;
}

int
rbr_command_refresh(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{"metadata", no_argument, NULL, OPTION_METADATA}, {NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	const char *name = NULL;
	bool metadata = false;
	int64_t left;
	int option, rc;

	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		metadata = true;
	}
	rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0 && metadata)
		rc = forget_metadata(context, name);
	if (rc < 0)
		return rc;
	if (rbr_message_add(&request.message, "account", name) < 0 ||
		rbr_message_add(&request.message, "interactive", "auto") < 0)
		return rbr_fail_memory(&context->error);
	rc = rbr_request_understand(&request, &context->error);
	if (rc == 0)
		rc = rbr_broker_answer(context, &request, RBR_FORCED, &wish, &credential);
	if (rc < 0)
		return rc;
	left = rbr_credential_remaining(&credential, rbr_clock_now());
	if (credential.expires != 0)
		rbr_say("%s: renewed, valid for %lld s\n", name, (long long)left);
	else
		rbr_say("%s: renewed\n", name);
	return 0;
}
