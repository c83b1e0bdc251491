/* SPDX-License-Identifier: MIT */
/* The long way to an account by URL: reads all account files, and keeps what was found for the origin (index.c). */
#include "config.h"

#include "match.h"

#include <stdio.h>
#include <string.h>

#include "person/log.h"
#include "protocol/fastpath/index.h"

#define INDEX_SECONDS 60
#define INDEX_SIZE_MAX 8192 /* bytes; an ordinary user's kernel keyring has 20,000 for everything */

struct scan {
	struct rbr_context *context;
	const struct rbr_url *url;
	const char *username;
	struct rbr_choice *choice;
	struct rbr_message index;
	bool indexable; /* everything has fitted so far */
	unsigned unreadable;
	char first[RBR_ACCOUNT_NAME_MAX + 1]; /* of those */
};

void
rbr_match_settle(struct rbr_context *context, struct rbr_url *url)
{
	const char *c = url->host;

	while ((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f)
		c++;
	if (*c && context->settle_host)
		context->settle_host(context, url->host, sizeof url->host);
}

/* The prefix that is ACCOUNT's `match` number I, settled. False: there is none that could be read; *RET_MORE, or no more. */
static bool
take_prefix(struct rbr_context *context, const struct rbr_account *account, size_t i, struct rbr_url *ret_prefix,
	bool *ret_more)
{
	const struct rbr_value *value = rbr_account_value(account, RBR_KEY_MATCH, i);

	*ret_more = value != NULL;
	if (!value || rbr_url_parse(ret_prefix, value->text, "match", NULL) < 0)
		return false;
	rbr_match_settle(context, ret_prefix);
	return true;
}

int
rbr_match_require(struct rbr_context *context, const struct rbr_account *account, const struct rbr_url *url)
{
	struct rbr_url wanted = *url, prefix;
	bool more = true;
	size_t i;

	rbr_match_settle(context, &wanted);
	for (i = 0; more; i++)
		if (take_prefix(context, account, i, &prefix, &more) && rbr_url_covers(&prefix, &wanted) >= 0)
			return 0;
	return rbr_fail(&context->error, RINGBEARER_E_NO_ACCOUNT,
		"the account does not answer for %s://%s%.200s; add a `match` to it if it should", url->scheme,
		url->host, url->path);
}

static void
weigh_account(const struct rbr_account *account, const char *stamp, struct scan *scan)
{
	const char *username = rbr_account_get(account, RBR_KEY_USERNAME);
	struct rbr_url prefix;
	bool more = true;
	size_t i;

	if (!username)
		username = "";
	for (i = 0; more; i++) {
		if (!take_prefix(scan->context, account, i, &prefix, &more) || !rbr_url_same_origin(&prefix, scan->url))
			continue;
		rbr_choice_weigh(scan->choice, scan->url, scan->username, account->name, stamp, username, prefix.path);
		if (scan->indexable && rbr_index_add(&scan->index, account->name, stamp, username, prefix.path) < 0)
			scan->indexable = false;
	}
}

static int
scan_account(const char *name, void *data)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct scan *scan = data;
	struct rbr_located located = {.path = ""};
	struct rbr_error why = {0};

	(void)!rbr_account_locate(
		name, &located, NULL); /* before it is read: of one that changes meanwhile nothing is believed */
	if (rbr_account_load(name, &account, &why) < 0) {
		if (scan->unreadable++ == 0)
			(void)snprintf(scan->first, sizeof scan->first, "%s", name);
		rbr_trace(scan->context, "%s", why.detail);
		return 0;
	}
	weigh_account(&account, located.stamp, scan);
	return 0;
}

static int
scan_all(struct rbr_context *context, const struct rbr_url *url, const char *username, struct rbr_cache_key *key,
	bool settled, struct rbr_choice *choice)
{
	struct scan scan = {
		.context = context, .url = url, .username = username, .choice = choice, .indexable = settled};
	int rc = rbr_account_visit(scan_account, &scan, &context->error);

	if (rc == 0 && scan.unreadable > 0 && choice->account[0] == '\0')
		rbr_warn(context, NULL, "the account `%s`%s cannot be read; see `ringbearer list`", scan.first,
			scan.unreadable > 1 ? " and others" : "");
	if (rc == 0 && scan.indexable && scan.unreadable == 0 && scan.index.text.size <= INDEX_SIZE_MAX)
		(void)rbr_cache_write(key, &scan.index, INDEX_SECONDS);
	rbr_message_wipe(&scan.index);
	return rc;
}

/* Is the file of the account that the record names the one that it was made of? Of nobody nothing can have changed. */
static bool
is_unchanged(const struct rbr_choice *choice)
{
	struct rbr_located located;

	return choice->account[0] == '\0' ||
		(rbr_account_locate(choice->account, &located, NULL) == 0 && strcmp(located.stamp, choice->stamp) == 0);
}

int
rbr_match_find(struct rbr_context *context, const struct rbr_url *url, const char *username,
	char ret_name[RBR_ACCOUNT_NAME_MAX + 1])
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	struct rbr_choice choice = RBR_CHOICE_EMPTY;
	struct rbr_url wanted = *url;
	bool settled;
	int rc;

	rbr_match_settle(context, &wanted);
	rc = rbr_index_key(context, &wanted, &key, &settled);
	if (rc == 0 && !(rbr_index_choose(&key, &wanted, username, &choice) && is_unchanged(&choice))) {
		choice = RBR_CHOICE_EMPTY;
		rc = scan_all(context, &wanted, username, &key, settled, &choice);
	}
	if (rc < 0)
		return rc;
	if (choice.account[0] == '\0')
		return rbr_fail(&context->error, RINGBEARER_E_NO_ACCOUNT, "no account answers for %s://%s:%u%.200s",
			url->scheme, url->host, url->port, url->path);
	if (choice.rival[0] != '\0')
		return rbr_fail(&context->error, RINGBEARER_E_AMBIGUOUS_ACCOUNT,
			"the accounts `%s` and `%s` answer equally well for %s://%s:%u%.200s; name the account, or ask with "
			"the `username` of one",
			choice.account, choice.rival, url->scheme, url->host, url->port, url->path);
	(void)snprintf(ret_name, RBR_ACCOUNT_NAME_MAX + 1, "%s", choice.account);
	return 0;
}
