/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "token_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "modules/json/json.h"

#define DESCRIPTION_MAX 256 /* bytes of the server's text in a message */
#define DESCRIPTION_RAW_MAX 8192 /* bytes of it that are looked at */

/* The errors of the standards, what they mean here, and what to do. `%s` is the server's own text. */
static const struct {
	const char *error;
	int code;
	const char *advice;
} errors[] = {
	{"invalid_client", RINGBEARER_E_CLIENT_REJECTED, NULL}, /* see fail_rejected() */
	{"invalid_grant", RINGBEARER_E_CONFIG,
		"the server does not accept the grant; check `grant` and the application's settings"},
	{"unauthorized_client", RINGBEARER_E_CONFIG,
		"the application may not use this grant; check `grant` and the application's settings"},
	{"unsupported_grant_type", RINGBEARER_E_CONFIG,
		"the server does not know this grant; check `grant` and `token_endpoint`"},
	{"invalid_request", RINGBEARER_E_CONFIG,
		"the server does not understand the request; check `client_auth`, `scope` and `token_endpoint`"},
	{"invalid_scope", RINGBEARER_E_INSUFFICIENT_SCOPE,
		"the application may not have this scope; check `scope` and the application's settings"},
	{"invalid_target", RINGBEARER_E_CONFIG,
		"the server does not know this resource; check `resource` and `audience`"},
	{"invalid_dpop_proof", RINGBEARER_E_CONFIG,
		"the server wants sender-constrained tokens (DPoP), which are not supported"},
	{"use_dpop_nonce", RINGBEARER_E_CONFIG,
		"the server wants sender-constrained tokens (DPoP), which are not supported"},
	{"interaction_required", RINGBEARER_E_LOGIN_REQUIRED, "the server wants a person to log in"},
	{"consent_required", RINGBEARER_E_LOGIN_REQUIRED, "the server wants a person to consent"},
	{"login_required", RINGBEARER_E_LOGIN_REQUIRED, "the server wants a person to log in"},
	{"access_denied", RINGBEARER_E_ACCESS_DENIED, "the server says no; ask the service's administrator"},
	{"server_error", RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "the server has a problem; try again later"},
	{"temporarily_unavailable", RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "the server is too busy; try again later"},
	{"slow_down", RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "the server is too busy; try again later"},
};

static const char forbidden[] =
	"the server refuses this machine or user; if the application has an IP allow list, this machine's address must be on it "
	"(see also `ip_version`), and the user it runs as needs the permissions";

/* The server's text without the secrets it may repeat, and with everything gone that RFC 6749 section 5.2 does not allow.
 * What is to be blotted out is looked for before anything is dropped, and afterwards again. */
static void
clean(const struct rbr_oauth *oauth, const char *text, char out[DESCRIPTION_MAX])
{
	char raw[DESCRIPTION_RAW_MAX];
	size_t used = 0, i;

	(void)snprintf(raw, sizeof raw, "%s", text ? text : "");
	oauth->host->blot(oauth->call, raw);
	for (i = 0; raw[i]; i++)
		if (raw[i] >= 0x20 && raw[i] <= 0x7e && raw[i] != '"' && raw[i] != '\\')
			raw[used++] = raw[i];
	raw[used] = '\0';
	oauth->host->blot(oauth->call, raw);
	(void)snprintf(out, DESCRIPTION_MAX, "%.*s", DESCRIPTION_MAX - 1, raw);
	explicit_bzero(raw, sizeof raw);
}

static bool
is_later(long status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* What a status without an error that we know means. */
static int
code_for_status(long status)
{
	if (is_later(status))
		return RINGBEARER_E_TEMPORARILY_UNAVAILABLE;
	if (status == 401)
		return RINGBEARER_E_CLIENT_REJECTED;
	if (status == 403)
		return RINGBEARER_E_FORBIDDEN;
	if (status == 404 || status == 405 || status == 407 || status == 410)
		return RINGBEARER_E_CONFIG;
	return RINGBEARER_E_ACCESS_DENIED;
}

static const char *
advice_for_status(int code)
{
	switch (code) {
	case RINGBEARER_E_TEMPORARILY_UNAVAILABLE:
		return "the server is too busy or has a problem; try again later";
	case RINGBEARER_E_FORBIDDEN:
		return forbidden;
	case RINGBEARER_E_CONFIG:
		return "there is no token endpoint; check `token_endpoint`, `tenant` and `proxy`";
	default:
		return "the server says no; ask the service's administrator";
	}
}

static int
fail_rejected(const struct rbr_oauth *oauth, const char *error, const char *description, long status)
{
	const char *hint = oauth->host->config(oauth->call, "rejected_hint", 0);

	return oauth->host->fail(oauth->call, RINGBEARER_E_CLIENT_REJECTED,
		"the server does not accept the client (%s%s%s, status %ld); if its secret was regenerated, run `ringbearer secret "
		"%s`; if the application was switched OFF, have it switched ON; otherwise check client_id and client_auth%s%s",
		error, description[0] != '\0' ? ": " : "", description, status,
		oauth->host->config(oauth->call, "account", 0), hint ? "; " : "", hint ? hint : "");
}

static int
fail_over(const struct rbr_oauth *oauth, const char *what, const char *error, const char *description, long status)
{
	return oauth->host->fail(oauth->call, RINGBEARER_E_LOGIN_REQUIRED,
		"%s (%s%s%s, status %ld); run `ringbearer login %s`", what, error, description[0] != '\0' ? ": " : "",
		description, status, oauth->host->config(oauth->call, "account", 0));
}

/* An `error` member, with whatever status. */
static int
fail_with_error(const struct rbr_oauth *oauth, struct json_object *object, long status)
{
	char error[DESCRIPTION_MAX], description[DESCRIPTION_MAX];
	const char *advice = NULL;
	bool known = false;
	int code = 0;
	size_t i;

	clean(oauth, rbr_json_text(object, "error"), error);
	clean(oauth, rbr_json_text(object, "error_description"), description);
	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].error, error) == 0) {
			code = errors[i].code;
			advice = errors[i].advice;
			known = true;
		}
	/* Busy is busy and forbidden is forbidden, whatever word comes with it. */
	if (!known || status == 429 || status == 503 || (status == 403 && code == RINGBEARER_E_ACCESS_DENIED)) {
		code = status >= 400 ? code_for_status(status) : RINGBEARER_E_CONFIG;
		if (status == 400)
			code = RINGBEARER_E_CONFIG;
		advice = code == RINGBEARER_E_CONFIG ? "the server refuses the request; see the service's documentation"
						     : advice_for_status(code);
	}
	if (code == RINGBEARER_E_CLIENT_REJECTED)
		return fail_rejected(oauth, error, description, status);
	if (oauth->standing && strcmp(error, "invalid_grant") == 0)
		return fail_over(oauth, "the login has ended", error, description, status);
	if (code == RINGBEARER_E_LOGIN_REQUIRED)
		return fail_over(oauth, advice, error, description, status);
	return oauth->host->fail(oauth->call, code, "%s (%s%s%s, status %ld)", advice, error,
		description[0] != '\0' ? ": " : "", description, status);
}

static int
fail_with_status(const struct rbr_oauth *oauth, const struct rbr_http_answer *answer)
{
	int code = code_for_status(answer->status);

	if (answer->status >= 300 && answer->status < 400)
		return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"the server redirects token requests to `%s`, which is never followed since the secret would go along; correct "
			"`token_endpoint`",
			answer->location_host);
	if (code == RINGBEARER_E_CLIENT_REJECTED)
		return fail_rejected(oauth, "no reason given", "", answer->status);
	return oauth->host->fail(oauth->call, code, "%s (status %ld)", advice_for_status(code), answer->status);
}

static int
malformed(const struct rbr_oauth *oauth, const char *what)
{
	return oauth->host->fail(oauth->call, RINGBEARER_E_MALFORMED_RESPONSE,
		"the server's answer %s; check `token_endpoint`, and ask the service's support", what);
}

/* A JSON number, or digits in a string as some servers have it; unknown if it is neither. */
static int64_t
expires_in(const struct rbr_oauth *oauth, struct json_object *object)
{
	const char *text = rbr_json_text(object, "expires_in");
	struct json_object *member;
	int64_t seconds = RBR_EXPIRES_IN_MAX + 1;

	if (!json_object_object_get_ex(object, "expires_in", &member) || !member)
		return RINGBEARER_EXPIRES_UNKNOWN;
	if (json_object_is_type(member, json_type_int))
		seconds = json_object_get_int64(member);
	else if (json_object_is_type(member, json_type_double) &&
		json_object_get_double(member) < (double)RBR_EXPIRES_IN_MAX)
		seconds = json_object_get_double(member) < 1 ? 0 : (int64_t)json_object_get_double(member);
	else if (text && strlen(text) < 12 && strlen(text) > 0 && strspn(text, "0123456789") == strlen(text))
		seconds = strtoll(text, NULL, 10);
	if (seconds <= 0)
		return 0;
	if (seconds > RBR_EXPIRES_IN_MAX) {
		oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "the server's expires_in is not believed");
		return RINGBEARER_EXPIRES_UNKNOWN;
	}
	return seconds;
}

static int
check_type(const struct rbr_oauth *oauth, struct json_object *object)
{
	const char *required = oauth->host->config(oauth->call, "token_type_required", 0);
	const char *type = rbr_json_text(object, "token_type");
	char shown[DESCRIPTION_MAX];

	if (!rbr_json_has(object, "token_type")) {
		if (required && strcmp(required, "no") == 0)
			return 0;
		return malformed(
			oauth, "has no token_type (set token_type_required = no if the service never sends one)");
	}
	if (type && strcasecmp(type, "bearer") == 0)
		return 0;
	clean(oauth, type, shown);
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
	tokens->token_type = "Bearer";
	tokens->expires_in = expires_in(oauth, object);
	tokens->access_token = host->secret_new(access_token, strlen(access_token));
	tokens->scope = scope ? host->secret_new(scope, strlen(scope)) : NULL;
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
	struct json_object *object = rbr_json_parse(host->secret_data(answer->body), host->secret_size(answer->body));
	int rc;

	if (answer->retry_after > 0)
		host->retry_after(oauth->call, answer->retry_after);
	if (answer->status >= 300 && answer->status < 400)
		rc = fail_with_status(oauth, answer);
	else if (object && rbr_json_has(object, "error"))
		rc = fail_with_error(oauth, object, answer->status);
	else if (answer->status < 200 || answer->status >= 300)
		rc = fail_with_status(oauth, answer);
	else if (!object || answer->status != 200)
		rc = malformed(oauth, "is no JSON object");
	else
		rc = take_tokens(oauth, object, ret_tokens);
	json_object_put(object);
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
