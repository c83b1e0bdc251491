/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "holdings.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "protocol/writer.h"
#include "vault/vault.h"

#define STORE_TEXT_MAX 16384

void
rbr_holdings_wipe(struct rbr_holdings *all)
{
	size_t i;

	for (i = 0; i < all->count; i++) {
		free(all->list[i].store);
		rbr_names_wipe(&all->list[i].accounts);
	}
	all->count = 0;
}

static int
note_item(const struct ringbearer_item *item, void *data)
{
	struct rbr_store_holdings *holdings = data;

	if (strcmp(item->kind, RBR_KIND_REFRESH_TOKEN) != 0 && strcmp(item->kind, RBR_KIND_API_KEY) != 0)
		return 0;
	return rbr_names_add(item->account, &holdings->accounts);
}

/* Nobody is asked to unlock anything for a list. */
static void
read_holdings(struct rbr_context *context, const struct rbr_account *account, struct rbr_store_holdings *holdings)
{
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	struct rbr_vault vault;

	rbr_call_start(&call, context, account, false);
	rbr_call_hurry(&call);
	holdings->known = rbr_vault_open(&call, &vault) == 0 && vault.store.ops.list &&
		vault.store.ops.list(&call, NULL, note_item, holdings) == 0;
}

/* Which store ACCOUNT has. */
static void
name_store(const struct rbr_account *account, char text[STORE_TEXT_MAX])
{
	struct rbr_writer writer = rbr_writer_start(text, STORE_TEXT_MAX);
	const char *slash = strrchr(account->path, '/');

	rbr_account_write_store(account, &writer);
	if (slash) /* whether it is the system's */
		rbr_write(&writer, account->path, (size_t)(slash - account->path));
}

/* What ACCOUNT's store holds: it is asked once, however many accounts it has. NULL if memory is short. */
static struct rbr_store_holdings *
holdings_of(struct rbr_context *context, const struct rbr_account *account, struct rbr_holdings *all)
{
	char text[STORE_TEXT_MAX];
	struct rbr_store_holdings *mine;
	size_t i;

	name_store(account, text);
	for (i = 0; i < all->count; i++)
		if (strcmp(all->list[i].store, text) == 0)
			return &all->list[i];
	if (all->count == RBR_HOLDINGS_MAX) {
		mine = &all->list[RBR_HOLDINGS_MAX - 1];
		free(mine->store);
		rbr_names_wipe(&mine->accounts);
		all->count--;
	}
	mine = &all->list[all->count];
	*mine = (struct rbr_store_holdings){.store = strdup(text)};
	if (!mine->store)
		return NULL;
	all->count++;
	read_holdings(context, account, mine);
	return mine;
}

enum rbr_holding
rbr_holdings_ask(struct rbr_context *context, const struct rbr_account *account, struct rbr_holdings *all)
{
	const struct rbr_store_holdings *holdings = holdings_of(context, account, all);
	size_t i;

	if (!holdings || !holdings->known)
		return RBR_HOLDING_UNKNOWN;
	for (i = 0; i < holdings->accounts.count; i++)
		if (strcmp(holdings->accounts.list[i], account->name) == 0)
			return RBR_HOLDING_SOME;
	return RBR_HOLDING_NONE;
}
