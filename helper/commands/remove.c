/* SPDX-License-Identifier: MIT */
/* `remove`: logout, then secrets, then the file, so that a failure leaves an account that can be removed again. A service
 * that does not revoke is no reason to keep the account; it is said, and the exit status says so too. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cached.h"
#include "command.h"
#include "custody.h"
#include "logout.h"
#include "person/log.h"

static bool
is_the_stores(int code)
{
	return code == RINGBEARER_E_STORE_LOCKED || code == RINGBEARER_E_STORE_DISMISSED ||
		code == RINGBEARER_E_STORE_UNAVAILABLE;
}

/* 0, or what the service said, with the tokens gone here all the same; a keyring that cannot be read in *RET_STOP. */
static int
end_login(struct rbr_context *context, struct rbr_account *account, int *turn, bool *ret_stop)
{
	bool forgotten; /* if not, the secrets go nevertheless */
	int rc = rbr_logout(context, account, turn, &forgotten);

	*ret_stop = is_the_stores(rc) || rc == RINGBEARER_E_BUSY;
	if (rc == RINGBEARER_E_NO_SECRET || rc == RINGBEARER_E_CONFIG || rc == RINGBEARER_E_MODULE)
		return 0; /* there is nothing to revoke, or no way to */
	return rc;
}

/* An account of which nothing is known but name and file: with the store that accounts have. */
static int
load_broken(const char *name, struct rbr_account *account, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	struct rbr_located located = {.path = ""};
	int rc = rbr_account_locate(name, &located, NULL);

	if (rc < 0 && rc != RINGBEARER_E_CONFIG) /* that file is not to be believed, and can go */
		return rc;
	if (rbr_message_add(&lines, "grant", "api_key") < 0)
		return rbr_fail_memory(error);
	rc = rbr_account_assemble(name, &lines, located.path, account, error);
	if (rc == 0)
		memcpy(account->path, located.path, sizeof located.path);
	return rc;
}

/* What happened, without what to do about it: the first `;` outside of brackets, in which a server's words are, is between them. */
static int
size_of_event(const char *detail)
{
	size_t i;
	int depth = 0;

	for (i = 0; detail[i] != '\0' && (detail[i] != ';' || depth > 0); i++)
		depth += (detail[i] == '(') - (detail[i] == ')' && depth > 0);
	return (int)i;
}

/* The account that the advice is about is gone: what is left to do is to be done there. */
static int
refused(struct rbr_context *context, const struct rbr_error *refusal)
{
	return rbr_fail(&context->error, refusal->code,
		"removed here, but %.*s; what the service gave it may still be alive: end it in the service's own pages",
		size_of_event(refusal->detail), refusal->detail);
}

int
rbr_command_remove(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const char *name = NULL;
	struct rbr_error refusal = {.code = 0};
	bool stop = false, broken = false;
	RBR_CLEANUP(rbr_close) int turn = -1; /* until the file is gone */
	int rc;

	if (rbr_option(context, argc, argv, options) == 0)
		return RINGBEARER_E_USAGE;
	rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0)
		rc = rbr_account_load(name, &account, &context->error);
	if (rc == RINGBEARER_E_CONFIG) {
		broken = true;
		rc = load_broken(name, &account, &context->error);
	}
	if (rc == 0 && access(account.path, W_OK) < 0)
		rc = rbr_fail(&context->error, RINGBEARER_E_CONFIG,
			"%s cannot be removed by you (%s); ask the system's administrator, or run `ringbearer erase` for your secrets",
			account.path, strerror(errno));
	if (rc == 0 && !broken) {
		rc = end_login(context, &account, &turn, &stop);
		if (rc < 0 && !stop) {
			refusal = context->error;
			rc = 0;
		}
	}
	if (rc == 0 && !broken) {
		rc = rbr_custody_erase(context, &account, NULL, true, &turn);
		broken = rc < 0 && !is_the_stores(rc) && rc != RINGBEARER_E_BUSY;
	}
	if (broken) {
		rbr_close(&turn); /* each secret has its own */
		rc = rbr_custody_erase_named(context, &account);
	}
	if (rc == 0)
		rbr_cached_forget_all(context, &account);
	if (rc == 0 && unlink(account.path) < 0)
		rc = rbr_fail(&context->error, RINGBEARER_E_CONFIG, "%s cannot be removed: %s", account.path,
			strerror(errno));
	if (rc == 0 && refusal.code != 0) {
		return refused(context, &refusal);
	}
	if (rc == 0)
		rbr_say("%s: removed\n", name);
	return rc;
}
