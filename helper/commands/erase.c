/* SPDX-License-Identifier: MIT */
/* `erase`: drops the cached token that was refused; with account= and secret=, removes a secret; for a place without an
 * account, what git had stored. The refresh token stays unless it is named: one refused access token says nothing about it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "accounts/match.h"
#include "cached.h"
#include "command.h"
#include "custody.h"
#include "journal/spent.h"
#include "vault/storage.h"
#include "vault/vault.h"

static int
erase_secret(struct rbr_context *context, const char *name, const char *kind, bool interactive)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_close) int turn = -1;
	bool all = strcmp(kind, "all") == 0;
	int rc;

	if (!all && !rbr_vault_knows(kind))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: `secret` names no kind; write client_secret, refresh_token, api_key or all");
	rc = rbr_account_load(name, &account, &context->error);
	return rc < 0 ? rc : rbr_custody_erase(context, &account, all ? NULL : kind, interactive, &turn);
}

/* A place where the account does not answer has nothing to say about its token. One whose file is gone is nowhere. */
static int
check_place(struct rbr_context *context, const struct rbr_request *request)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;

	if (!request->has_url || rbr_account_load(request->account, &account, NULL) < 0)
		return 0;
	return rbr_match_require(context, &account, &request->url);
}

int
rbr_command_erase(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	char name[RBR_ACCOUNT_NAME_MAX + 1];
	const char *kind;
	int rc = rbr_ask_message(context, argc, argv, &request);

	if (rc == 0)
		rc = rbr_request_understand(&request, &context->error);
	if (rc == 0)
		rc = rbr_ask_place(context, &request);
	if (rc < 0)
		return rc;
	if (!request.account) {
		rc = rbr_match_find(context, &request.url, request.username, name);
		if (rc < 0)
			return rc == RINGBEARER_E_NO_ACCOUNT ? rbr_storage_erase(context, &request) : 0;
	} else {
		rc = rbr_account_check_name(request.account, &context->error);
		if (rc == 0)
			rc = check_place(context, &request);
		if (rc < 0) /* git says it to every helper that stands there */
			return rc == RINGBEARER_E_NO_ACCOUNT && context->for_git ? 0 : rc;
		(void)snprintf(name, sizeof name, "%s", request.account);
	}
	(void)snprintf(context->account, sizeof context->account, "%s", name);
	kind = request.account ? rbr_message_get(&request.message, "secret") : NULL;
	if (kind)
		return erase_secret(context, name, kind, request.interactive);
	rbr_cached_forget(name, rbr_request_named_token(&request));
	rbr_spent_note(name, rbr_request_named_token(&request));
	return 0; /* what a file that is gone has left in the cache is dropped, too */
}
