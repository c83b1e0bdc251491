/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "broker.h"

#include <stdio.h>
#include <string.h>

#include "accounts/match.h"
#include "person/log.h"
#include "protocol/fastpath/challenge.h"
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

/* May a server have this scope asked for? Only what the account names, or the caller itself: who answers a request with a
 * challenge is no friend of the account's, and a scope that was never consented to may cost the login. */
static bool
may_want(const struct rbr_account *account, const struct rbr_wish *wish, const char *wanted)
{
	const char *own = rbr_account_get(account, RBR_KEY_SCOPE);
	const char *more = rbr_account_get(account, RBR_KEY_CHALLENGE_SCOPE);
	char known[RBR_SCOPE_MAX] = "";

	if (more && rbr_scope_has(more, "*", 1))
		return true;
	return (!own || rbr_scope_join(known, own)) && (!more || rbr_scope_join(known, more)) &&
		rbr_scope_join(known, wish->scope) && rbr_scope_names(known, wanted);
}

static int
refuse_scope(struct rbr_context *context, const struct rbr_account *account, const char *wanted)
{
	if (!rbr_account_yes(account, RBR_KEY_SEND_SCOPE))
		return no_scope(context, wanted);
	return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
		"the server wants the scope `%.200s`, which the account does not name; if it should have that, add it to `scope` in "
		"%s (and log in again where there is a login), or to `challenge_scope` if servers may ask for it",
		wanted, account->path);
}

/* The account's own token was refused for want of a scope that the account asks for anyway. */
static int
check_granted(struct rbr_context *context, const struct rbr_wish *wish, const char *wanted)
{
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential kept = RBR_CREDENTIAL_EMPTY;

	if (!rbr_cache_read(&wish->token_key, &kept.record) || !rbr_credential_from_record(&kept) ||
		!rbr_wish_refuses(wish, &kept) || !kept.scope)
		return 0;
	if (!rbr_scope_covers(kept.scope, wanted))
		return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
			"the server wants `%.200s`, and only `%.200s` was granted; have it added to the application, and consent to it "
			"with `ringbearer login %s` where there is a login",
			wanted, kept.scope, wish->account);
	return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
		"the server wants `%.200s`, which the token has; the user or the application may lack the permission at the "
		"service, see its documentation",
		wanted);
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
	if (!rbr_scope_is_sound(wanted))
		return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
			"the server wants a scope with characters that no scope may have; ask the service's support");
	if (!may_want(account, wish, wanted))
		return refuse_scope(context, account, wanted);
	if (wish->scope[0] == '\0' && own && rbr_scope_names(own, wanted))
		return check_granted(context, wish, wanted);
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
	int rc = wish->request->wanted_scope ? widen_scope(context, account, wish) : 0;

	if (rc < 0 || wish->scope[0] == '\0')
		return rc;
	if (!rbr_account_yes(account, RBR_KEY_SEND_SCOPE)) {
		if (!own || !rbr_scope_names(own, wish->scope))
			return no_scope(context, wish->scope);
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
		rc = rbr_match_require(context, &account, &request->url);
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
