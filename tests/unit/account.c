/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "account.h"

#include <string.h>

int
unit_account(const char *lines, struct rbr_account *ret_account, struct rbr_error *error)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	int rc = rbr_message_parse(&message, lines, strlen(lines), RBR_DIALECT_FILE, "it", RINGBEARER_E_CONFIG, error);

	if (rc == 0)
		rc = rbr_account_assemble("acme", &message, "it", ret_account, error);
	rbr_message_wipe(&message);
	return rc;
}
