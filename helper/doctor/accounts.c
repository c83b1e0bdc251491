/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "commands/needs.h"
#include "commands/standing.h"
#include "host/loader.h"
#include "protocol/fastpath/paths.h"

#define MEND_MAX 160

/* A user's file hides the system's of the same name. */
static void
tell_shadow(struct rbr_checkup *checkup, const char *name)
{
	char folder[PATH_MAX], own[PATH_MAX], system[PATH_MAX];

	if (rbr_path_folder(RBR_PLACE_USER, "accounts", folder, NULL) == 0 &&
		rbr_path_join(folder, name, own, NULL) == 0 &&
		rbr_path_folder(RBR_PLACE_SYSTEM, "accounts", folder, NULL) == 0 &&
		rbr_path_join(folder, name, system, NULL) == 0 && access(own, F_OK) == 0 && access(system, F_OK) == 0)
		rbr_unchecked(checkup, name, "%s is not used: %s stands before it", system, own);
}

/* How its login and its token are. */
static void
check_standing(struct rbr_checkup *checkup, const struct rbr_account *account, bool answers)
{
	struct rbr_holdings holdings = {.count = 0};
	struct rbr_standing standing = {.name = account->name, .state = "none"};
	struct rbr_context *context = checkup->context;
	const char *name = account->name, *grant = rbr_account_get(account, RBR_KEY_GRANT);
	const char *provider = rbr_account_get(account, RBR_KEY_PROVIDER);
	bool login = rbr_needs_login(context, account);

	if (login && answers)
		standing.refresh_token = rbr_holdings_ask(context, account, &holdings);
	rbr_standing_consult(context, account, &standing);
	if (standing.ended || strcmp(standing.state, "needs_login") == 0)
		rbr_ill(checkup, name, RINGBEARER_E_LOGIN_REQUIRED, "%s; run `ringbearer login %s`",
			standing.ended ? "its login has ended" : "nobody has logged in", name);
	else if (strcmp(standing.state, "refused") == 0)
		rbr_ill_by_error(checkup, name, NULL);
	else if (strcmp(standing.state, "pending") == 0)
		rbr_ill(checkup, name, RINGBEARER_E_ROTATION_UNCERTAIN,
			"a renewal is not finished; run `ringbearer refresh %s`", name);
	else
		rbr_well(checkup, name, "%s%s%s, %s%s", grant, provider ? " at " : "", provider ? provider : "",
			strcmp(standing.state, "valid") == 0 ? "a token is cached" : "no token is cached",
			!login ? ""
				: standing.refresh_token == RBR_HOLDING_UNKNOWN
				? ", the store does not say whether logged in"
				: standing.refresh_token == RBR_HOLDING_NONE
				? ", and there is no login to renew it with"
				: "");
	rbr_holdings_wipe(&holdings);
}

/* What it needs of this machine beside its store. */
static void
check_surroundings(struct rbr_checkup *checkup, const struct rbr_account *account, struct rbr_done *done)
{
	const char *unit = rbr_account_get(account, RBR_KEY_ALLOW_UNIT),
		   *grant = rbr_account_get(account, RBR_KEY_GRANT);

	if (unit && !rbr_done_before(done, "socket"))
		rbr_check_socket(checkup, unit);
	if (strcmp(grant, "authorization_code") == 0 && !rbr_done_before(done, "browser"))
		rbr_check_browser(checkup);
}

void
rbr_check_account(struct rbr_checkup *checkup, const char *name, struct rbr_done *done)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_context *context = checkup->context;
	const char *grant_name;
	struct rbr_grant grant;
	char mend[MEND_MAX];
	bool answers;

	(void)snprintf(mend, sizeof mend, "mend its file; `ringbearer show %s` says what is read", name);
	if (rbr_account_load(name, &account, &context->error) < 0) {
		rbr_ill_by_error(checkup, name, mend);
		return;
	}
	tell_shadow(checkup, name);
	grant_name = rbr_account_get(&account, RBR_KEY_GRANT);
	if (!grant_name) {
		rbr_ill(checkup, name, RINGBEARER_E_CONFIG, "it names no `grant`; add it to %s", account.path);
		return;
	}
	if (rbr_loader_grant(context, grant_name, &grant) < 0 ||
		rbr_needs_check(&account, &grant, &context->error) < 0) {
		rbr_ill_by_error(checkup, name, mend);
		return;
	}
	answers = rbr_check_store(checkup, &account, done);
	check_surroundings(checkup, &account, done);
	rbr_check_endpoint(checkup, &account, done);
	check_standing(checkup, &account, answers);
	rbr_check_sharing(checkup, &account, answers);
	rbr_check_secrets(checkup, &account, answers);
}
