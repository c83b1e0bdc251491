/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "host/host.h"
#include "host/loader.h"
#include "protocol/writer.h"
#include "vault/vault.h"

#define TEXT_MAX 16384
#define SUBJECT_MAX 96
#define MEND_MAX 160

void
rbr_check_store(struct rbr_checkup *checkup, const struct rbr_account *account, struct rbr_done *done)
{
	const char *store = rbr_account_get(account, RBR_KEY_STORE);
	char text[TEXT_MAX], subject[SUBJECT_MAX];
	struct rbr_writer writer = rbr_writer_start(text, sizeof text);
	struct ringbearer_call call;
	struct rbr_vault vault;
	int rc;

	rbr_write_text(&writer, "store\n");
	rbr_account_write_store(account, &writer);
	if (rbr_done_before(done, text))
		return;
	(void)snprintf(subject, sizeof subject, "store %.64s", store);
	rbr_call_start(&call, checkup->context, account, false);
	rc = rbr_vault_open(&call, &vault);
	if (rc == 0)
		rc = rbr_vault_knock(&vault);
	if (rc == 0)
		rbr_well(checkup, subject, "answers, and is open%s",
			rbr_vault_is_read_only(&vault) ? "; it is only read" : "");
	else
		rbr_ill_by_error(checkup, subject, NULL);
	rbr_call_end(&call);
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
rbr_check_secrets(struct rbr_checkup *checkup, const struct rbr_account *account)
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
	if (checkup->with_secrets) {
		read_secret(checkup, &vault, search.kind);
	} else {
		if (vault.store.ops.list)
			rc = vault.store.ops.list(&call, account->name, note_item, &search);
		tell(checkup, &search, rc);
	}
	rbr_call_end(&call);
}
