/* SPDX-License-Identifier: MIT */
/* `secret`: replaces the client secret or API key, after the service has issued a new one. */
#include "config.h"

#include <stdio.h>

#include "command.h"
#include "custody.h"
#include "needs.h"
#include "person/log.h"
#include "vault/vault.h"

enum { OPTION_SECRET_STDIN = 1 };

static int
replace(struct rbr_context *context, const char *name, bool from_stdin)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	const char *kind = NULL;
	bool login;
	int rc = rbr_account_load(name, &account, &context->error);

	if (rc == 0)
		rc = rbr_needs_secret(context, &account, &kind, &login);
	if (rc < 0)
		return rc;
	if (!kind)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"this account has no secret to replace (grant = %s, client_auth = %s)",
			rbr_account_get(&account, RBR_KEY_GRANT), rbr_account_get(&account, RBR_KEY_CLIENT_AUTH));
	rc = rbr_custody_ask(context, &account, kind, from_stdin, &secret);
	if (rc == 0)
		rc = rbr_custody_keep(context, &account, kind, &secret, true);
	if (rc == 0)
		rbr_say("%s: %s kept\n", name, rbr_vault_label(kind));
	return rc;
}

int
rbr_command_secret(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {
		{"secret-stdin", no_argument, NULL, OPTION_SECRET_STDIN}, {NULL, 0, NULL, 0}};
	bool from_stdin = false;
	const char *name = NULL;
	int option, rc;

	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		from_stdin = true;
	}
	rc = rbr_account_argument(context, argc, argv, &name);
	return rc < 0 ? rc : replace(context, name, from_stdin);
}
