/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "grant.h"

#include "discovery.h"
#include "http.h"
#include "refresh.h"
#include "token_request.h"

const struct ringbearer_host *rbr_grant_host;

struct rbr_oauth
rbr_grant_standing(struct ringbearer_call *call)
{
	return (struct rbr_oauth){.host = rbr_grant_host, .call = call, .standing = true};
}

int
rbr_grant_renew(
	struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	const struct rbr_oauth oauth = rbr_grant_standing(call);

	return rbr_refresh(&oauth, input, ret_tokens);
}

int
rbr_grant_accept(struct ringbearer_call *call, const void *bytes, size_t size, struct ringbearer_tokens *ret_tokens)
{
	const struct rbr_oauth oauth = rbr_grant_standing(call);

	return rbr_token_accept(&oauth, bytes, size, ret_tokens);
}

int
rbr_grant_revoke(struct ringbearer_call *call, const struct ringbearer_grant_input *input,
	const struct ringbearer_secret *token, const char *kind)
{
	const struct rbr_oauth oauth = rbr_grant_standing(call);

	return rbr_revoke(&oauth, input, token, kind);
}

int
rbr_grant_discover(struct ringbearer_call *call)
{
	const struct rbr_oauth oauth = rbr_grant_standing(call);

	return rbr_discover(&oauth, ((const struct ringbearer_grant *)rbr_grant_module.operations)->authorize != NULL);
}

int
rbr_grant_probe(struct ringbearer_call *call, const char *key, struct ringbearer_probe *ret_probe)
{
	const struct rbr_oauth oauth = rbr_grant_standing(call);

	return rbr_http_probe(&oauth, key, ret_probe);
}

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	rbr_grant_host = host;
	rbr_http_begin(); /* the store may be getting ready at the same time */
	return &rbr_grant_module;
}
