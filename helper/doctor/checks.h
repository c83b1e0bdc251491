/* SPDX-License-Identifier: MIT */
/* What doctor looks at, one file for a subject. Nobody is asked anything, and nothing is changed. */
#ifndef RBR_CHECKS_H
#define RBR_CHECKS_H

#include <limits.h>

#include "accounts/account.h"
#include "report.h"

/* Both tiers of the cache, and what room is left in each. */
void rbr_check_cache(struct rbr_checkup *checkup);

/* The user's D-Bus session. */
void rbr_check_bus(struct rbr_checkup *checkup);

/* Is there no session whose bus could be asked? */
bool rbr_bus_is_absent(void);

/* Every module: who can change it, and whether it can be loaded. */
void rbr_check_modules(struct rbr_checkup *checkup);

/* Provider files: their keys, who can change them, and those that another one hides. */
void rbr_check_providers(struct rbr_checkup *checkup);

/* Accounts that answer for the same place and the same user. */
void rbr_check_matches(struct rbr_checkup *checkup);

/* The account NAME: its files, its store, its secrets, its login, and how it gets to its service. DONE keeps what was looked at
 * already. False if it cannot be read. */
struct rbr_done;
void rbr_check_account(struct rbr_checkup *checkup, const char *name, struct rbr_done *done);

/* The store of ACCOUNT, once for all that have it. False if machines share it and it does not answer: then it need not be waited for
 * again. */
bool rbr_check_store(struct rbr_checkup *checkup, const struct rbr_account *account, struct rbr_done *done);

/* The login of ACCOUNT, if machines share it: who is at it. ANSWERS: as its store was found. */
void rbr_check_sharing(struct rbr_checkup *checkup, const struct rbr_account *account, bool answers);

/* The account's secrets, by their names; their values only with --with-secrets. ANSWERS: as its store was found. */
void rbr_check_secrets(struct rbr_checkup *checkup, const struct rbr_account *account, bool answers);

/* The way to the service of ACCOUNT, once for all that go it; its issuer is asked for its metadata. */
void rbr_check_endpoint(struct rbr_checkup *checkup, struct rbr_account *account, struct rbr_done *done);

/* Programs that call ringbearer: our names on PATH, git's lines, docker's and cargo's settings. */
void rbr_check_callers(struct rbr_checkup *checkup);

/* The socket for systemd's credentials, where an account allows a unit; a browser, where one logs in with it. */
void rbr_check_socket(struct rbr_checkup *checkup, const char *unit);
void rbr_check_browser(struct rbr_checkup *checkup);

/* Things that are looked at once. */
#define RBR_DONE_MAX 256
struct rbr_done {
	char *list[RBR_DONE_MAX];
	size_t count;
};

/* Is TEXT noted in DONE? */
bool rbr_done_has(const struct rbr_done *done, const char *text);

/* Notes TEXT in DONE; was it there? */
bool rbr_done_before(struct rbr_done *done, const char *text);
void rbr_done_wipe(struct rbr_done *done);

#endif
