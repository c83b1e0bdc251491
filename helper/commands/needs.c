/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "needs.h"

#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "vault/vault.h"

int
rbr_needs_grant(struct ringbearer_call *call, struct rbr_account *account, enum rbr_freshness freshness,
	struct rbr_grant *grant)
{
	int rc = rbr_loader_grant(call->context, rbr_account_get(account, RBR_KEY_GRANT), grant);

	return rc < 0 ? rc : rbr_discovery_apply(call, grant, account, RBR_KEY_TOKEN_ENDPOINT, freshness);
}

/* Is the word of `needs` said for this grant alone (`GRANT:KEY`), and is it another one? A module's name has dashes. */
static bool
is_for_another(const struct rbr_grant *grant, const char **word, size_t *size)
{
	const char *colon = memchr(*word, ':', *size), *name = grant->name;
	size_t i, grant_size = colon ? (size_t)(colon - *word) : 0;

	if (!colon)
		return false;
	if (strncmp(name, "grant-", 6) == 0)
		name += 6;
	for (i = 0; i < grant_size && name[i] != '\0'; i++)
		if ((*word)[i] != (name[i] == '-' ? '_' : name[i]))
			break;
	if (i < grant_size || name[i] != '\0')
		return true;
	*word += grant_size + 1;
	*size -= grant_size + 1;
	return false;
}

int
rbr_needs_check(const struct rbr_account *account, const struct rbr_grant *grant, struct rbr_error *error)
{
	const char *word = account->needs;
	char name[RBR_HINT_MAX];
	int key, rc;

	if (!(grant->ops.needs & (RINGBEARER_NEEDS_CLIENT_SECRET | RINGBEARER_NEEDS_REFRESH_TOKEN)))
		return 0;
	rc = rbr_account_want(account, RBR_KEY_CLIENT_ID, error);
	while (rc == 0 && *(word += strspn(word, " "))) {
		size_t size = strcspn(word, " ");

		if (is_for_another(grant, &word, &size)) {
			word += size;
			continue;
		}
		(void)snprintf(name, sizeof name, "%.*s", (int)size, word);
		key = rbr_key_find(name);
		if (key < 0)
			return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `needs` names no key: `%.64s`; mend it",
				account->provider_path, name);
		rc = rbr_account_want(account, (enum rbr_key)key, error);
		word += size;
	}
	return rc;
}

/* Where a person is sent; an issuer says so itself. */
static int
check_login(const struct rbr_account *account, struct rbr_error *error)
{
	const char *grant = rbr_account_get(account, RBR_KEY_GRANT);

	if (rbr_account_get(account, RBR_KEY_ISSUER))
		return 0;
	if (strcmp(grant, "device_code") == 0)
		return rbr_account_want(account, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT, error);
	if (strcmp(grant, "authorization_code") != 0 || rbr_account_get(account, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT))
		return 0; /* `login --device` will do */
	return rbr_account_want(account, RBR_KEY_AUTHORIZATION_ENDPOINT, error);
}

int
rbr_needs_secret(struct rbr_context *context, struct rbr_account *account, const char **ret_kind, bool *ret_login)
{
	char endpoint[RBR_BINDING_MAX];
	struct rbr_grant grant;
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	int rc;

	rbr_call_start(&call, context, account, true);
	rc = rbr_needs_grant(&call, account, RBR_FRESH, &grant);
	if (rc < 0)
		return rc;
	*ret_kind = NULL;
	*ret_login = grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN;
	if (grant.ops.needs & RINGBEARER_NEEDS_API_KEY)
		*ret_kind = RBR_KIND_API_KEY;
	else if ((grant.ops.needs & RINGBEARER_NEEDS_CLIENT_SECRET) &&
		strcmp(rbr_account_get(account, RBR_KEY_CLIENT_AUTH), "none") != 0)
		*ret_kind = RBR_KIND_CLIENT_SECRET;
	if (*ret_kind || *ret_login)
		rc = rbr_vault_binding(
			account, *ret_kind ? *ret_kind : RBR_KIND_REFRESH_TOKEN, endpoint, &context->error);
	if (rc == 0)
		rc = rbr_needs_check(account, &grant, &context->error);
	return rc < 0 ? rc : check_login(account, &context->error);
}

bool
rbr_needs_login(struct rbr_context *context, const struct rbr_account *account)
{
	struct rbr_grant grant;

	return rbr_loader_grant(context, rbr_account_get(account, RBR_KEY_GRANT), &grant) == 0 &&
		(grant.ops.needs & RINGBEARER_NEEDS_REFRESH_TOKEN);
}
