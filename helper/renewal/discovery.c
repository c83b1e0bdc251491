/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "discovery.h"

#include <stdio.h>
#include <string.h>

#include "accounts/endpoint.h"
#include "person/log.h"
#include "protocol/cache.h"
#include "protocol/fastpath/locate.h"
#include "vault/vault.h"

#define METADATA_SECONDS (24 * 3600)

static int
learn(struct rbr_account *account, const struct rbr_message *metadata, struct rbr_error *error)
{
	static const enum rbr_key keys[] = {RBR_KEY_AUTHORIZATION_ENDPOINT, RBR_KEY_TOKEN_ENDPOINT,
		RBR_KEY_REVOCATION_ENDPOINT, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT};
	const char *value, *issuer = rbr_message_get(metadata, "issuer");
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < RBR_ARRAY_SIZE(keys); i++) {
		value = rbr_message_get(metadata, rbr_keys[keys[i]].name);
		if (value)
			rc = rbr_account_learn(account, keys[i], value, error);
	}
	if (issuer && strlen(issuer) < sizeof account->issuer)
		(void)snprintf(account->issuer, sizeof account->issuer, "%s", issuer);
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

/* What was fetched is for those alone who would fetch it in the same way: from the same issuer, believing the same
 * certificates, through the same proxy. */
static int
make_key(const struct rbr_account *account, struct rbr_cache_key *key)
{
	const char *ca_file = rbr_account_get(account, RBR_KEY_CA_FILE),
		   *proxy = rbr_account_get(account, RBR_KEY_PROXY);
	char stamp[RBR_STAMP_MAX] = "-";
	int rc = rbr_cache_key_add(key, "metadata");

	if (ca_file)
		(void)rbr_stamp(ca_file, stamp);
	if (rc == 0)
		rc = rbr_cache_key_add(key, rbr_account_get(account, RBR_KEY_ISSUER));
	if (rc == 0)
		rc = rbr_cache_key_add(key, ca_file ? ca_file : "-");
	if (rc == 0)
		rc = rbr_cache_key_add(key, stamp);
	return rc < 0 ? rc : rbr_cache_key_add(key, proxy ? proxy : "-");
}

int
rbr_discovery_recall(struct rbr_account *account, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message metadata = RBR_MESSAGE_EMPTY;

	if (!rbr_account_get(account, RBR_KEY_ISSUER) || make_key(account, &key) < 0 ||
		!rbr_cache_read(&key, &metadata))
		return 0;
	return learn(account, &metadata, error);
}

/* Metadata alone do not say that WANTED may be sent secrets; a person may have said it. */
static void
recall_confirmed(struct ringbearer_call *call, struct rbr_account *account, enum rbr_key wanted)
{
	struct rbr_error before = call->context->error;
	struct rbr_vault vault;

	if (rbr_endpoint_admit(account, wanted, NULL) < 0 &&
		(rbr_vault_open(call, &vault) < 0 || rbr_vault_recall_confirmed(&vault, account) < 0))
		call->context->error = before; /* where it matters, the endpoint is refused */
}

/* Where nothing else is left open, an issuer can still say that its answers to a login name it (RFC 9207). One that cannot be
 * asked keeps nobody from logging in, and nothing but this is learnt. */
static int
ask_for_iss(struct ringbearer_call *call, const struct rbr_grant *grant, struct rbr_account *account)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message metadata = RBR_MESSAGE_EMPTY;
	struct rbr_error before = call->context->error;

	if (fetch(call, grant, &metadata) == 0)
		account->iss_required = rbr_message_get(&metadata, "iss_required") != NULL;
	else
		rbr_trace(
			call->context, "whether the issuer names itself is not known: %s", call->context->error.detail);
	call->context->error = before;
	return 0;
}

int
rbr_discovery_apply(struct ringbearer_call *call, const struct rbr_grant *grant, struct rbr_account *account,
	enum rbr_key wanted, enum rbr_freshness freshness)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message metadata = RBR_MESSAGE_EMPTY;
	const char *issuer = rbr_account_get(account, RBR_KEY_ISSUER);
	int rc;

	if (!issuer)
		return 0;
	if (rbr_account_get(account, wanted) && rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT))
		return wanted == RBR_KEY_AUTHORIZATION_ENDPOINT ? ask_for_iss(call, grant, account) : 0;
	if (make_key(account, &key) < 0)
		return rbr_fail(&call->context->error, RINGBEARER_E_CONFIG,
			"`issuer`, `ca_file` or `proxy` is too long or holds a control character; mend it");
	if (freshness == RBR_FRESH || !rbr_cache_read(&key, &metadata)) {
		rbr_trace(call->context, "looking up the endpoints of %s", issuer);
		rc = fetch(call, grant, &metadata);
		if (rc < 0)
			return rc;
		(void)rbr_cache_write(&key, &metadata, METADATA_SECONDS);
	}
	rc = learn(account, &metadata, &call->context->error);
	if (rc == 0)
		recall_confirmed(call, account, wanted);
	return rc;
}

void
rbr_discovery_forget(const struct rbr_account *account)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;

	if (rbr_account_get(account, RBR_KEY_ISSUER) && make_key(account, &key) == 0)
		rbr_cache_drop(&key);
}
