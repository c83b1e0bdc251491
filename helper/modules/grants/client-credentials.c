/* SPDX-License-Identifier: MIT */
/* The client credentials grant (RFC 6749 section 4.4): the program itself is the user. No person, no refresh token. */
#include "config.h"

#include "modules/oauth/form.h"
#include "modules/oauth/grant.h"
#include "modules/oauth/token_request.h"
#include "protocol/module.h"

#define host rbr_grant_host /* short for what is on every line */

static int
renew(struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	const struct rbr_oauth oauth = {host, call, false, false};
	struct ringbearer_secret *parameters = host->secret_new("", 0);
	int rc =
		parameters ? rbr_form_add(&oauth, parameters, "grant_type", "client_credentials") : RINGBEARER_E_SYSTEM;

	if (rc < 0)
		rc = host->fail(call, rc, "out of memory");
	else
		rc = rbr_token_request(&oauth, input->client_secret, parameters, true, RBR_REPLAY_SAFE, ret_tokens);
	host->secret_free(parameters);
	/* One is not to be expected (section 4.4.3), and there is nothing to do with it. */
	host->secret_free(ret_tokens->refresh_token);
	ret_tokens->refresh_token = NULL;
	return rc;
}

static const struct ringbearer_grant operations = {
	.size = sizeof operations,
	.needs = RINGBEARER_NEEDS_CLIENT_SECRET,
	.renew = renew,
	.revoke = rbr_grant_revoke,
	.discover = rbr_grant_discover,
	.probe = rbr_grant_probe,
};

const struct ringbearer_module rbr_grant_module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof rbr_grant_module,
	.name = "grant-client-credentials",
	.family = "grant",
	.operations = &operations,
};
