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

#include "answer.h"
#include "loopback.h"
#include "modules/oauth/form.h"
#include "modules/oauth/grant.h"
#include "modules/oauth/identity.h"
#include "modules/oauth/pkce.h"
#include "modules/oauth/token_request.h"
#include "protocol/module.h"
#include "protocol/url-characters.h"

#define LOGIN_MS (5 * 60 * 1000)
#define START_MS (10 * 1000) /* for a browser to set out, before somebody is asked to paste */

#define host rbr_grant_host /* short for what is on every line */

struct login {
	struct rbr_oauth oauth;
	struct rbr_loopback loopback;
	char redirect_uri[RBR_REDIRECT_MAX];
	char state[RBR_RANDOM_TEXT_SIZE];
	char verifier[RBR_RANDOM_TEXT_SIZE];
	struct rbr_callback callback;
	bool visited; /* a browser waits for the outcome */
	char user[RBR_IDENTITY_MAX]; /* who has logged in; "" if nobody says */
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
	if (rc < 0)
		return host->fail(oauth->call, rc, "out of memory");
	if (!rbr_has_url_characters(host->secret_data(url)) || strchr(host->secret_data(url), '#'))
		return host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"`authorization_endpoint` or `authorization_params` has characters in it that no such address may have; correct it, "
			"or ask the service's support if it is the issuer's metadata that say so");
	return 0;
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

/* Takes the person to the service's page. A browser is not given the request, which everybody could read on its command line,
 * but an address of ours that leads there. Where none is opened, the person is given the request itself: the browser that they
 * take it to may be elsewhere, and need not reach us before it comes back. */
static int
send_out(struct login *login, const char *url)
{
	const struct rbr_oauth *oauth = &login->oauth;
	bool paste = host->config(oauth->call, "login_paste", 0) != NULL;
	int rc = login->loopback.redirect_uri[0] != '\0' ? rbr_loopback_lead(oauth, &login->loopback, url) : 0;

	if (rc < 0)
		return rc;
	login->loopback.guarded =
		host->visit(oauth->call, url, login->loopback.start[0] != '\0' ? login->loopback.start : NULL);
	if (paste && login->loopback.guarded && !rbr_loopback_wait_start(oauth, &login->loopback, START_MS))
		host->tell(oauth->call, "No browser has come for it; open this address yourself:\n\n  %s\n", url);
	return 0;
}

static int
consent(struct login *login)
{
	struct ringbearer_secret *url = host->secret_new("", 0);
	bool paste = host->config(login->oauth.call, "login_paste", 0) != NULL;
	int rc = url ? make_url(login, url) : host->fail(login->oauth.call, RINGBEARER_E_SYSTEM, "out of memory");

	if (rc == 0)
		rc = send_out(login, host->secret_data(url));
	if (rc == 0 && paste)
		rc = take_paste(login);
	else if (rc == 0)
		rc = rbr_loopback_wait(&login->oauth, &login->loopback, login->state, LOGIN_MS, &login->callback);
	login->visited = rc == 0 && !paste;
	login->loopback.destination = NULL; /* nobody sets out any more */
	host->secret_free(url);
	return rc;
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
	const char *name, *user = login->user;

	if (!login->visited)
		return;
	name = host->config(login->oauth.call, "account", 0);
	if (rc == 0)
		(void)snprintf(text, sizeof text, "The account %s is ready%s%s. You can close this window.", name,
			*user ? "; the service says that you are " : "", user);
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
	/* The browser sets out from here, wherever it ends. */
	return host->config(login->oauth.call, "login_no_browser", 0)
		? 0
		: rbr_loopback_open(&login->oauth, NULL, &login->loopback);
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
	if (rc == 0)
		rc = rbr_answer_check(&login->oauth, &login->callback);
	if (rc == 0) {
		host->hide(call, login->callback.code, strlen(login->callback.code));
		rc = exchange(login, input, ret_tokens);
	}
	if (rc == 0 && ret_tokens->user)
		(void)snprintf(login->user, sizeof login->user, "%s", host->secret_data(ret_tokens->user));
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
	.probe = rbr_grant_probe,
};

const struct ringbearer_module rbr_grant_module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof rbr_grant_module,
	.name = "grant-authorization-code",
	.family = "grant",
	.operations = &operations,
};
