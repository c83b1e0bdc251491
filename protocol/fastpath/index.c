/* SPDX-License-Identifier: MIT */
/*
 * Finding an account by URL without reading a thousand files for each call.
 *
 * The record of an origin holds one line for each prefix: account, user name and path. Its key has the stamps of the account
 * folders in it: adding, removing or renaming a file makes the record void at once. A file that is edited in place does
 * not; the account that is found is always located by its own stamp, so that its token is right whatever the record says,
 * and the choice among accounts is at most a minute old. A folder that was changed a moment ago could change again without
 * a new stamp; then nothing is kept.
 */
#include "config.h"

#include "index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED_SECONDS 2
#define SEPARATOR '\x1f' /* in no name, user name or path: keys.c and url.c see to that */
#define LINE_MAX_SIZE (RBR_URL_MAX + 512)

void
rbr_choice_weigh(struct rbr_choice *choice, const struct rbr_url *url, const char *username, const char *account,
	const char *account_username, const char *path)
{
	bool names_one = account_username[0] != '\0';
	long covered = rbr_url_path_covers(path, url->path), score;

	if (covered < 0 || (username && names_one && strcmp(username, account_username) != 0))
		return;
	score = covered * 2 + (username && names_one);
	if (score > choice->score) {
		choice->score = score;
		(void)snprintf(choice->account, sizeof choice->account, "%s", account);
		choice->rival[0] = '\0';
	} else if (score == choice->score && strcmp(choice->account, account) != 0) {
		(void)snprintf(choice->rival, sizeof choice->rival, "%s", account);
	}
}

/* The time in a stamp is its third part, in seconds, hexadecimal. */
static int64_t
changed_at(const char *stamp)
{
	int colons = 3;

	while (colons > 0 && *stamp)
		colons -= *stamp++ == ':';
	return (int64_t)strtoll(stamp, NULL, 16);
}

static int
add_folder(struct rbr_context *context, enum rbr_place place, struct rbr_cache_key *key, bool *settled)
{
	char folder[PATH_MAX], stamp[RBR_STAMP_MAX];
	int rc = rbr_path_folder(place, "accounts", folder, &context->error);

	if (rc < 0)
		return rc;
	rbr_stamp(folder, stamp);
	if (changed_at(stamp) > context->started.real - SETTLED_SECONDS)
		*settled = false;
	rc = rbr_cache_key_add(key, stamp);
	if (rc == 0)
		rc = rbr_cache_key_add(key, folder);
	return rc < 0 ? rbr_fail_memory(&context->error) : 0;
}

int
rbr_index_key(struct rbr_context *context, const struct rbr_url *url, struct rbr_cache_key *ret_key, bool *ret_settled)
{
	char origin[RBR_URL_MAX];
	size_t i;
	int rc;

	*ret_settled = true;
	rbr_url_origin(url, origin, sizeof origin);
	if (rbr_cache_key_add(ret_key, "index") < 0 || rbr_cache_key_add(ret_key, origin) < 0)
		return rbr_fail_memory(&context->error);
	for (i = 0; i < RBR_ACCOUNT_PLACES; i++) {
		rc = add_folder(context, rbr_account_places[i], ret_key, ret_settled);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
rbr_index_add(struct rbr_message *index, const char *account, const char *account_username, const char *path)
{
	char line[LINE_MAX_SIZE];
	int size = snprintf(line, sizeof line, "%s%c%s%c%s", account, SEPARATOR, account_username, SEPARATOR, path);

	return size < 0 || (size_t)size >= sizeof line ? RINGBEARER_E_MALFORMED_REQUEST
						       : rbr_message_add(index, "is", line);
}

/* Takes a line apart and weighs it. */
static void
weigh_line(const char *line, const struct rbr_url *url, const char *username, struct rbr_choice *choice)
{
	char account[RBR_ACCOUNT_NAME_MAX + 1], account_username[512];
	const char *first = strchr(line, SEPARATOR), *second = first ? strchr(first + 1, SEPARATOR) : NULL;

	if (!second || (size_t)(first - line) >= sizeof account ||
		(size_t)(second - first - 1) >= sizeof account_username)
		return;
	memcpy(account, line, (size_t)(first - line));
	account[first - line] = '\0';
	memcpy(account_username, first + 1, (size_t)(second - first - 1));
	account_username[second - first - 1] = '\0';
	rbr_choice_weigh(choice, url, username, account, account_username, second + 1);
}

bool
rbr_index_choose(
	const struct rbr_cache_key *key, const struct rbr_url *url, const char *username, struct rbr_choice *choice)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message index = RBR_MESSAGE_EMPTY;
	size_t i;

	if (!rbr_cache_read(key, &index))
		return false;
	for (i = 0; i < index.count; i++)
		if (strcmp(rbr_message_key(&index, i), "is") == 0)
			weigh_line(rbr_message_value(&index, i), url, username, choice);
	return true;
}
