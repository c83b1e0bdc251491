/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "commands/standing.h"
#include "host/host.h"
#include "host/loader.h"
#include "protocol/writer.h"
#include "vault/vault.h"

#define TEXT_MAX 16384
#define SUBJECT_MAX 96
#define MEND_MAX 160
#define DESCRIBE_MS 5000 /* that a store with several parts may take to say how they are */
#define SHARED_MS 2000 /* that it may take to say how one login stands */

/* -- a store that machines share -- */

struct parts {
	struct rbr_checkup *checkup;
	const char *subject;
};

static void
tell_part(const char *name, const char *text, void *data)
{
	const struct parts *parts = data;

	if (strcmp(name, RINGBEARER_ALARM) == 0)
		rbr_ill(parts->checkup, parts->subject, RINGBEARER_E_STORE_UNAVAILABLE, "%s", text);
	else
		rbr_well(parts->checkup, parts->subject, "%s: %s", name, text);
}

/* It says more than whether it answers, and is not waited for as long as a call that needs it would. */
static int
describe(struct rbr_checkup *checkup, const char *subject, struct rbr_vault *vault)
{
	struct parts parts = {checkup, subject};
	int64_t until_ms = rbr_now_ms() + DESCRIBE_MS;

	if (vault->call->deadline_ms > until_ms)
		vault->call->deadline_ms = until_ms;
	return rbr_loader_check(
		checkup->context, vault->store.name, vault->store.ops.describe(vault->call, tell_part, &parts));
}

void
rbr_check_sharing(struct rbr_checkup *checkup, const struct rbr_account *account, bool answers)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	char endpoint[RBR_BINDING_MAX];

	if (!rbr_standing_is_shared(checkup->context, account))
		return;
	if (!answers)
		rbr_unchecked(checkup, account->name, "its login, which machines share: the store does not say");
	else if (rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, NULL) < 0)
		rbr_unchecked(
			checkup, account->name, "its login, which machines share: its token endpoint is not known");
	else if (rbr_standing_shared(checkup->context, account, SHARED_MS, &text, NULL) < 0)
		rbr_ill_by_error(checkup, account->name, NULL);
	else
		rbr_well(checkup, account->name, "its login is shared; %s", rbr_secret_string(&text));
}

bool
rbr_check_store(struct rbr_checkup *checkup, const struct rbr_account *account, struct rbr_done *done)
{
	const char *store = rbr_account_get(account, RBR_KEY_STORE);
	char text[TEXT_MAX], subject[SUBJECT_MAX];
	struct rbr_writer writer = rbr_writer_start(text, sizeof text);
	struct ringbearer_call call;
	struct rbr_vault vault;
	char *state = text; /* its first letter: s for one that was looked at, x for one that does not answer */
	int rc;

	rbr_write_text(&writer, "store\n");
	rbr_account_write_store(account, &writer);
	if (rbr_done_before(done, text)) {
		*state = 'x';
		return !rbr_done_has(done, text);
	}
	(void)snprintf(subject, sizeof subject, "store %.64s", store);
	rbr_call_start(&call, checkup->context, account, false);
	rc = rbr_vault_open(&call, &vault);
	if (rc == 0 && vault.store.ops.describe)
		rc = describe(checkup, subject, &vault);
	if (rc == 0) /* whether it can be read with the key that this machine has is not for a store to say */
		rc = rbr_vault_knock(&vault);
	if (rc == 0)
		rbr_well(checkup, subject, "answers, and is open%s",
			rbr_vault_is_read_only(&vault) ? "; it is only read" : "");
	else
		rbr_ill_by_error(checkup, subject, NULL);
	rbr_call_end(&call);
	if (rc == 0 || !rbr_standing_is_shared(checkup->context, account))
		return true;
	*state = 'x';
	(void)rbr_done_before(done, text);
	return false;
}

/* -- what it holds of an account -- */

struct search {
	const char *account;
	const char *kind;
	const char *client;
	const char *endpoint;
	bool here;
	bool elsewhere; /* the same kind, bound to another client or endpoint */
};

static int
note_item(const struct ringbearer_item *item, void *data)
{
	struct search *search = data;

	if (strcmp(item->account, search->account) != 0 || strcmp(item->kind, search->kind) != 0)
		return 0;
	if (strcmp(item->client_id, search->client) == 0 && strcmp(item->endpoint, search->endpoint) == 0)
		search->here = true;
	else
		search->elsewhere = true;
	return 0;
}

static void
tell(struct rbr_checkup *checkup, const struct search *search, int rc)
{
	const char *label = rbr_vault_label(search->kind), *name = search->account;

	if (rc < 0)
		rbr_unchecked(checkup, name, "its %s: the store does not say", label);
	else if (search->here)
		rbr_well(checkup, name, "its %s is in the store", label);
	else if (search->elsewhere)
		rbr_ill(checkup, name, RINGBEARER_E_NO_SECRET,
			"its %s is bound to another client or endpoint than the account has now; if that is right, run "
			"`ringbearer secret %s`",
			label, name);
	else
		rbr_ill(checkup, name, RINGBEARER_E_NO_SECRET, "its %s is not in the store; run `ringbearer secret %s`",
			label, name);
}

/* Reads the secret, and forgets it. */
static void
read_secret(struct rbr_checkup *checkup, struct rbr_vault *vault, const char *kind)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *secret = NULL;
	const char *name = vault->call->account->name;
	char mend[MEND_MAX];

	(void)snprintf(mend, sizeof mend, "run `ringbearer secret %s`", name);
	if (rbr_vault_lookup(vault, kind, &secret) < 0 || rbr_vault_check(secret, &checkup->context->error) < 0)
		rbr_ill_by_error(checkup, name, mend);
	else
		rbr_well(checkup, name, "its %s can be read", rbr_vault_label(kind));
}

void
rbr_check_secrets(struct rbr_checkup *checkup, const struct rbr_account *account, bool answers)
{
	const char *client = rbr_account_get(account, RBR_KEY_CLIENT_ID);
	struct search search = {.account = account->name, .client = client ? client : RBR_NO_CLIENT};
	char endpoint[RBR_BINDING_MAX];
	struct ringbearer_call call;
	struct rbr_vault vault;
	struct rbr_grant grant;
	int rc = -1;

	rbr_call_start(&call, checkup->context, account, false);
	if (rbr_loader_grant(checkup->context, rbr_account_get(account, RBR_KEY_GRANT), &grant) < 0 ||
		rbr_vault_open(&call, &vault) < 0)
		return; /* that has been said */
	if (grant.ops.needs & RINGBEARER_NEEDS_API_KEY)
		search.kind = RBR_KIND_API_KEY;
	else if ((grant.ops.needs & RINGBEARER_NEEDS_CLIENT_SECRET) &&
		strcmp(rbr_account_get(account, RBR_KEY_CLIENT_AUTH), "none") != 0)
		search.kind = RBR_KIND_CLIENT_SECRET;
	if (!search.kind || rbr_vault_binding(account, search.kind, endpoint, NULL) < 0)
		return;
	search.endpoint = endpoint;
	if (checkup->with_secrets && answers) {
		read_secret(checkup, &vault, search.kind);
	} else {
		if (vault.store.ops.list && answers)
			rc = vault.store.ops.list(&call, account->name, note_item, &search);
		tell(checkup, &search, rc);
	}
	rbr_call_end(&call);
}
