/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "token_response.h"

#include <string.h>
#include <strings.h>

#include "identity.h"
#include "modules/json/json.h"
#include "refusal_words.h"
#include "token_refusal.h"

static int
malformed(const struct rbr_oauth *oauth, const char *what)
{
	return oauth->host->fail(oauth->call, RINGBEARER_E_MALFORMED_RESPONSE,
		"the server's answer %s; check `token_endpoint`, and ask the service's support", what);
}

/* Unknown where it is no number, or one that nobody means. */
static int64_t
expires_in(const struct rbr_oauth *oauth, struct json_object *object)
{
	int64_t seconds;

	if (!rbr_json_has(object, "expires_in"))
		return RINGBEARER_EXPIRES_UNKNOWN;
	if (!rbr_json_number(object, "expires_in", &seconds) || seconds > RBR_EXPIRES_IN_MAX) {
		oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "the server's expires_in is not believed");
		return RINGBEARER_EXPIRES_UNKNOWN;
	}
	return seconds > 0 ? seconds : 0;
}

static int
check_type(const struct rbr_oauth *oauth, struct json_object *object)
{
	const char *required = oauth->host->config(oauth->call, "token_type_required", 0);
	const char *type = rbr_json_text(object, "token_type");
	char shown[RBR_CLEAN_TEXT_MAX];

	if (!rbr_json_has(object, "token_type")) {
		if (required && strcmp(required, "no") == 0)
			return 0;
		return malformed(
			oauth, "has no token_type (set token_type_required = no if the service never sends one)");
	}
	if (type && strcasecmp(type, "bearer") == 0)
		return 0;
	rbr_clean_text(oauth, type, shown);
	return oauth->host->fail(oauth->call, RINGBEARER_E_MALFORMED_RESPONSE,
		"the server issues tokens of type `%s`; only Bearer is supported", shown);
}

/* The scope as granted: NQCHAR and blanks only (RFC 6749 appendix A.4), else it is not known. */
static const char *
granted_scope(struct json_object *object)
{
	const char *scope = rbr_json_text(object, "scope"), *p;

	for (p = scope; p && *p; p++)
		if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
			return NULL;
	return scope;
}

/* Only bytes FROM to 0x7E? */
static bool
is_clean(const char *text, char from)
{
	for (; *text; text++)
		if (*text < from || *text > 0x7e)
			return false;
	return true;
}

/* An ID token is kept where the account says that it is handed out: the kernel has little room. */
static int
take_id_token(const struct rbr_oauth *oauth, struct json_object *object, struct ringbearer_tokens *tokens)
{
	const char *wanted = oauth->host->config(oauth->call, "token", 0), *token = rbr_json_text(object, "id_token");

	if (!wanted || strcmp(wanted, "id_token") != 0 || !token || *token == '\0')
		return 0;
	if (!is_clean(token, 0x21))
		return malformed(oauth, "has an ID token with bytes that no token may have");
	tokens->id_expires = rbr_id_token_expires(oauth, token);
	tokens->id_token = oauth->host->secret_new(token, strlen(token));
	return tokens->id_token ? 0 : oauth->host->fail(oauth->call, RINGBEARER_E_SYSTEM, "out of memory");
}

static int
take_tokens(const struct rbr_oauth *oauth, struct json_object *object, struct ringbearer_tokens *tokens)
{
	const struct ringbearer_host *host = oauth->host;
	const char *access_token = rbr_json_text(object, "access_token");
	const char *refresh_token = rbr_json_text(object, "refresh_token");
	const char *scope = granted_scope(object);
	int rc;

	/* First of all, so that it is kept whatever is wrong with the rest: the server has put it in the old one's place. */
	if (refresh_token && *refresh_token && is_clean(refresh_token, 0x20))
		tokens->refresh_token = host->secret_new(refresh_token, strlen(refresh_token));
	if (!access_token || *access_token == '\0')
		return malformed(oauth, "has no access_token");
	rc = check_type(oauth, object);
	if (rc < 0)
		return rc;
	if (!is_clean(access_token, 0x21) || (refresh_token && !is_clean(refresh_token, 0x20)) ||
		(!refresh_token && rbr_json_has(object, "refresh_token")))
		return malformed(oauth, "has a token with bytes that no token may have");
	rc = take_id_token(oauth, object, tokens);
	if (rc < 0)
		return rc;
	tokens->token_type = "Bearer";
	tokens->expires_in = expires_in(oauth, object);
	tokens->access_token = host->secret_new(access_token, strlen(access_token));
	tokens->scope = scope ? host->secret_new(scope, strlen(scope)) : NULL;
	tokens->user = oauth->standing ? rbr_identity(oauth, object) : NULL;
	if (!tokens->access_token || (scope && !tokens->scope) ||
		(refresh_token && *refresh_token && !tokens->refresh_token))
		return host->fail(oauth->call, RINGBEARER_E_SYSTEM, "out of memory");
	return 0;
}

int
rbr_token_response(
	const struct rbr_oauth *oauth, const struct rbr_http_answer *answer, struct ringbearer_tokens *ret_tokens)
{
	const struct ringbearer_host *host = oauth->host;
	const char *text = host->secret_data(answer->body);
	size_t size = host->secret_size(answer->body);
	struct json_object *object = rbr_json_parse(text, size), *loose = NULL;
	bool success = answer->status >= 200 && answer->status < 300;
	int rc;

	/* A description in another encoding must not hide the error. Nothing but an error is believed of such an answer. */
	if (!object)
		loose = rbr_json_parse_loose(text, size);
	if (answer->retry_after > 0)
		host->retry_after(oauth->call, answer->retry_after);
	if (!success || rbr_token_has_error(object ? object : loose))
		rc = rbr_token_refusal(oauth, answer, object ? object : loose);
	else if (size == 0)
		rc = malformed(oauth, "has nothing in it");
	else if (!object)
		rc = malformed(oauth, "is no JSON object");
	else
		rc = take_tokens(oauth, object, ret_tokens);
	json_object_put(object);
	json_object_put(loose);
	return rc;
}

void
rbr_token_salvage(
	const struct rbr_oauth *oauth, const struct ringbearer_secret *body, struct ringbearer_tokens *ret_tokens)
{
	const struct ringbearer_host *host = oauth->host;
	struct rbr_json_span span;

	if (!ret_tokens->refresh_token &&
		rbr_json_find(host->secret_data(body), host->secret_size(body), "refresh_token", &span) &&
		span.value_size > 0)
		ret_tokens->refresh_token = host->secret_new(span.value, span.value_size);
}
