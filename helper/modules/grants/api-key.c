/* SPDX-License-Identifier: MIT */
/* An API key that the service takes as a Bearer token: there is nothing to renew, the key is the token. */
#include "config.h"

#include "protocol/module.h"

static const struct ringbearer_host *host;

static int
renew(struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	ret_tokens->access_token =
		host->secret_new(host->secret_data(input->api_key), host->secret_size(input->api_key));
	if (!ret_tokens->access_token)
		return host->fail(call, RINGBEARER_E_SYSTEM, "out of memory");
	ret_tokens->token_type = "Bearer";
	ret_tokens->expires_in = RINGBEARER_EXPIRES_UNKNOWN;
	return 0;
}

static const struct ringbearer_grant operations = {
	.size = sizeof operations,
	.needs = RINGBEARER_NEEDS_API_KEY,
	.renew = renew,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "grant-api-key",
	.family = "grant",
	.operations = &operations,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
