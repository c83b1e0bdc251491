/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "broker.h"

#include <stdio.h>
#include <string.h>

#include "accounts/match.h"
#include "person/log.h"
#include "protocol/fastpath/hit.h"

/* Which account, and where its file is. */
static int
find_account(struct rbr_context *context, const struct rbr_request *request, struct rbr_wish *wish)
{
	int rc = 0;

	if (request->account) {
		rc = rbr_account_check_name(request->account, &context->error);
		if (rc < 0)
			return rc;
		(void)snprintf(wish->account, sizeof wish->account, "%s", request->account);
	} else {
		rc = rbr_match_find(context, &request->url, request->username, wish->account);
	}
	if (rc == 0)
		rc = rbr_account_locate(wish->account, &wish->located, &context->error);
	return rc == RINGBEARER_E_NO_ACCOUNT && request->account
		? rbr_account_missing(request->account, &context->error)
		: rc;
}

static int
no_scope(struct rbr_context *context, const char *scope)
{
	return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
		"the service fixes scopes at registration, and `%.200s` is not in the account's `scope`; have it added to the "
		"application, then to the account file",
		scope);
}

/* A server said insufficient_scope: asks for what the account has and what the challenge names. */
static int
widen_scope(struct rbr_context *context, const struct rbr_account *account, struct rbr_wish *wish)
{
	const char *own = rbr_account_get(account, RBR_KEY_SCOPE);
	char wanted[RBR_SCOPE_MAX];

	if (!rbr_challenge_parameter(wish->request->wanted_scope, "scope", wanted, sizeof wanted) || wanted[0] == '\0')
		return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
			"the server wants a scope that it does not name; see the service's documentation");
	if (wish->scope[0] == '\0' && own)
		(void)snprintf(wish->scope, sizeof wish->scope, "%s", own);
	if (!rbr_scope_join(wish->scope, wanted))
		return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE, "the list of scopes is too long");
	return 0;
}

/* Settles the scope once the account is known. Where the service fixes scopes, asking for a part of them is asking for
 * the account's own token. */
static int
settle_scope(struct rbr_context *context, const struct rbr_account *account, struct rbr_wish *wish)
{
	const char *own = rbr_account_get(account, RBR_KEY_SCOPE);
	const char *word;
	int rc = wish->request->wanted_scope ? widen_scope(context, account, wish) : 0;

	if (rc < 0 || wish->scope[0] == '\0')
		return rc;
	if (!rbr_account_yes(account, RBR_KEY_SEND_SCOPE)) {
		for (word = wish->scope; *word; word += strspn(word, " ")) {
			size_t size = strcspn(word, " ");

			if (!own || !rbr_scope_has(own, word, size))
				return no_scope(context, wish->scope);
			word += size;
		}
		wish->scope[0] = '\0';
	}
	return rbr_wish_make_keys(wish, &context->error);
}

/* The long way: read the account, look once more, renew. */
static int
answer_afresh(struct rbr_context *context, const struct rbr_request *request, struct rbr_wish *wish,
	struct rbr_credential *ret_credential)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	int rc = rbr_account_load(wish->account, &account, &context->error);

	if (rc < 0)
		return rc;
	if (request->account && request->has_url)
		rc = rbr_match_require(&account, &request->url, &context->error);
	if (rc < 0)
		return rc;
	rc = settle_scope(context, &account, wish);
	if (rc < 0)
		return rc;
	if (rbr_wish_recall(context, wish, ret_credential))
		return 0;
	return rbr_renewal_run(context, wish, &account, ret_credential);
}

/* The token is good, and the one to renew it with is not in the store: this run may be luckier than the one before. */
static void
finish(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;

	if (rbr_account_load(wish->account, &account, &context->error) == 0)
		rbr_renewal_finish(context, wish, &account, credential);
}

int
rbr_broker_answer(struct rbr_context *context, const struct rbr_request *request, enum rbr_urgency urgency,
	struct rbr_wish *wish, struct rbr_credential *ret_credential)
{
	int rc;

	if (rbr_hit(context, request, urgency, wish, ret_credential)) {
		rbr_trace(context, "%s: from the cache", wish->account);
		rc = rbr_wish_make_keys(wish, &context->error);
		if (rc < 0)
			return rc;
		if (ret_credential->unfinished)
			finish(context, wish, ret_credential);
		return 0;
	}
	if (request->scope && strlen(request->scope) >= sizeof wish->scope)
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the list of scopes is too long; ask for fewer");
	rc = find_account(context, request, wish);
	if (rc == 0)
		rc = rbr_wish_make_keys(wish, &context->error);
	return rc < 0 ? rc : answer_afresh(context, request, wish, ret_credential);
}

static void
renew_ahead(struct rbr_context *context, const struct rbr_wish *wish)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;

	if (rbr_account_load(wish->account, &account, &context->error) == 0)
		(void)rbr_renewal_detach(context, wish, &account);
}

void
rbr_broker_renew_ahead(
	struct rbr_context *context, const struct rbr_wish *wish, const struct rbr_credential *credential)
{
	if (!context->opened_modules && rbr_credential_ageing(credential, rbr_clock_now()))
		renew_ahead(context, wish);
}
