/* SPDX-License-Identifier: MIT */
/* The client credentials grant (RFC 6749 section 4.4): the program itself is the user. No person, no refresh token. */
#include "config.h"

#include "oauth/form.h"
#include "oauth/token_request.h"
#include "protocol/module.h"

static const struct ringbearer_host *host;

static int
renew(struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	const struct rbr_oauth oauth = {host, call};
	struct ringbearer_secret *parameters = host->secret_new("", 0);
	int rc =
		parameters ? rbr_form_add(&oauth, parameters, "grant_type", "client_credentials") : RINGBEARER_E_SYSTEM;

	if (rc < 0)
		rc = host->fail(call, rc, "out of memory");
	else
		rc = rbr_token_request(&oauth, input->client_secret, parameters, RBR_REPLAY_SAFE, ret_tokens);
	host->secret_free(parameters);
	/* One is not to be expected (section 4.4.3), and there is nothing to do with it. */
	host->secret_free(ret_tokens->refresh_token);
	ret_tokens->refresh_token = NULL;
	return rc;
}

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "grant-client-credentials",
	.needs = RINGBEARER_NEEDS_CLIENT_SECRET,
	.renew = renew,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
