/* SPDX-License-Identifier: MIT */
/* `store`: keeps a secret of an account, or what git gives for a place without one. What git stores for a place with an
 * account is the token that it was handed: nothing to do. */
#include "config.h"

#include <stdio.h>

#include "accounts/match.h"
#include "command.h"
#include "custody.h"
#include "stores.h"
#include "vault/storage.h"
#include "vault/vault.h"

static int
keep(struct rbr_context *context, struct rbr_account *account, const char *kind, const char *value, bool interactive)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	int rc = rbr_secret_append_string(&secret, value);

	if (rc < 0)
		return rbr_fail_memory(&context->error);
	return rbr_custody_keep(context, account, kind, &secret, interactive);
}

static int
keep_of_account(struct rbr_context *context, const struct rbr_request *request)
{
	static const char *const kinds[] = {RBR_KIND_CLIENT_SECRET, RBR_KIND_REFRESH_TOKEN, RBR_KIND_API_KEY};
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	bool loaded = false;
	const char *value;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < RBR_ARRAY_SIZE(kinds); i++) {
		value = rbr_message_get(&request->message, kinds[i]);
		if (!value)
			continue;
		(void)snprintf(context->account, sizeof context->account, "%s", request->account);
		if (!loaded)
			rc = rbr_account_load(request->account, &account, &context->error);
		if (rc == 0 && !loaded && request->has_url)
			rc = rbr_match_require(context, &account, &request->url);
		loaded = true;
		if (rc == 0)
			rc = keep(context, &account, kinds[i], value, request->interactive);
	}
	if (rc == 0 && !loaded && !rbr_request_named_token(request)) /* git hands back what it was handed */
		rc = rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: there is no secret in it; add client_secret=, refresh_token= or api_key=");
	return rc;
}

int
rbr_command_store(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	char name[RBR_ACCOUNT_NAME_MAX + 1];
	int rc;

	if (argc > 1 && rbr_stores_knows(argv[1]))
		return rbr_stores_see_to(context, argc - 1, argv + 1);
	rc = rbr_ask_message(context, argc, argv, &request);
	if (rc < 0)
		return rc;
	/* What has no secret in it, or nowhere to belong to, is left alone. */
	if (!rbr_message_get(&request.message, "account") && !rbr_request_named_token(&request))
		return 0;
	rc = rbr_request_understand(&request, &context->error);
	if (rc == 0)
		rc = rbr_ask_place(context, &request);
	if (rc < 0)
		return rc;
	if (request.account)
		return keep_of_account(context, &request);
	rc = rbr_match_find(context, &request.url, request.username, name);
	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return rbr_storage_keep(context, &request);
	return rc == RINGBEARER_E_AMBIGUOUS_ACCOUNT ? 0 : rc; /* `get` would never give it out */
}
