/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "journal/lock.h"
#include "protocol/cache.h"
#include "vault/vault.h"

#define LOCK_NAME_MAX 64

static int
open_named(struct rbr_context *context, const char *kind, const char *name, const char *client_id, const char *endpoint,
	int *ret_lock)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	char lock_name[LOCK_NAME_MAX];

	if (rbr_cache_key_add(&key, kind) < 0 || rbr_cache_key_add(&key, name) < 0 ||
		rbr_cache_key_add(&key, client_id) < 0 || rbr_cache_key_add(&key, endpoint) < 0)
		return rbr_fail_memory(&context->error);
	(void)snprintf(lock_name, sizeof lock_name, "%016" PRIx64 ".lock", rbr_hash(key.text.data, key.text.size));
	return rbr_lock_open(context, lock_name, ret_lock);
}

static const char *
client_of(const struct rbr_account *account)
{
	const char *client_id = rbr_account_get(account, RBR_KEY_CLIENT_ID);

	return client_id ? client_id : RBR_NO_CLIENT;
}

/* An API key goes to the places that the account answers for, and to no token endpoint. */
static bool
has_api_key(const struct rbr_account *account)
{
	const char *grant = rbr_account_get(account, RBR_KEY_GRANT);

	return grant && strcmp(grant, "api_key") == 0;
}

bool
rbr_turn_is_named(const struct rbr_account *account)
{
	return has_api_key(account) || rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT) ||
		!rbr_account_get(account, RBR_KEY_ISSUER);
}

int
rbr_turn_open(struct rbr_context *context, const struct rbr_account *account, int *ret_lock)
{
	char endpoint[RBR_BINDING_MAX];
	bool bound = has_api_key(account) ? rbr_vault_binding(account, RBR_KIND_API_KEY, endpoint, NULL) == 0
					  : rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, NULL) == 0 ||
			rbr_vault_binding(account, RBR_KIND_API_KEY, endpoint, NULL) == 0;

	return open_named(context, "turn", account->name, client_of(account), bound ? endpoint : "", ret_lock);
}

int
rbr_turn_open_discovery(struct rbr_context *context, const struct rbr_account *account, int *ret_lock)
{
	return open_named(context, "discovery", account->name, client_of(account),
		rbr_account_get(account, RBR_KEY_ISSUER), ret_lock);
}

int
rbr_turn_fail_busy(struct rbr_context *context)
{
	return rbr_fail(&context->error, RINGBEARER_E_BUSY,
		"another process has been at this account's secrets for %d seconds; try again, or end it if it hangs",
		RBR_TURN_WAIT_MS / 1000);
}

static int
wait_for(struct rbr_context *context, int lock)
{
	int64_t deadline = rbr_now_ms() + RBR_TURN_WAIT_MS;

	while (!rbr_lock_try(lock)) {
		if (rbr_now_ms() >= deadline)
			return rbr_turn_fail_busy(context);
		rbr_sleep_ms(RBR_TURN_POLL_MS);
	}
	return 0;
}

static int
take(struct rbr_context *context, int *lock, int *turn)
{
	int rc = wait_for(context, *lock);

	if (rc == 0) {
		*turn = *lock;
		*lock = -1;
	}
	return rc;
}

int
rbr_turn_take(struct rbr_context *context, const struct rbr_account *account, int *turn)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	int rc = *turn >= 0 ? 0 : rbr_turn_open(context, account, &lock);

	return rc < 0 || *turn >= 0 ? rc : take(context, &lock, turn);
}

int
rbr_turn_take_of(struct rbr_context *context, const char *name, const char *client_id, const char *endpoint, int *turn)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	int rc = *turn >= 0 ? 0 : open_named(context, "turn", name, client_id, endpoint, &lock);

	return rc < 0 || *turn >= 0 ? rc : take(context, &lock, turn);
}
