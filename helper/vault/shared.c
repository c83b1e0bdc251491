/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "shared.h"

#include <string.h>

#include "person/log.h"

bool
rbr_shared_is_possible(const struct rbr_vault *vault)
{
	return rbr_loader_shares(&vault->store);
}

static void
forget_view(struct rbr_shared *shared)
{
	struct ringbearer_view *view = &shared->view;
	size_t i;

	rbr_secret_free(view->value);
	rbr_secret_free(view->holder);
	for (i = 0; i < view->record_count; i++)
		rbr_secret_free(view->records[i].value);
	memset(view, 0, sizeof *view);
	view->size = sizeof *view;
	shared->fresh = false;
}

int
rbr_shared_start(struct rbr_shared *shared, struct rbr_vault *vault)
{
	memset(shared, 0, sizeof *shared);
	shared->vault = vault;
	forget_view(shared);
	return rbr_vault_bind(vault, RBR_KIND_REFRESH_TOKEN, &shared->binding);
}

void
rbr_shared_end(struct rbr_shared *shared)
{
	forget_view(shared);
}

static int
check(const struct rbr_shared *shared, int rc)
{
	return rbr_loader_check(shared->vault->call->context, shared->vault->store.name, rc);
}

/* A view that cannot be one is the module's fault, and nothing may be built on it. */
static int
accept_view(struct rbr_shared *shared, int rc)
{
	const struct ringbearer_view *view = &shared->view;
	size_t i;

	rc = check(shared, rc);
	if (rc < 0 && rc != RINGBEARER_E_BUSY)
		return rc;
	if (view->record_count > RINGBEARER_RECORDS_MAX || (view->version != 0) != (view->value != NULL) ||
		view->version < 0 || view->lease < 0)
		rc = RINGBEARER_E_MODULE;
	for (i = 0; rc != RINGBEARER_E_MODULE && i < view->record_count; i++)
		if (!view->records[i].name || !view->records[i].value)
			rc = RINGBEARER_E_MODULE;
	if (rc == RINGBEARER_E_MODULE)
		return rbr_fail(&shared->vault->call->context->error, rc,
			"the module %s describes an item that cannot be; report it to its author",
			shared->vault->store.name);
	shared->fresh = true;
	return rc;
}

int
rbr_shared_look(struct rbr_shared *shared)
{
	struct rbr_vault *vault = shared->vault;

	rbr_trace(vault->call->context, "looking at the login of %s in the store", vault->call->account->name);
	forget_view(shared);
	return accept_view(shared, vault->store.ops.view(vault->call, &shared->binding.item, &shared->view));
}

int
rbr_shared_value(struct rbr_shared *shared, struct ringbearer_secret **ret_value)
{
	struct rbr_error *error = &shared->vault->call->context->error;
	int rc = shared->fresh ? 0 : rbr_shared_look(shared);

	if (rc < 0)
		return rc;
	shared->fresh = false;
	if (!shared->view.value)
		return rbr_fail(error, RINGBEARER_E_NO_SECRET, "the store holds no refresh token");
	if (rbr_vault_check(shared->view.value, NULL) < 0)
		return rbr_fail(error, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store's item is not one that ringbearer wrote; run `ringbearer login %s`",
			shared->binding.item.account);
	*ret_value = shared->view.value;
	shared->view.value = NULL;
	return 0;
}

int
rbr_shared_take(
	struct rbr_shared *shared, const char *holder, int64_t seconds, int64_t displaces, const char *const *unless)
{
	struct rbr_vault *vault = shared->vault;
	int64_t began_ms = rbr_now_ms();
	int rc;

	rbr_trace(vault->call->context, "taking the lease of %s for %lld s%s", vault->call->account->name,
		(long long)seconds, displaces != 0 ? ", away from who had it" : "");
	forget_view(shared);
	rc = accept_view(shared,
		vault->store.ops.acquire(
			vault->call, &shared->binding.item, holder, seconds, displaces, unless, &shared->view));
	if (rc < 0)
		return rc;
	shared->lease = shared->view.lease;
	shared->seconds = seconds;
	shared->lasts_ms = began_ms + seconds * 1000;
	return shared->lease != 0 ? 0 : check(shared, RINGBEARER_E_MODULE);
}

int
rbr_shared_hold(struct rbr_shared *shared, int64_t until_ms)
{
	struct rbr_vault *vault = shared->vault;
	int64_t began_ms = rbr_now_ms();
	int rc;

	if (shared->lasts_ms >= until_ms)
		return 0;
	rc = check(shared, vault->store.ops.keep(vault->call, &shared->binding.item, shared->lease));
	if (rc < 0)
		return rc;
	shared->lasts_ms = began_ms + shared->seconds * 1000;
	return shared->lasts_ms >= until_ms
		? 0
		: rbr_fail(&vault->call->context->error, RINGBEARER_E_BUSY, "the lease is too short for the request");
}

int
rbr_shared_change(struct rbr_shared *shared, const struct ringbearer_change *change)
{
	struct rbr_vault *vault = shared->vault;
	int64_t version = 0;
	int rc = check(shared, vault->store.ops.store_if(vault->call, &shared->binding.item, change, &version));

	if (rc < 0)
		return rc;
	shared->view.version = version;
	if (change->value)
		shared->fresh = false;
	if (change->release)
		shared->lease = 0;
	return 0;
}

int
rbr_shared_wait(struct rbr_shared *shared, int64_t milliseconds)
{
	struct rbr_vault *vault = shared->vault;

	return check(
		shared, vault->store.ops.wait(vault->call, &shared->binding.item, shared->view.revision, milliseconds));
}

const struct ringbearer_record *
rbr_shared_record(const struct rbr_shared *shared, const char *name)
{
	size_t i;

	for (i = 0; i < shared->view.record_count; i++)
		if (strcmp(shared->view.records[i].name, name) == 0)
			return &shared->view.records[i];
	return NULL;
}
