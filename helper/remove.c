/* SPDX-License-Identifier: MIT */
/* `remove`: secrets first, then tokens, then the file, so that a failure leaves an account that can be removed again. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "custody.h"

int
rbr_command_remove(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const char *name = NULL;
	int rc;

	if (rbr_option(context, argc, argv, options) == 0)
		return RINGBEARER_E_USAGE;
	rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0)
		rc = rbr_account_load(name, &account, &context->error);
	if (rc == 0 && access(account.path, W_OK) < 0)
		rc = rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			"%s cannot be removed by you (%s); ask the system's administrator, or run `ringbearer erase` for your secrets",
			account.path, strerror(errno));
	if (rc == 0)
		rc = rbr_custody_erase(context, &account, NULL, true);
	if (rc == 0 && unlink(account.path) < 0)
		rc = rbr_fail(&context->error, RINGBEARER_E_CONFIG, "%s cannot be removed: %s", account.path,
			strerror(errno));
	return rc;
}
