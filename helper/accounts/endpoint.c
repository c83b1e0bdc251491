/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "accounts/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "protocol/fastpath/url.h"

bool
rbr_endpoint_takes_secrets(int key)
{
	return key >= 0 && key < RBR_KEYS && strcmp(rbr_keys[key].kind, "ENDPOINT") == 0 && key != RBR_KEY_ISSUER &&
		key != RBR_KEY_AUTHORIZATION_ENDPOINT;
}

/* A client without a secret has nothing to prove itself with, and nobody has logged in yet. */
static bool
is_told_nothing(const struct rbr_account *account, enum rbr_key key)
{
	const char *client_auth = rbr_account_get(account, RBR_KEY_CLIENT_AUTH);

	return key == RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT && client_auth && strcmp(client_auth, "none") == 0;
}

int
rbr_endpoint_admit(const struct rbr_account *account, enum rbr_key key, struct rbr_error *error)
{
	const struct rbr_value *value = rbr_account_value(account, (int)key, 0);
	const char *token_endpoint = rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT);
	char origin[RBR_URL_MAX] = "a place that is no URL", own[RBR_URL_MAX] = "none";
	struct rbr_url url, home;

	/* What rests in the store is found under the token endpoint of now, and under no other. */
	if (!value || key == RBR_KEY_TOKEN_ENDPOINT || !rbr_endpoint_takes_secrets((int)key) ||
		value->layer > RBR_LAYER_METADATA || is_told_nothing(account, key))
		return 0;
	if (rbr_url_parse(&url, value->text, "it", NULL) == 0)
		rbr_url_origin(&url, origin, sizeof origin);
	if (token_endpoint && rbr_url_parse(&home, token_endpoint, "it", NULL) == 0) {
		rbr_url_origin(&home, own, sizeof own);
		if (strcmp(origin, own) == 0)
			return 0;
	}
	return rbr_fail(error, RINGBEARER_E_CONFIG,
		"the issuer's metadata lead `%s` to %.120s, and the account's secrets are for %.120s: nothing was sent; if that is "
		"right, add %s = %.200s to the account's file, or confirm it at `ringbearer login %s`",
		rbr_keys[key].name, origin, own, rbr_keys[key].name, value->text, account->name);
}
