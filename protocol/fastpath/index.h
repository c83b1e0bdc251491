/* SPDX-License-Identifier: MIT */
/* Which accounts answer for an origin (scheme, host, port), as a small record in the kernel keyring. */
#ifndef RBR_INDEX_H
#define RBR_INDEX_H

#include "context.h"
#include "locate.h"
#include "protocol/cache.h"
#include "url.h"

/* The best account so far, and another that is as good. */
struct rbr_choice {
	char account[RBR_ACCOUNT_NAME_MAX + 1]; /* "": none */
	char stamp[RBR_STAMPS_MAX]; /* of its file and the defaults, when this was found out */
	char rival[RBR_ACCOUNT_NAME_MAX + 1]; /* "": none */
	long score;
};

#define RBR_CHOICE_EMPTY ((struct rbr_choice){.score = -1})

/* Weighs an account (whose file has STAMP) that answers for PATH and what is below it, on URL's own origin. ACCOUNT_USERNAME is "" if it names none,
 * USERNAME NULL if the caller asks for nobody in particular. A path that covers more beats everything; a user name that was
 * asked for beats an account that names none. */
void rbr_choice_weigh(struct rbr_choice *choice, const struct rbr_url *url, const char *username, const char *account,
	const char *stamp, const char *account_username, const char *path);

/* The key of URL's origin. It depends on the account folders as they are now; *RET_SETTLED says whether they could still
 * change without showing it. RINGBEARER_E_CONFIG, RINGBEARER_E_SYSTEM. */
int rbr_index_key(struct rbr_context *context, const struct rbr_url *url, struct rbr_cache_key *ret_key,
	bool *ret_settled) RBR_MUST_CHECK;

/* Adds an account to the record INDEX. RINGBEARER_E_MALFORMED_REQUEST if it does not fit. */
int rbr_index_add(struct rbr_message *index, const char *account, const char *stamp, const char *account_username,
	const char *path) RBR_MUST_CHECK;

/* Weighs what the record under KEY says. False if there is none. Whom it chooses must be located and have the stamp that it says. */
bool rbr_index_choose(
	const struct rbr_cache_key *key, const struct rbr_url *url, const char *username, struct rbr_choice *choice);

#endif
