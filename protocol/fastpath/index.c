/* SPDX-License-Identifier: MIT */
/*
 * Finding an account by URL without reading a thousand files for each call.
 *
 * The record of an origin holds one line for each prefix: account, its file's stamp, user name and path. Its key has the
 * stamps of the account folders in it: adding, removing or renaming a file makes the record void at once. A file that is
 * edited in place does not; so the record is believed only where the file of the account that it names is still the one that
 * it was made of, and no account answers for a place that it has given up. That another one would answer better by now is seen
 * within a minute. A folder that was changed a moment ago could change again without
 * a new stamp; then nothing is kept.
 */
#include "config.h"

#include "index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/writer.h"

#define SETTLED_SECONDS 2
#define SEPARATOR '\x1f' /* in no name, user name or path: rbr_index_add() sees to that */
#define LINE_MAX_SIZE (RBR_URL_MAX + RBR_STAMPS_MAX + 512)
#define USERNAME_MAX 512

/* The address that Azure DevOps shows is https://acme@dev.azure.com/acme/: its user is the organization. People's names there have
 * an @. git leaves the path out, unless it is told not to. */
static bool
is_organization(const struct rbr_url *url, const char *username)
{
	return username && strcmp(url->host, "dev.azure.com") == 0 && !strchr(username, '@');
}

/* Of an address with nothing but an ORGANIZATION: is PATH the organization's, or everybody's? */
static long
covers_organization(const char *path, const char *organization)
{
	char whole[sizeof((struct rbr_url *)0)->username + 2];
	struct rbr_writer writer = rbr_writer_start(whole, sizeof whole);

	rbr_write_char(&writer, '/');
	rbr_write_text(&writer, organization);
	return rbr_writer_fits(&writer) ? rbr_url_path_covers(path, whole) : -1;
}

static void
set(char *text, size_t size, const char *value)
{
	struct rbr_writer writer = rbr_writer_start(text, size);

	rbr_write_text(&writer, value);
}

void
rbr_choice_weigh(struct rbr_choice *choice, const struct rbr_url *url, const char *username, const char *account,
	const char *stamp, const char *account_username, const char *path)
{
	bool names_one = account_username[0] != '\0';
	long covered = rbr_url_path_covers(path, url->path), score;

	if (is_organization(url, username) && strcmp(username, account_username) != 0) {
		if (strcmp(url->path, "/") == 0)
			covered = covers_organization(path, username);
		username = NULL;
	}
	if (covered < 0 || (username && names_one && strcmp(username, account_username) != 0))
		return;
	score = covered * 2 + (username && names_one);
	if (score > choice->score) {
		choice->score = score;
		set(choice->account, sizeof choice->account, account);
		set(choice->stamp, sizeof choice->stamp, stamp);
		choice->rival[0] = '\0';
	} else if (score == choice->score && strcmp(choice->account, account) != 0) {
		set(choice->rival, sizeof choice->rival, account);
	}
}

static int
add_folder(struct rbr_context *context, enum rbr_place place, struct rbr_cache_key *key, bool *settled)
{
	char folder[PATH_MAX], stamp[RBR_STAMP_MAX];
	int rc = rbr_path_folder(place, "accounts", folder, &context->error);

	if (rc < 0)
		return rc;
	if (rbr_stamp(folder, stamp) > context->started.real - SETTLED_SECONDS)
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
rbr_index_add(struct rbr_message *index, const char *account, const char *stamp, const char *account_username,
	const char *path)
{
	const char *const parts[] = {account, stamp, account_username, path};
	char line[LINE_MAX_SIZE];
	size_t i;
	int size = snprintf(line, sizeof line, "%s%c%s%c%s%c%s", account, SEPARATOR, stamp, SEPARATOR, account_username,
		SEPARATOR, path);

	for (i = 0; i < RBR_ARRAY_SIZE(parts); i++)
		if (strchr(parts[i], SEPARATOR))
			return RINGBEARER_E_MALFORMED_REQUEST;
	return size < 0 || (size_t)size >= sizeof line ? RINGBEARER_E_MALFORMED_REQUEST
						       : rbr_message_add(index, "is", line);
}

/* Copies the part of a line that LINE begins with; returns what is behind it, or NULL if it does not fit or is the last. */
static const char *
take_part(const char *line, char *part, size_t room)
{
	const char *end = line ? strchr(line, SEPARATOR) : NULL;

	if (!end || (size_t)(end - line) >= room)
		return NULL;
	memcpy(part, line, (size_t)(end - line));
	part[end - line] = '\0';
	return end + 1;
}

/* Takes a line apart and weighs it. */
static void
weigh_line(const char *line, const struct rbr_url *url, const char *username, struct rbr_choice *choice)
{
	char account[RBR_ACCOUNT_NAME_MAX + 1], stamp[RBR_STAMPS_MAX], account_username[USERNAME_MAX];
	const char *path = take_part(line, account, sizeof account);

	path = take_part(path, stamp, sizeof stamp);
	path = take_part(path, account_username, sizeof account_username);
	if (path)
		rbr_choice_weigh(choice, url, username, account, stamp, account_username, path);
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
