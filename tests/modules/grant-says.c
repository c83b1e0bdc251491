/* SPDX-License-Identifier: MIT */
/*
 * A grant module that answers with the code in $RINGBEARER_TEST_CODE, for want of a server that brings about all of them;
 * without one it hands out a token that everybody can see through.
 */
#include <stdlib.h>

#include <ringbearer/module.h>

static const struct ringbearer_host *host;

static int
renew(struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	const char *code = getenv("RINGBEARER_TEST_CODE");

	(void)input;
	if (code)
		return host->fail(call, atoi(code), "the test says so; ask it");
	ret_tokens->access_token = host->secret_new("no-secret", 9);
	ret_tokens->token_type = "Bearer";
	ret_tokens->expires_in = 60;
	return ret_tokens->access_token ? 0 : RINGBEARER_E_SYSTEM;
}

static const struct ringbearer_grant operations = {
	.size = sizeof operations,
	.renew = renew,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "grant-says",
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
