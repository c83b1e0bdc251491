/* SPDX-License-Identifier: MIT */
/* Which account answers for a URL. */
#ifndef RBR_MATCH_H
#define RBR_MATCH_H

#include "account.h"
#include "protocol/fastpath/context.h"
#include "protocol/fastpath/url.h"

/*
 * The account whose `match` covers most of URL. USERNAME (may be NULL) must not differ from the account's own where it
 * has one, and decides between accounts that cover equally much.
 * RINGBEARER_E_NO_ACCOUNT, RINGBEARER_E_AMBIGUOUS_ACCOUNT, RINGBEARER_E_CONFIG.
 */
int rbr_match_find(struct rbr_context *context, const struct rbr_url *url, const char *username,
	char ret_name[RBR_ACCOUNT_NAME_MAX + 1]) RBR_MUST_CHECK;

/* Fails with RINGBEARER_E_NO_ACCOUNT unless ACCOUNT, which was named, answers for URL. */
int rbr_match_require(struct rbr_context *context, const struct rbr_account *account, const struct rbr_url *url)
	RBR_MUST_CHECK;

/* A host in Unicode and its punycode are one: makes punycode of URL's, where this program can do that. All of the above do so
 * themselves. */
void rbr_match_settle(struct rbr_context *context, struct rbr_url *url);

#endif
