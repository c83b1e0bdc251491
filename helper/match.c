/* SPDX-License-Identifier: MIT */
/*
 * Finding an account by URL without reading a thousand files for each call.
 *
 * The accounts that answer for one origin (scheme, host, port) are kept as a small record in the kernel keyring, together
 * with the stamps of the account folders: adding, removing or renaming a file changes the folder's stamp and
 * makes the record void at once. A file that is edited in place does not; the account that is found is
 * always located and read afresh by its own stamp, so that its token is right whatever the record says, and the choice
 * among accounts is at most INDEX_SECONDS old. A folder that was changed a moment ago could change again without a
 * new stamp; then nothing is kept.
 */
#include "config.h"

#include "match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "protocol/cache.h"

#define INDEX_SECONDS 60
#define INDEX_SIZE_MAX 4096 /* bytes; more accounts on one origin are looked up afresh each time */
#define SETTLED_SECONDS 2

struct candidate {
	const char *account;
	const char *username;
	const char *prefix;
};

bool
rbr_match_covers(const struct rbr_account *account, const struct rbr_url *url)
{
	const struct rbr_value *value;
	struct rbr_url prefix;
	size_t i;

	for (i = 0; (value = rbr_account_value(account, RBR_KEY_MATCH, i)); i++)
		if (rbr_url_parse(&prefix, value->text, "match", NULL) == 0 && rbr_url_covers(&prefix, url) >= 0)
			return true;
	return false;
}

/* -- the record of an origin: account, username and match lines, in turn -- */

struct scan {
	struct rbr_context *context;
	char origin[RBR_URL_MAX];
	struct rbr_message *index;
	unsigned unreadable;
};

static int
add_account(const struct rbr_account *account, struct scan *scan)
{
	const char *username = rbr_account_get(account, RBR_KEY_USERNAME);
	const struct rbr_value *value;
	struct rbr_url prefix;
	char origin[RBR_URL_MAX];
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && (value = rbr_account_value(account, RBR_KEY_MATCH, i)); i++) {
		if (rbr_url_parse(&prefix, value->text, "match", NULL) < 0)
			continue;
		rbr_url_origin(&prefix, origin, sizeof origin);
		if (strcmp(origin, scan->origin) != 0)
			continue;
		rc = rbr_message_add(scan->index, "account", account->name);
		if (rc == 0)
			rc = rbr_message_add(scan->index, "username", username ? username : "");
		if (rc == 0)
			rc = rbr_message_add(scan->index, "match", value->text);
	}
	return rc;
}

static int
scan_account(const char *name, void *data)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct scan *scan = data;
	struct rbr_error why = {0};

	if (rbr_account_load(name, &account, &why) < 0) {
		scan->unreadable++;
		rbr_trace(scan->context, "%s", why.detail);
		return 0;
	}
	return add_account(&account, scan);
}

/* -- its key: the origin, and what the folders are just now -- */

static int
add_folder(struct rbr_cache_key *key, enum rbr_place place, bool *settled, struct rbr_context *context)
{
	char folder[PATH_MAX], stamp[RBR_STAMP_MAX];
	const char *changed;
	int rc = rbr_path_folder(place, "accounts", folder, &context->error);

	if (rc < 0)
		return rc;
	rbr_stamp(folder, stamp);
	changed = strrchr(stamp, '.');
	while (changed && changed > stamp && changed[-1] != ':')
		changed--;
	if (changed && (int64_t)strtoll(changed, NULL, 16) > context->started.real - SETTLED_SECONDS)
		*settled = false;
	rc = rbr_cache_key_add(key, stamp);
	return rc < 0 ? rc : rbr_cache_key_add(key, folder);
}

static int
read_index(struct rbr_context *context, const char *origin, struct rbr_message *index)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret size = RBR_SECRET_EMPTY;
	struct scan scan = {.context = context, .index = index};
	bool settled = true;
	int rc = rbr_cache_key_add(&key, "index");

	if (rc == 0)
		rc = rbr_cache_key_add(&key, origin);
	if (rc == 0)
		rc = add_folder(&key, RBR_PLACE_USER, &settled, context);
	if (rc == 0)
		rc = add_folder(&key, RBR_PLACE_SYSTEM, &settled, context);
	if (rc < 0)
		return rc;
	if (rbr_cache_read(&key, index))
		return 0;
	(void)snprintf(scan.origin, sizeof scan.origin, "%s", origin);
	rc = rbr_account_visit(scan_account, &scan, &context->error);
	if (rc < 0)
		return rc;
	if (scan.unreadable > 0 && index->count == 0)
		rbr_warn(context, NULL, "%u account files cannot be read; see `ringbearer list`", scan.unreadable);
	if (settled && scan.unreadable == 0 && rbr_message_format(index, &size) == 0 && size.size <= INDEX_SIZE_MAX)
		(void)rbr_cache_write(&key, index, INDEX_SECONDS);
	return 0;
}

/* -- the choice -- */

/* How well CANDIDATE suits: more is better, -1 is not at all. A path that covers more beats everything; a user name
 * that was asked for beats an account that names none. */
static long
score(const struct candidate *candidate, const struct rbr_url *url, const char *username)
{
	bool names_one = candidate->username[0] != '\0';
	struct rbr_url prefix;
	long covered;

	if (username && names_one && strcmp(username, candidate->username) != 0)
		return -1;
	if (rbr_url_parse(&prefix, candidate->prefix, "match", NULL) < 0)
		return -1;
	covered = rbr_url_covers(&prefix, url);
	return covered < 0 ? -1 : covered * 2 + (username && names_one);
}

static int
choose(struct rbr_context *context, const struct rbr_message *index, const struct rbr_url *url, const char *username,
	char ret_name[RBR_ACCOUNT_NAME_MAX + 1])
{
	struct candidate each = {NULL, NULL, NULL};
	const char *best = NULL, *rival = NULL;
	long best_score = -1, this_score;
	size_t i;

	for (i = 0; i < index->count; i++) {
		const char *key = rbr_message_key(index, i);

		if (strcmp(key, "account") == 0)
			each.account = rbr_message_value(index, i);
		else if (strcmp(key, "username") == 0)
			each.username = rbr_message_value(index, i);
		else if (strcmp(key, "match") == 0)
			each.prefix = rbr_message_value(index, i);
		if (!each.account || !each.username || !each.prefix)
			continue;
		this_score = score(&each, url, username);
		if (this_score > best_score) {
			best_score = this_score;
			best = each.account;
			rival = NULL;
		} else if (this_score >= 0 && this_score == best_score && strcmp(best, each.account) != 0) {
			rival = each.account;
		}
		each = (struct candidate){NULL, NULL, NULL};
	}
	if (!best)
		return rbr_fail(&context->error, RINGBEARER_E_NO_ACCOUNT, "no account answers for %s://%s:%u%.200s",
			url->scheme, url->host, url->port, url->path);
	if (rival)
		return rbr_fail(&context->error, RINGBEARER_E_AMBIGUOUS_ACCOUNT,
			"the accounts `%s` and `%s` answer equally well for %s://%s:%u%.200s; name the account, or ask with "
			"the `username` of one",
			best, rival, url->scheme, url->host, url->port, url->path);
	(void)snprintf(ret_name, RBR_ACCOUNT_NAME_MAX + 1, "%s", best);
	return 0;
}

int
rbr_match_find(struct rbr_context *context, const struct rbr_url *url, const char *username,
	char ret_name[RBR_ACCOUNT_NAME_MAX + 1])
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message index = RBR_MESSAGE_EMPTY;
	char origin[RBR_URL_MAX];
	int rc;

	rbr_url_origin(url, origin, sizeof origin);
	rc = read_index(context, origin, &index);
	return rc < 0 ? rc : choose(context, &index, url, username, ret_name);
}
