/* SPDX-License-Identifier: MIT */
/*
 * The authorization code grant (RFC 6749 section 4.1) for programs on a person's computer (RFC 8252): the system's browser,
 * a loopback listener, PKCE with S256 always (RFC 7636), a state of its own for each request, and the issuer's identity
 * where the server tells it (RFC 9207).
 *
 * The verifier never leaves this process but to the token endpoint. A code is exchanged once: if the answer is lost, the
 * login starts over.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "loopback.h"
#include "modules/oauth/form.h"
#include "modules/oauth/grant.h"
#include "modules/oauth/token_request.h"
#include "pkce.h"
#include "protocol/module.h"

#define LOGIN_MS (5 * 60 * 1000)

#define host rbr_grant_host /* short for what is on every line */

struct login {
	struct rbr_oauth oauth;
	struct rbr_loopback loopback;
	char redirect_uri[RBR_REDIRECT_MAX];
	char state[RBR_RANDOM_TEXT_SIZE];
	char verifier[RBR_RANDOM_TEXT_SIZE];
	struct rbr_callback callback;
	bool visited; /* a browser waits for the outcome */
};

/* The address that the person goes to. The endpoint's own query is kept (RFC 6749 section 3.1). */
static int
make_url(struct login *login, struct ringbearer_secret *url)
{
	const struct rbr_oauth *oauth = &login->oauth;
	const char *endpoint = host->config(oauth->call, "authorization_endpoint", 0), *resource;
	const char *more = host->config(oauth->call, "authorization_params", 0);
	const char *send_scope = host->config(oauth->call, "send_scope", 0);
	struct ringbearer_secret *query = host->secret_new("", 0);
	char challenge[RBR_RANDOM_TEXT_SIZE];
	size_t i;
	int rc = query ? 0 : RINGBEARER_E_SYSTEM;

	rbr_pkce_challenge(login->verifier, challenge);
	if (rc == 0)
		rc = rbr_form_add(oauth, query, "response_type", "code");
	if (rc == 0)
		rc = rbr_form_add(oauth, query, "client_id", host->config(oauth->call, "client_id", 0));
	if (rc == 0)
		rc = rbr_form_add(oauth, query, "redirect_uri", login->redirect_uri);
	if (rc == 0 && !(send_scope && strcmp(send_scope, "no") == 0))
		rc = rbr_form_add(oauth, query, "scope", host->config(oauth->call, "scope", 0));
	if (rc == 0)
		rc = rbr_form_add(oauth, query, "state", login->state);
	if (rc == 0)
		rc = rbr_form_add(oauth, query, "code_challenge", challenge);
	if (rc == 0)
		rc = rbr_form_add(oauth, query, "code_challenge_method", "S256");
	for (i = 0; rc == 0 && (resource = host->config(oauth->call, "resource", i)); i++)
		rc = rbr_form_add(oauth, query, "resource", resource);
	if (rc == 0)
		rc = rbr_form_add(oauth, query, "audience", host->config(oauth->call, "audience", 0));
	if (rc == 0 && more)
		rc = host->secret_append(query, "&", 1);
	if (rc == 0 && more)
		rc = host->secret_append(query, more, strlen(more));
	if (rc == 0)
		rc = host->secret_append(url, endpoint, strlen(endpoint));
	if (rc == 0)
		rc = host->secret_append(url, strchr(endpoint, '?') ? "&" : "?", 1);
	if (rc == 0)
		rc = host->secret_append(url, host->secret_data(query), host->secret_size(query));
	host->secret_free(query);
	return rc < 0 ? host->fail(oauth->call, rc, "out of memory") : 0;
}

/* The person pastes the address that the browser was sent to. */
static int
take_paste(struct login *login)
{
	struct ringbearer_secret *line = NULL;
	const char *text, *query;
	int rc = host->ask(login->oauth.call, "The address that the browser ends at (it is not shown): ", &line);

	if (rc < 0)
		return rc;
	text = host->secret_data(line) + strspn(host->secret_data(line), " \t");
	query = strchr(text, '?');
	if (!query || strncmp(text, login->redirect_uri, strlen(login->redirect_uri)) != 0 ||
		!rbr_callback_parse(query + 1, strcspn(query + 1, "# \t"), &login->callback) ||
		!login->callback.state || strcmp(login->callback.state, login->state) != 0)
		rc = host->fail(login->oauth.call, RINGBEARER_E_USAGE,
			"this is not the address of this login; run `ringbearer login %s --paste` again and copy all of it",
			host->config(login->oauth.call, "account", 0));
	host->secret_free(line);
	return rc;
}

static int
consent(struct login *login)
{
	struct ringbearer_secret *url = host->secret_new("", 0);
	bool paste = host->config(login->oauth.call, "login_paste", 0) != NULL;
	int rc = url ? make_url(login, url) : host->fail(login->oauth.call, RINGBEARER_E_SYSTEM, "out of memory");

	if (rc == 0) {
		host->visit(login->oauth.call, host->secret_data(url));
		if (paste)
			rc = take_paste(login);
		else
			rc = rbr_loopback_wait(
				&login->oauth, &login->loopback, login->state, LOGIN_MS, &login->callback);
		login->visited = rc == 0 && !paste;
	}
	host->secret_free(url);
	return rc;
}

/* What the service's page said instead of a code (RFC 6749 section 4.1.2.1). */
static int
refused(const struct login *login)
{
	static const struct {
		const char *error;
		int code;
		const char *advice;
	} errors[] = {
		{"access_denied", RINGBEARER_E_ACCESS_DENIED,
			"the service says no: consent was refused, or the user lacks what it takes"},
		{"server_error", RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "the service has a problem; try again later"},
		{"temporarily_unavailable", RINGBEARER_E_TEMPORARILY_UNAVAILABLE,
			"the service is too busy; try again later"},
		{"invalid_scope", RINGBEARER_E_CONFIG, "the application may not have these scopes; check `scope`"},
	};
	const char *description = login->callback.error_description ? login->callback.error_description : "";
	const char *hint = host->config(login->oauth.call, "denied_hint", 0);
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].error, login->callback.error) == 0)
			return host->fail(login->oauth.call, errors[i].code, "%s (%.64s%s%.200s)%s%s", errors[i].advice,
				login->callback.error, *description ? ": " : "", description, hint ? "; " : "",
				hint ? hint : "");
	return host->fail(login->oauth.call, RINGBEARER_E_CONFIG,
		"the service does not take the request; check `client_id`, `redirect_uri` and `scope` (%.64s%s%.200s)",
		login->callback.error, *description ? ": " : "", description);
}

/* Is it the service that was asked who answers? (RFC 9207 section 2.4) */
static int
check_issuer(const struct login *login)
{
	const char *issuer = host->config(login->oauth.call, "issuer", 0);

	if (!login->callback.iss && host->config(login->oauth.call, "iss_required", 0))
		return host->fail(login->oauth.call, RINGBEARER_E_ACCESS_DENIED,
			"the answer does not say which service it comes from, although the service always says so; nothing was sent to it");
	if (!login->callback.iss || !issuer || strcmp(issuer, login->callback.iss) == 0)
		return 0;
	return host->fail(login->oauth.call, RINGBEARER_E_ACCESS_DENIED,
		"the answer comes from another service (%.200s) than the one that was asked; nothing was sent to it",
		login->callback.iss);
}

static int
exchange(const struct login *login, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	const struct rbr_oauth *oauth = &login->oauth;
	struct ringbearer_secret *parameters = host->secret_new("", 0);
	int rc = parameters ? rbr_form_add(oauth, parameters, "grant_type", "authorization_code") : RINGBEARER_E_SYSTEM;

	if (rc == 0)
		rc = rbr_form_add(oauth, parameters, "code", login->callback.code);
	if (rc == 0)
		rc = rbr_form_add(oauth, parameters, "redirect_uri", login->redirect_uri);
	if (rc == 0)
		rc = rbr_form_add(oauth, parameters, "code_verifier", login->verifier);
	if (rc < 0)
		rc = host->fail(oauth->call, rc, "out of memory");
	else
		rc = rbr_token_request(oauth, input->client_secret, parameters, false, RBR_REPLAY_NEVER, ret_tokens);
	host->secret_free(parameters);
	return rc;
}

/* What the browser shows at the end. */
static void
show_outcome(struct login *login, int rc)
{
	bool denied = login->callback.error && strcmp(login->callback.error, "access_denied") == 0;
	char text[RBR_REDIRECT_MAX];
	const char *name;

	if (!login->visited)
		return;
	name = host->config(login->oauth.call, "account", 0);
	if (rc == 0)
		(void)snprintf(text, sizeof text, "The account %s is ready. You can close this window.", name);
	else
		(void)snprintf(text, sizeof text,
			"Nothing was stored for %s. The terminal says why, and what to do. You can close this window.",
			name);
	rbr_loopback_finish(&login->oauth, &login->loopback, rc == 0,
		rc == 0          ? "You are logged in"
			: denied ? "Access was not granted"
				 : "The login did not work",
		text);
}

static int
open_login(struct login *login)
{
	const char *registered = host->config(login->oauth.call, "redirect_uri", 0);
	int rc;

	if (!host->config(login->oauth.call, "authorization_endpoint", 0))
		return host->fail(login->oauth.call, RINGBEARER_E_CONFIG,
			"`authorization_endpoint` is not set; add it, or a `provider` that knows it");
	rc = rbr_random_text(&login->oauth, login->state);
	if (rc == 0)
		rc = rbr_random_text(&login->oauth, login->verifier);
	if (rc < 0)
		return rc;
	host->hide(login->oauth.call, login->verifier, strlen(login->verifier));
	if (!host->config(login->oauth.call, "login_paste", 0)) {
		rc = rbr_loopback_open(&login->oauth, registered, &login->loopback);
		(void)snprintf(login->redirect_uri, sizeof login->redirect_uri, "%s", login->loopback.redirect_uri);
		return rc;
	}
	if (!registered || strlen(registered) >= sizeof login->redirect_uri)
		return host->fail(login->oauth.call, RINGBEARER_E_CONFIG,
			"`redirect_uri` is not set; --paste needs the one that is registered at the service");
	(void)snprintf(login->redirect_uri, sizeof login->redirect_uri, "%s", registered);
	return 0;
}

/* From authorize() to conclude(): a module serves one call at a time. */
static struct login current;

static int
authorize(
	struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	struct login *login = &current;
	int rc;

	*login = (struct login){.oauth = rbr_grant_standing(call), .loopback = RBR_LOOPBACK_CLOSED};
	rc = open_login(login);
	if (rc == 0)
		rc = consent(login);
	if (rc == 0 && login->callback.error)
		rc = refused(login);
	if (rc == 0)
		rc = check_issuer(login);
	if (rc == 0 && !login->callback.code)
		rc = host->fail(call, RINGBEARER_E_MALFORMED_RESPONSE,
			"the service sent neither a code nor an error; try again");
	if (rc == 0) {
		host->hide(call, login->callback.code, strlen(login->callback.code));
		rc = exchange(login, input, ret_tokens);
	}
	return rc;
}

/* The page that the browser waits for says how all of it ended, the keyring included. */
static void
conclude(struct ringbearer_call *call, int code)
{
	(void)call;
	show_outcome(&current, code);
	rbr_loopback_close(&current.loopback);
	explicit_bzero(&current, sizeof current);
}

static const struct ringbearer_grant operations = {
	.size = sizeof operations,
	.needs = RINGBEARER_NEEDS_CLIENT_SECRET | RINGBEARER_NEEDS_REFRESH_TOKEN,
	.renew = rbr_grant_renew,
	.accept = rbr_grant_accept,
	.authorize = authorize,
	.conclude = conclude,
	.revoke = rbr_grant_revoke,
	.discover = rbr_grant_discover,
};

const struct ringbearer_module rbr_grant_module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof rbr_grant_module,
	.name = "grant-authorization-code",
	.family = "grant",
	.operations = &operations,
};
