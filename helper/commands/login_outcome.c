/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "login_outcome.h"

#include <string.h>

#include "cached.h"
#include "person/log.h"
#include "renewal/sharing.h"
#include "renewal/turn.h"

/* A token without an end, and nothing to renew it with, is itself what the login has brought. It can be kept only where the
 * account says where it may be sent. */
static bool
is_lasting(const struct rbr_exchange *exchange)
{
	return !exchange->tokens.refresh_token && exchange->tokens.access_token &&
		exchange->tokens.expires_in == RINGBEARER_EXPIRES_UNKNOWN &&
		!rbr_account_get(exchange->call.account, RBR_KEY_DEFAULT_EXPIRES_IN) &&
		rbr_account_get(exchange->call.account, RBR_KEY_MATCH);
}

/* Keeps what the login has brought, and removes what an earlier one has left in another kind. */
static int
replace_standing(
	struct rbr_exchange *exchange, const char *kind, const struct ringbearer_secret *secret, const char *other)
{
	char endpoint[RBR_BINDING_MAX];
	int rc = rbr_vault_keep(&exchange->vault, kind, secret);

	if (rc == 0 && rbr_vault_binding(exchange->call.account, other, endpoint, NULL) == 0)
		rc = rbr_vault_erase(&exchange->vault, other);
	return rc;
}

/* What an earlier login has left; without a `match` there can be no lasting token. */
static int
erase_standing(struct rbr_exchange *exchange)
{
	int rc = rbr_vault_erase(&exchange->vault, RBR_KIND_REFRESH_TOKEN);

	if (rc == 0 && rbr_account_get(exchange->call.account, RBR_KEY_MATCH))
		rc = rbr_vault_erase(&exchange->vault, RBR_KIND_API_KEY);
	return rc;
}

static bool
same_key(const struct rbr_account *a, const struct rbr_account *b, enum rbr_key key)
{
	const struct rbr_value *mine, *other;
	size_t i = 0;

	do {
		mine = rbr_account_value(a, (int)key, i);
		other = rbr_account_value(b, (int)key, i++);
	} while (mine && other && strcmp(mine->text, other->text) == 0);
	return !mine && !other;
}

/* May a file that was edited still have what its account was given consent for? */
static bool
is_for(const struct rbr_account *account, const struct rbr_account *now)
{
	static const enum rbr_key keys[] = {RBR_KEY_CLIENT_ID, RBR_KEY_ISSUER, RBR_KEY_STORE, RBR_KEY_SCOPE,
		RBR_KEY_RESOURCE, RBR_KEY_AUDIENCE, RBR_KEY_MATCH};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(keys); i++)
		if (!same_key(account, now, keys[i]))
			return false;
	return !rbr_account_get(now, RBR_KEY_TOKEN_ENDPOINT) || same_key(account, now, RBR_KEY_TOKEN_ENDPOINT);
}

/* A person may take minutes, and the account may be gone or another by then: it was given consent for what it was. */
static int
check_account(struct rbr_context *context, const struct rbr_account *account, const struct rbr_wish *wish)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account now = RBR_ACCOUNT_EMPTY;
	struct rbr_located located;
	int rc = rbr_account_locate(wish->account, &located, &context->error);

	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return rbr_fail(&context->error, rc,
			"the account was removed while the login was under way, and nothing of the login was kept; add the account "
			"again if it is wanted, and log in then");
	if (rc < 0 || strcmp(located.stamp, wish->located.stamp) == 0)
		return rc;
	if (rbr_account_load(wish->account, &now, NULL) == 0 && is_for(account, &now))
		return 0;
	return rbr_fail(&context->error, RINGBEARER_E_CONFIG,
		"the account was changed while the login was under way, and nothing of the login was kept; run `ringbearer login %s` "
		"again",
		wish->account);
}

/* What cannot be kept is given back to the service, if it takes it. */
static void
give_back(struct rbr_exchange *exchange)
{
	struct ringbearer_grant_input input = rbr_exchange_input(exchange);
	struct rbr_error why = exchange->call.context->error;

	if (exchange->tokens.refresh_token && exchange->grant.ops.revoke &&
		rbr_account_get(exchange->call.account, RBR_KEY_REVOCATION_ENDPOINT) &&
		exchange->grant.ops.revoke(
			&exchange->call, &input, exchange->tokens.refresh_token, RBR_KIND_REFRESH_TOKEN) < 0)
		rbr_trace(exchange->call.context, "the refresh token that is not kept was not revoked");
	exchange->call.context->error = why;
}

int
rbr_outcome_keep(struct rbr_exchange *exchange, const struct rbr_wish *wish, struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_close) int turn = -1;
	struct rbr_context *context = exchange->call.context;
	int rc = rbr_turn_take(context, exchange->call.account, &turn);

	exchange->call.deadline_ms = rbr_now_ms() + rbr_account_seconds(exchange->call.account, RBR_KEY_TIMEOUT) * 1000;
	if (rc == 0) {
		rc = check_account(context, exchange->call.account, wish);
		if (rc < 0)
			give_back(exchange);
	}
	if (rc == 0 && exchange->tokens.refresh_token)
		rc = replace_standing(
			exchange, RBR_KIND_REFRESH_TOKEN, exchange->tokens.refresh_token, RBR_KIND_API_KEY);
	else if (rc == 0 && is_lasting(exchange))
		rc = replace_standing(
			exchange, RBR_KIND_API_KEY, exchange->tokens.access_token, RBR_KIND_REFRESH_TOKEN);
	else if (rc == 0)
		rc = erase_standing(exchange);
	if (rc == 0)
		rc = rbr_vault_keep_confirmed(&exchange->vault);
	if (rc < 0)
		return rc;
	rbr_cached_forget_all(context, exchange->call.account); /* whatever is wrong with the access token */
	rc = rbr_exchange_check(exchange, wish);
	if (rc < 0)
		return rc;
	rbr_sharing_offer(exchange);
	return rbr_exchange_publish(exchange, wish, credential);
}

/* What may bring a refresh token the next time. */
static const char *
advice_for_next_time(const struct rbr_account *account)
{
	const char *scope = rbr_account_get(account, RBR_KEY_SCOPE),
		   *parameters = rbr_account_get(account, RBR_KEY_AUTHORIZATION_PARAMS);

	if (!scope || !strstr(scope, "offline_access"))
		return "; add offline_access to `scope` if the service knows it, and log in again";
	if (parameters && strstr(parameters, "prompt="))
		return "";
	return "; some services grant offline_access only to who is asked for consent: add `authorization_params = prompt=consent`, "
	       "and log in again";
}

void
rbr_outcome_report(const struct rbr_exchange *exchange, const struct rbr_credential *credential)
{
	struct rbr_context *context = exchange->call.context;
	const char *narrower = rbr_exchange_narrower(exchange), *name = exchange->call.account->name;

	if (narrower)
		rbr_warn(context, name, "the server granted only `%s`", narrower);
	rbr_say("%s: logged in", name);
	if (exchange->tokens.user)
		rbr_say(" as %s", rbr_secret_string(exchange->tokens.user));
	if (credential->expires != 0)
		rbr_say(", valid for %lld s", (long long)rbr_credential_remaining(credential, rbr_clock_now()));
	rbr_say("%s\n", exchange->tokens.refresh_token ? ", then renewed without you" : "");
	if (!exchange->tokens.refresh_token && !is_lasting(exchange))
		rbr_warn(exchange->call.context, name,
			"the service gave no refresh token, so the login ends with this token%s",
			advice_for_next_time(exchange->call.account));
}
