/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "refresh.h"

#include <string.h>

#include "client_auth.h"
#include "form.h"
#include "modules/json/json.h"
#include "token_request.h"

int
rbr_refresh(const struct rbr_oauth *standing, const struct ringbearer_grant_input *input,
	struct ringbearer_tokens *ret_tokens)
{
	const struct rbr_oauth refreshing = {standing->host, standing->call, true, true}, *oauth = &refreshing;
	const struct ringbearer_host *host = oauth->host;
	struct ringbearer_secret *parameters = host->secret_new("", 0);
	bool narrower = host->config(oauth->call, "request_scope", 0) != NULL;
	int rc = parameters ? rbr_form_add(oauth, parameters, "grant_type", "refresh_token") : RINGBEARER_E_SYSTEM;

	if (rc == 0)
		rc = rbr_form_add_secret(oauth, parameters, "refresh_token", input->refresh_token);
	if (rc < 0)
		rc = host->fail(oauth->call, rc, "out of memory");
	else
		rc = rbr_token_request(
			oauth, input->client_secret, parameters, narrower, RBR_REPLAY_UNSAFE, ret_tokens);
	host->secret_free(parameters);
	return rc;
}

/* RFC 7009 section 2.2: 2xx is done, whatever the body says; and so is a token that the server does not know any more, which
 * it should not call an error. */
static int
judge(const struct rbr_oauth *oauth, const struct rbr_http_answer *answer, const char *kind)
{
	const struct ringbearer_host *host = oauth->host;
	struct json_object *object =
		rbr_json_parse_loose(host->secret_data(answer->body), host->secret_size(answer->body));
	const char *error = object ? rbr_json_text(object, "error") : NULL;
	int rc;

	if (answer->status >= 200 && answer->status < 300)
		rc = 0;
	else if (error && strcmp(error, "invalid_token") == 0)
		rc = 0;
	else if (error && strcmp(error, "unsupported_token_type") == 0)
		rc = host->fail(oauth->call, RINGBEARER_E_FORBIDDEN,
			"the server does not revoke tokens of the kind %s; they end by themselves", kind);
	else if (error && strcmp(error, "invalid_client") == 0)
		rc = host->fail(oauth->call, RINGBEARER_E_CLIENT_REJECTED,
			"the server does not accept the client, and has not revoked the %s; revoke it in the service's own pages",
			kind);
	else if (answer->status == 429 || answer->status >= 500) {
		host->retry_after(oauth->call, answer->retry_after);
		rc = host->fail(oauth->call, RINGBEARER_E_TEMPORARILY_UNAVAILABLE,
			"the server is too busy and has not revoked the %s (status %ld), which must be taken to be alive; revoke it in "
			"the service's own pages",
			kind, answer->status);
	} else
		rc = host->fail(oauth->call, RINGBEARER_E_ACCESS_DENIED,
			"the server has not revoked the %s (status %ld); revoke it in the service's own pages", kind,
			answer->status);
	json_object_put(object);
	return rc;
}

int
rbr_revoke(const struct rbr_oauth *oauth, const struct ringbearer_grant_input *input,
	const struct ringbearer_secret *token, const char *kind)
{
	const struct ringbearer_host *host = oauth->host;
	const char *endpoint = NULL;
	struct ringbearer_secret *parameters, *header = NULL;
	struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;
	int rc = host->endpoint(oauth->call, "revocation_endpoint", &endpoint);

	if (rc < 0)
		return rc;
	if (!endpoint)
		return host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"the service has no `revocation_endpoint` that is known here; revoke the login in the service's own pages");
	parameters = host->secret_new("", 0);
	rc = parameters ? rbr_form_add_secret(oauth, parameters, "token", token) : RINGBEARER_E_SYSTEM;
	if (rc == 0)
		rc = rbr_form_add(oauth, parameters, "token_type_hint", kind);
	if (rc < 0)
		rc = host->fail(oauth->call, rc, "out of memory");
	else
		rc = rbr_client_auth(oauth, input->client_secret, parameters, &header);
	if (rc == 0)
		rc = rbr_http_post(oauth, "revocation_endpoint", parameters, header, RBR_REPLAY_SAFE, &answer);
	if (rc == RINGBEARER_E_NETWORK)
		rc = host->fail(oauth->call, rc,
			"the server did not answer, and the %s must be taken to be alive; revoke it in the service's own pages",
			kind);
	else if (rc == 0)
		rc = judge(oauth, &answer, kind);
	rbr_http_answer_wipe(oauth, &answer);
	host->secret_free(header);
	host->secret_free(parameters);
	return rc;
}
