/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "discovery.h"

#include <string.h>

#include "person/log.h"
#include "protocol/cache.h"

#define METADATA_SECONDS (24 * 3600)

static int
learn(struct rbr_account *account, const struct rbr_message *metadata, struct rbr_error *error)
{
	static const enum rbr_key keys[] = {RBR_KEY_AUTHORIZATION_ENDPOINT, RBR_KEY_TOKEN_ENDPOINT,
		RBR_KEY_REVOCATION_ENDPOINT, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT};
	const char *value;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < RBR_ARRAY_SIZE(keys); i++) {
		value = rbr_message_get(metadata, rbr_keys[keys[i]].name);
		if (value)
			rc = rbr_account_learn(account, keys[i], value, error);
	}
	account->iss_required = rbr_message_get(metadata, "iss_required") != NULL;
	return rc;
}

static int
fetch(struct ringbearer_call *call, const struct rbr_grant *grant, struct rbr_message *metadata)
{
	int rc;

	if (!grant->ops.discover)
		return rbr_fail(&call->context->error, RINGBEARER_E_CONFIG,
			"the module %s does not look endpoints up; set them in the account", grant->name);
	call->metadata = metadata;
	rc = rbr_loader_check(call->context, grant->name, grant->ops.discover(call));
	call->metadata = NULL;
	return rc;
}

int
rbr_discovery_apply(
	struct ringbearer_call *call, const struct rbr_grant *grant, struct rbr_account *account, enum rbr_key wanted)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message metadata = RBR_MESSAGE_EMPTY;
	const char *issuer = rbr_account_get(account, RBR_KEY_ISSUER);
	int rc;

	if (!issuer || (rbr_account_get(account, wanted) && rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT)))
		return 0;
	if (rbr_cache_key_add(&key, "metadata") < 0 || rbr_cache_key_add(&key, issuer) < 0)
		return rbr_fail_memory(&call->context->error);
	if (!rbr_cache_read(&key, &metadata)) {
		rbr_trace(call->context, "looking up the endpoints of %s", issuer);
		rc = fetch(call, grant, &metadata);
		if (rc < 0)
			return rc;
		(void)rbr_cache_write(&key, &metadata, METADATA_SECONDS);
	}
	return learn(account, &metadata, &call->context->error);
}
