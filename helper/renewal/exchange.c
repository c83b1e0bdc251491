/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "exchange.h"

#include <inttypes.h>
#include <string.h>

#include "journal/unkept.h"
#include "machines.h"
#include "person/log.h"

/* Longest token, and longest list of scopes: with its key it must fit into a line of the protocol. */
#define TOKEN_SIZE_MAX (RBR_LINE_MAX - (unsigned)sizeof "credential=") /* the NUL counts for the newline */
/* How long a token without a stated lifetime is kept. */
#define UNKNOWN_EXPIRY_SECONDS 300

static void
start(struct rbr_exchange *exchange, struct rbr_context *context, const struct rbr_account *account, bool interactive)
{
	memset(exchange, 0, sizeof *exchange);
	rbr_call_start(&exchange->call, context, account, interactive);
	rbr_exchange_begin(exchange);
}

int
rbr_exchange_start(struct rbr_exchange *exchange, struct rbr_context *context, const struct rbr_account *account,
	const char *grant, bool interactive)
{
	start(exchange, context, account, interactive);
	return rbr_loader_grant(context, grant, &exchange->grant);
}

static void
forget_tokens(struct ringbearer_tokens *tokens)
{
	rbr_secret_free(tokens->access_token);
	rbr_secret_free(tokens->refresh_token);
	rbr_secret_free(tokens->scope);
	rbr_secret_free(tokens->id_token);
	rbr_secret_free(tokens->user);
	memset(tokens, 0, sizeof *tokens);
	tokens->size = sizeof *tokens;
	tokens->expires_in = RINGBEARER_EXPIRES_UNKNOWN;
}

void
rbr_exchange_end(struct rbr_exchange *exchange)
{
	rbr_secret_free(exchange->client_secret);
	rbr_secret_free(exchange->refresh_token);
	rbr_secret_free(exchange->api_key);
	forget_tokens(&exchange->tokens);
	rbr_call_end(&exchange->call);
	memset(exchange, 0, sizeof *exchange);
}

void
rbr_exchange_begin(struct rbr_exchange *exchange)
{
	forget_tokens(&exchange->tokens);
	exchange->call.sent = rbr_clock_now();
	exchange->call.sent_ms = rbr_now_ms();
}

int
rbr_exchange_vault(struct rbr_exchange *exchange)
{
	int rc = exchange->vault_open ? 0 : rbr_vault_open(&exchange->call, &exchange->vault);

	exchange->vault_open = exchange->vault_open || rc == 0;
	return rc;
}

/* What will be looked up, as far as the account says while its grant is not loaded. One too many does no harm. */
static void
expect(const struct rbr_exchange *exchange, const char *grant)
{
	const char *client_auth = rbr_account_get(exchange->call.account, RBR_KEY_CLIENT_AUTH);
	const char *kinds[] = {NULL, NULL, NULL};
	size_t count = 0;

	if (strcmp(grant, "api_key") == 0) {
		kinds[count] = RBR_KIND_API_KEY;
	} else {
		if (strcmp(client_auth, "none") != 0)
			kinds[count++] = RBR_KIND_CLIENT_SECRET;
		if (strcmp(grant, "client_credentials") != 0)
			kinds[count] = RBR_KIND_REFRESH_TOKEN;
	}
	rbr_vault_expect(&exchange->vault, kinds);
}

int
rbr_exchange_start_renewal(
	struct rbr_exchange *exchange, struct rbr_context *context, const struct rbr_account *account, bool interactive)
{
	const char *grant = rbr_account_get(account, RBR_KEY_GRANT);

	start(exchange, context, account, interactive);
	/* What is wrong with the store is said when it is needed. */
	if (rbr_exchange_vault(exchange) == 0)
		expect(exchange, grant);
	return rbr_loader_grant(context, grant, &exchange->grant);
}

static int
look_up(struct rbr_exchange *exchange, const char *kind, struct ringbearer_secret **secret)
{
	int rc = rbr_exchange_vault(exchange);

	if (rc < 0 || *secret)
		return rc;
	rc = rbr_vault_lookup(&exchange->vault, kind, secret);
	rbr_call_hide(&exchange->call, *secret);
	return rc;
}

int
rbr_exchange_secrets(struct rbr_exchange *exchange)
{
	const char *client_auth = rbr_account_get(exchange->call.account, RBR_KEY_CLIENT_AUTH);
	int rc = 0;

	if ((exchange->grant.ops.needs & RINGBEARER_NEEDS_CLIENT_SECRET) && strcmp(client_auth, "none") != 0)
		rc = look_up(exchange, RBR_KIND_CLIENT_SECRET, &exchange->client_secret);
	if (rc == 0 && (exchange->grant.ops.needs & RINGBEARER_NEEDS_API_KEY))
		rc = look_up(exchange, RBR_KIND_API_KEY, &exchange->api_key);
	return rc;
}

int
rbr_exchange_refresh_token(struct rbr_exchange *exchange)
{
	const char *name = exchange->call.account->name;
	int rc;

	rbr_call_reveal(&exchange->call, exchange->refresh_token);
	rbr_secret_free(exchange->refresh_token);
	exchange->refresh_token = NULL;
	if (exchange->machines) {
		rc = rbr_machines_refresh_token(exchange->machines, &exchange->refresh_token);
		rbr_call_hide(&exchange->call, exchange->refresh_token);
	} else {
		rc = look_up(exchange, RBR_KIND_REFRESH_TOKEN, &exchange->refresh_token);
	}
	if (rc == RINGBEARER_E_NO_SECRET)
		return rbr_fail(&exchange->call.context->error, RINGBEARER_E_LOGIN_REQUIRED,
			"nobody has logged in yet, or the login has ended; run `ringbearer login %s`", name);
	return rc;
}

struct ringbearer_grant_input
rbr_exchange_input(const struct rbr_exchange *exchange)
{
	return (struct ringbearer_grant_input){
		.size = sizeof(struct ringbearer_grant_input),
		.client_secret = exchange->client_secret,
		.refresh_token = exchange->refresh_token,
		.api_key = exchange->api_key,
	};
}

int
rbr_exchange_renew(struct rbr_exchange *exchange)
{
	struct ringbearer_grant_input input = rbr_exchange_input(exchange);
	struct rbr_context *context = exchange->call.context;

	if (!exchange->grant.ops.renew)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s cannot renew; choose another `grant`", exchange->grant.name);
	rbr_exchange_begin(exchange);
	return rbr_loader_check(
		context, exchange->grant.name, exchange->grant.ops.renew(&exchange->call, &input, &exchange->tokens));
}

/* A key is the same each time, and some services give the same token until it is over. */
static bool
is_refused_again(const struct rbr_exchange *exchange, const struct rbr_wish *wish)
{
	return wish->refused && wish->urgency != RBR_SUSPECTED &&
		strcmp(rbr_secret_string(exchange->tokens.access_token), wish->refused) == 0;
}

static int
fail_refused(const struct rbr_exchange *exchange)
{
	const char *name = exchange->call.account->name;
	struct rbr_error *error = &exchange->call.context->error;

	if (exchange->grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN)
		return rbr_fail(error, RINGBEARER_E_LOGIN_REQUIRED,
			"the server that is asked refuses this login's token, and there is no other; run `ringbearer login %s`",
			name);
	if (exchange->grant.ops.needs & RINGBEARER_NEEDS_API_KEY)
		return rbr_fail(error, RINGBEARER_E_CLIENT_REJECTED,
			"the server refuses this API key; if it was replaced, run `ringbearer secret %s`", name);
	return rbr_fail(error, RINGBEARER_E_ACCESS_DENIED,
		"the server that is asked refuses the token, and the service gives the same one again; check what the application "
		"may do there");
}

/* The account that hands out ID tokens must have got one. */
static int
check_id_token(const struct rbr_exchange *exchange)
{
	const struct ringbearer_secret *token = exchange->tokens.id_token;
	struct rbr_error *error = &exchange->call.context->error;
	const char *kind = rbr_account_get(exchange->call.account, RBR_KEY_TOKEN);

	if (!kind || strcmp(kind, "id_token") != 0)
		return 0;
	if (!token)
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"the service gave no ID token, which `token = id_token` is for; add openid to `scope` and run `ringbearer login "
			"%s`, or take the key out",
			exchange->call.account->name);
	if (token->size > TOKEN_SIZE_MAX || !rbr_token_is_clean(rbr_secret_string(token), token->size))
		return rbr_fail(error, RINGBEARER_E_MALFORMED_RESPONSE,
			"the ID token in the answer is longer than a line, or has bytes that no token may have; ask the service's "
			"support");
	return 0;
}

/* Seconds until the first of the tokens ends, or RINGBEARER_EXPIRES_UNKNOWN. */
static int64_t
lifetime_of(const struct rbr_exchange *exchange)
{
	int64_t lifetime = exchange->tokens.expires_in, left = exchange->tokens.id_expires - exchange->call.sent.real;

	if (!exchange->tokens.id_token || exchange->tokens.id_expires == 0 ||
		(lifetime != RINGBEARER_EXPIRES_UNKNOWN && lifetime <= left))
		return lifetime;
	return left > 0 ? left : 0;
}

int
rbr_exchange_check(struct rbr_exchange *exchange, const struct rbr_wish *wish)
{
	const struct ringbearer_tokens *tokens = &exchange->tokens;
	struct rbr_context *context = exchange->call.context;
	const char *granted;
	int rc;

	if (!tokens->access_token || !tokens->token_type ||
		!rbr_token_is_clean(rbr_secret_string(tokens->access_token), tokens->access_token->size))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_RESPONSE,
			"the token in the answer has bytes that no token may have; ask the service's support");
	if (tokens->access_token->size > TOKEN_SIZE_MAX || (tokens->scope && tokens->scope->size > TOKEN_SIZE_MAX))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_RESPONSE,
			"the token or its scope is longer than the %u bytes that fit into a line; ask the service's support",
			TOKEN_SIZE_MAX);
	rc = check_id_token(exchange);
	if (rc < 0)
		return rc;
	exchange->refused_again = is_refused_again(exchange, wish);
	if (exchange->refused_again)
		return fail_refused(exchange);
	if (!tokens->scope)
		return 0;
	granted = rbr_secret_string(tokens->scope);
	if (wish->scope[0] != '\0' && !rbr_scope_covers(granted, wish->scope))
		return rbr_fail(&context->error, RINGBEARER_E_INSUFFICIENT_SCOPE,
			"the server granted `%.200s` and not all of `%.200s`; have the scopes added to the application",
			granted, wish->scope);
	return 0;
}

const char *
rbr_exchange_narrower(const struct rbr_exchange *exchange)
{
	const char *own = rbr_account_get(exchange->call.account, RBR_KEY_SCOPE);
	const char *granted = exchange->tokens.scope ? rbr_secret_string(exchange->tokens.scope) : NULL;

	return own && granted && !rbr_scope_covers(granted, own) ? granted : NULL;
}

/* Writes down what is known of the token. */
/* An edited provider makes a token void as an edited account does. The hit looks after those alone that people write. */
static int
note_provider(const struct rbr_account *account, struct rbr_message *record)
{
	char stamp[RBR_STAMP_MAX];
	int rc;

	if (account->provider_path[0] == '\0' || account->provider_shipped)
		return 0;
	(void)rbr_stamp(account->provider_path, stamp);
	rc = rbr_message_add(record, "provider", account->provider_path);
	return rc < 0 ? rc : rbr_message_add(record, "provider_stamp", stamp);
}

static int
make_record(const struct rbr_exchange *exchange, struct rbr_message *record)
{
	const struct rbr_account *account = exchange->call.account;
	const struct ringbearer_tokens *tokens = &exchange->tokens;
	const char *username = rbr_account_get(account, RBR_KEY_USERNAME);
	const char *issuer = rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT);
	int64_t lifetime = lifetime_of(exchange), ahead = rbr_account_renew_ahead(account, lifetime);
	int rc = rbr_message_add(record, "token", rbr_secret_string(tokens->access_token));

	if (rc == 0)
		rc = rbr_message_add(record, "type", tokens->token_type);
	if (rc == 0)
		rc = rbr_message_add(record, "account", account->name);
	if (rc == 0 && username)
		rc = rbr_message_add(record, "username", username);
	if (rc == 0)
		rc = note_provider(account, record);
	if (rc == 0 && issuer)
		rc = rbr_message_add(record, "from", issuer); /* whom `logout` may show it to */
	if (rc == 0 && tokens->scope)
		rc = rbr_message_add(record, "scope", rbr_secret_string(tokens->scope));
	if (rc == 0)
		rc = rbr_message_add_number(record, "obtained", exchange->call.sent.real);
	if (rc == 0)
		rc = rbr_message_add_number(record, "obtained_ms", exchange->call.sent_ms);
	if (rc == 0 && tokens->id_token)
		rc = rbr_message_add(record, "id_token", rbr_secret_string(tokens->id_token));
	if (rc == 0 && tokens->id_token)
		rc = rbr_message_add_number(record, "id_expires", tokens->id_expires);
	if (rc == 0 && tokens->expires_in > 0)
		rc = rbr_message_add_number(record, "expires", exchange->call.sent.real + tokens->expires_in);
	if (rc < 0 || lifetime <= 0) /* not known, or over already: nothing that a caller could go by */
		return rc;
	/* A token that callers no longer take is late already. */
	if (ahead < 2 * RBR_MIN_VALID_DEFAULT)
		ahead = 2 * RBR_MIN_VALID_DEFAULT;
	if (ahead > lifetime / 2)
		ahead = lifetime / 2;
	return rbr_message_add_number(record, "renew_at", exchange->call.sent.real + lifetime - ahead);
}

/* For how many seconds the token is kept. */
static int64_t
keeping_time(const struct rbr_exchange *exchange)
{
	int64_t lifetime = lifetime_of(exchange);
	int64_t assumed = rbr_account_seconds(exchange->call.account, RBR_KEY_DEFAULT_EXPIRES_IN);

	if (lifetime != RINGBEARER_EXPIRES_UNKNOWN)
		return lifetime;
	return assumed > 0 ? assumed : UNKNOWN_EXPIRY_SECONDS;
}

int
rbr_exchange_answer(const struct rbr_exchange *exchange, struct rbr_credential *ret_credential)
{
	struct rbr_context *context = exchange->call.context;
	int rc = make_record(exchange, &ret_credential->record);

	if (rc == 0 && context->unfinished < 0)
		rc = rbr_message_add(&ret_credential->record, "unfinished", "1");
	if (rc == 0)
		rc = rbr_message_add_number(
			&ret_credential->record, "boot_expires", exchange->call.sent.boot + keeping_time(exchange));
	if (rc == 0 && rbr_credential_from_record(ret_credential))
		return 0;
	rbr_credential_wipe(ret_credential);
	return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_RESPONSE,
		"the token or its scope is longer than a line of %u bytes may be; ask the service's support",
		RBR_LINE_MAX);
}

int
rbr_exchange_publish(
	const struct rbr_exchange *exchange, const struct rbr_wish *wish, struct rbr_credential *ret_credential)
{
	struct rbr_context *context = exchange->call.context;
	int64_t keep = keeping_time(exchange);
	int rc = rbr_exchange_answer(exchange, ret_credential);

	if (rc < 0)
		return rc;
	if (keep > 0 && rbr_cache_write(&wish->token_key, &ret_credential->record, keep))
		rbr_trace(context, "the token is kept for %" PRId64 " s", keep);
	else if (keep > 0)
		rbr_unkept_token(context, exchange->call.account->name);
	else
		rbr_trace(context, "the token is not kept: it has no lifetime");
	rbr_cache_drop(&wish->verdict_key);
	return 0;
}

void
rbr_exchange_settle(const struct rbr_wish *wish, const struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	const struct rbr_message *kept = &credential->record;
	const char *key;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < kept->count; i++) {
		key = rbr_message_key(kept, i);
		if (strcmp(key, "for") != 0 && strcmp(key, "written") != 0 && strcmp(key, "unfinished") != 0)
			rc = rbr_message_add(&record, key, rbr_message_value(kept, i));
	}
	if (rc == 0 && credential->unfinished && credential->boot_expires > 0)
		(void)rbr_cache_write(&wish->token_key, &record, credential->boot_expires - rbr_clock_now().boot);
}
