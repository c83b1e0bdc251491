/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "token_refusal.h"

#include <stdio.h>
#include <string.h>

#include "refusal_words.h"

#define ADVICE_MAX 448

/* The errors of the standards, and of services that have names of their own for a login that has ended; what they mean here, and
 * what to do. */
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

/* All that services call a refresh token that is dead for good: of the standard; of Ory Hydra and what is built on it; of GitHub. */
static const char *const endings[] = {"invalid_grant", "token_inactive", "bad_refresh_token", "invalid_refresh_token"};

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
advice_for_status(int code, long status)
{
	if (status == 407)
		return "a proxy on the way wants a user name and a password; check `proxy`";
	switch (code) {
	case RINGBEARER_E_TEMPORARILY_UNAVAILABLE:
		return "the server is too busy or has a problem; try again later";
	case RINGBEARER_E_CONFIG:
		return "there is no token endpoint; check `token_endpoint`, `tenant` and `proxy`";
	default:
		return "the server says no; ask the service's administrator";
	}
}

static const char *
account_of(const struct rbr_oauth *oauth)
{
	return oauth->host->config(oauth->call, "account", 0);
}

/* Is there a secret that could be wrong? */
static bool
has_secret(const struct rbr_oauth *oauth)
{
	const char *method = oauth->host->config(oauth->call, "client_auth", 0);

	return !method || strcmp(method, "none") != 0;
}

/* A login that has ended is told in many ways: unless the server names something else for sure, a person is told of this one, too. */
static void
advise_login(const struct rbr_oauth *oauth, const struct rbr_refusal *refusal, int code, char more[ADVICE_MAX])
{
	bool other = code == RINGBEARER_E_TEMPORARILY_UNAVAILABLE || refusal->status < 200 ||
		(refusal->status >= 300 && refusal->status < 400) || refusal->status == 407 ||
		(strcmp(refusal->error, "invalid_client") == 0 && has_secret(oauth));

	more[0] = '\0';
	if (oauth->refreshing && !other)
		(void)snprintf(
			more, ADVICE_MAX, "; if the login has ended, run `ringbearer login %s`", account_of(oauth));
}

static int
fail_with(const struct rbr_oauth *oauth, const struct rbr_refusal *refusal, int code, const char *advice)
{
	char more[ADVICE_MAX];

	advise_login(oauth, refusal, code, more);
	return oauth->host->fail(oauth->call, code, "%s %s%s", advice, refusal->reason, more);
}

/* The client itself is not accepted. */
static int
fail_rejected(const struct rbr_oauth *oauth, const struct rbr_refusal *refusal)
{
	const char *hint = oauth->host->config(oauth->call, "rejected_hint", 0);
	char secret[ADVICE_MAX] = "", more[ADVICE_MAX];

	advise_login(oauth, refusal, RINGBEARER_E_CLIENT_REJECTED, more);
	if (has_secret(oauth))
		(void)snprintf(secret, sizeof secret, "if its secret was regenerated, run `ringbearer secret %s`; ",
			account_of(oauth));
	return oauth->host->fail(oauth->call, RINGBEARER_E_CLIENT_REJECTED,
		"the server does not accept the client %s%s; %sif the application was switched OFF, have it switched ON; otherwise "
		"check client_id and client_auth%s%s%s",
		refusal->reason, refusal->error[0] == '\0' && refusal->text[0] == '\0' ? ", no reason given" : "",
		secret, hint ? "; " : "", hint ? hint : "", more);
}

/* 403: some services say it to a wrong secret, or to a grant that the application may not use, as well. */
static int
fail_forbidden(const struct rbr_oauth *oauth, const struct rbr_refusal *refusal)
{
	char secret[ADVICE_MAX] = "", more[ADVICE_MAX];
	bool grant = strcmp(refusal->error, "unauthorized_client") == 0;

	advise_login(oauth, refusal, RINGBEARER_E_FORBIDDEN, more);
	if (has_secret(oauth))
		(void)snprintf(secret, sizeof secret, "; if its secret was regenerated, run `ringbearer secret %s`",
			account_of(oauth));
	return oauth->host->fail(oauth->call, RINGBEARER_E_FORBIDDEN,
		"the server refuses this machine or user %s; if the application has an IP allow list, this machine's address must "
		"be on it (see also `ip_version`), the user it runs as needs the permissions%s%s%s",
		refusal->reason,
		grant || refusal->error[0] == '\0' ? ", and the application must be allowed this `grant`" : "", secret,
		more);
}

static int
fail_over(const struct rbr_oauth *oauth, const struct rbr_refusal *refusal, const char *what)
{
	return oauth->host->fail(oauth->call, RINGBEARER_E_LOGIN_REQUIRED, "%s %s; run `ringbearer login %s`", what,
		refusal->reason, account_of(oauth));
}

static bool
says_over(const char *error)
{
	size_t i;

	for (i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (strcmp(endings[i], error) == 0)
			return true;
	return false;
}

/* What the words and the status mean together. */
static int
conclude(const struct rbr_oauth *oauth, const struct rbr_refusal *refusal)
{
	const char *advice = NULL;
	long status = refusal->status;
	int code = 0;
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].error, refusal->error) == 0) {
			code = errors[i].code;
			advice = errors[i].advice;
		}
	/* Busy is busy and forbidden is forbidden, whatever word comes with it. */
	if (is_later(status) && (code == 0 || status == 429 || status == 503))
		return fail_with(oauth, refusal, RINGBEARER_E_TEMPORARILY_UNAVAILABLE,
			advice_for_status(RINGBEARER_E_TEMPORARILY_UNAVAILABLE, status));
	if (oauth->standing &&
		(strcmp(refusal->error, "invalid_grant") == 0 || (oauth->refreshing && says_over(refusal->error))))
		return fail_over(oauth, refusal,
			oauth->refreshing ? "the login has ended"
					  : "the server does not accept what the login brought");
	if (status == 403 &&
		(code == 0 || code == RINGBEARER_E_ACCESS_DENIED || strcmp(refusal->error, "unauthorized_client") == 0))
		return fail_forbidden(oauth, refusal);
	if (code == 0) {
		code = refusal->has_error && (status < 400 || status == 400) ? RINGBEARER_E_CONFIG
									     : code_for_status(status);
		advice = refusal->has_error && code == RINGBEARER_E_CONFIG && status != 407
			? "the server refuses the request; see the service's documentation"
			: advice_for_status(code, status);
	}
	if (code == RINGBEARER_E_CLIENT_REJECTED)
		return fail_rejected(oauth, refusal);
	if (code == RINGBEARER_E_LOGIN_REQUIRED)
		return fail_over(oauth, refusal, advice);
	return fail_with(oauth, refusal, code, advice);
}

int
rbr_token_refusal(const struct rbr_oauth *oauth, const struct rbr_http_answer *answer, struct json_object *object)
{
	struct rbr_refusal refusal;
	bool elsewhere = answer->location_host[0] != '\0';

	if (answer->status >= 300 && answer->status < 400)
		return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"the server redirects token requests to %s%s%s, which is never followed since the secret would go along; correct "
			"`token_endpoint`",
			elsewhere ? "`" : "another path", answer->location_host, elsewhere ? "`" : "");
	rbr_refusal_read(oauth, object, answer->status, &refusal);
	return conclude(oauth, &refusal);
}
