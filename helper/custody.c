/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "custody.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader.h"
#include "protocol/cache.h"
#include "terminal.h"
#include "vault.h"

#define CHUNK 4096

struct forgotten {
	const char *name;
	const char *token;
};

static bool
is_forgotten(const struct rbr_message *record, void *data)
{
	const struct forgotten *forgotten = data;
	const char *account = rbr_message_get(record, "account"), *token = rbr_message_get(record, "token");

	if (!account || strcmp(account, forgotten->name) != 0)
		return false;
	return !forgotten->token || (token && strcmp(token, forgotten->token) == 0);
}

void
rbr_custody_forget(const char *name, const char *token)
{
	struct forgotten forgotten = {name, token};

	rbr_cache_visit(is_forgotten, &forgotten);
}

int
rbr_custody_keep(struct rbr_context *context, const struct rbr_account *account, const char *kind,
	const struct ringbearer_secret *secret, bool interactive)
{
	struct ringbearer_call call;
	struct rbr_vault vault;
	int rc = rbr_vault_check(secret, &context->error);

	if (rc < 0)
		return rc;
	rbr_call_start(&call, context, account, interactive);
	rbr_call_hide(&call, secret);
	rc = rbr_vault_open(&call, &vault);
	if (rc == 0)
		rc = rbr_vault_keep(&vault, kind, secret);
	if (rc == 0)
		rbr_custody_forget(account->name, NULL);
	return rc;
}

int
rbr_custody_erase(struct rbr_context *context, const struct rbr_account *account, const char *kind, bool interactive)
{
	static const char *const kinds[] = {RBR_KIND_CLIENT_SECRET, RBR_KIND_REFRESH_TOKEN, RBR_KIND_API_KEY};
	char endpoint[RBR_BINDING_MAX];
	struct ringbearer_call call;
	struct rbr_vault vault;
	size_t i;
	int rc;

	rbr_call_start(&call, context, account, interactive);
	rc = rbr_vault_open(&call, &vault);
	for (i = 0; rc == 0 && i < RBR_ARRAY_SIZE(kinds); i++) {
		if (kind ? strcmp(kind, kinds[i]) != 0 : rbr_vault_binding(account, kinds[i], endpoint, NULL) < 0)
			continue; /* without a binding there can be no such secret */
		rc = rbr_vault_erase(&vault, kinds[i]);
	}
	if (rc == 0)
		rbr_custody_forget(account->name, NULL);
	return rc;
}

int
rbr_custody_kind(struct rbr_context *context, const struct rbr_account *account, const char **ret_kind)
{
	struct ringbearer_module grant;
	int rc = rbr_loader_open(context, "grant", rbr_account_get(account, RBR_KEY_GRANT), &grant);

	if (rc < 0)
		return rc;
	*ret_kind = NULL;
	if (grant.needs & RINGBEARER_NEEDS_API_KEY)
		*ret_kind = RBR_KIND_API_KEY;
	else if ((grant.needs & RINGBEARER_NEEDS_CLIENT_SECRET) &&
		strcmp(rbr_account_get(account, RBR_KEY_CLIENT_AUTH), "none") != 0)
		*ret_kind = RBR_KIND_CLIENT_SECRET;
	return 0;
}

static int
read_stdin(struct rbr_context *context, struct ringbearer_secret *secret)
{
	ssize_t got;

	do {
		if (rbr_secret_reserve(secret, CHUNK) < 0)
			return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
				"the secret on standard input is too long");
		got = read(STDIN_FILENO, secret->data + secret->size, secret->capacity - secret->size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "standard input cannot be read: %s",
				strerror(errno));
		secret->size += (size_t)got;
	} while (got != 0);
	if (secret->size > 0 && secret->data[secret->size - 1] == '\n')
		secret->size--;
	if (secret->size > 0 && secret->data[secret->size - 1] == '\r')
		secret->size--;
	secret->data[secret->size] = '\0';
	return 0;
}

int
rbr_custody_ask(struct rbr_context *context, const struct rbr_account *account, const char *kind, bool from_stdin,
	struct ringbearer_secret *ret_secret)
{
	char prompt[160];
	int rc;

	if (from_stdin) {
		rc = read_stdin(context, ret_secret);
	} else {
		(void)snprintf(prompt, sizeof prompt, "%s of %s (it is not shown): ",
			strcmp(kind, RBR_KIND_API_KEY) == 0 ? "API key" : "Client secret", account->name);
		rc = rbr_terminal_ask(prompt, ret_secret, &context->error);
	}
	return rc < 0 ? rc : rbr_vault_check(ret_secret, &context->error);
}
