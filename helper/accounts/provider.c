/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "provider.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/nearest.h"

#define NAME_MAX_LENGTH 64

static const enum rbr_place places[] = {RBR_PLACE_SHIPPED, RBR_PLACE_SYSTEM, RBR_PLACE_USER};

void
rbr_provider_wipe(struct rbr_provider *provider)
{
	rbr_message_wipe(&provider->lines);
	provider->path[0] = '\0';
}

bool
rbr_provider_has_key(const char *key)
{
	static const char *const own[] = {
		"title", "documentation", "tenant_domain", "denied_hint", "rejected_hint", "needs", "grants"};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(own); i++)
		if (strcmp(key, own[i]) == 0)
			return true;
	return false;
}

/* Reads all of DESCRIPTOR, at most one byte more than a file may have. */
static int
read_all(int descriptor, struct ringbearer_secret *text)
{
	ssize_t got;

	do {
		if (rbr_secret_reserve(text, 4096) < 0)
			return -1;
		got = read(descriptor, text->data + text->size, text->capacity - text->size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		text->size += (size_t)got;
	} while (got != 0 && text->size <= RBR_MESSAGE_FILE_MAX);
	return 0;
}

int
rbr_config_read(const char *path, enum rbr_trust trust, struct rbr_message *lines, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_close) int descriptor = -1;
	int rc = rbr_trust_open(path, trust, RINGBEARER_E_CONFIG, &descriptor, error);

	if (rc < 0)
		return rc;
	if (read_all(descriptor, &text) < 0)
		return rbr_fail(error, RINGBEARER_E_CONFIG, "%s cannot be read: %s", path, strerror(errno));
	return rbr_message_parse(lines, text.data, text.size, RBR_DIALECT_FILE, path, RINGBEARER_E_CONFIG, error);
}

static bool
name_is_sound(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return size > 0 && name[size] == '\0' && size <= NAME_MAX_LENGTH && name[0] != '.' && name[0] != '-';
}

int
rbr_provider_load(const char *name, struct rbr_provider *ret_provider, struct rbr_error *error)
{
	struct rbr_nearest nearest = RBR_NEAREST(name);
	char folder[PATH_MAX], path[PATH_MAX];
	size_t i;
	int rc;

	if (!name_is_sound(name))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"`%.64s` is no name of a provider; see `ringbearer providers`", name);
	for (i = 0; i < RBR_ARRAY_SIZE(places); i++) {
		rc = rbr_path_folder(places[i], "providers", folder, error);
		if (rc == 0)
			rc = rbr_path_join(folder, name, path, error);
		if (rc < 0)
			return rc;
		if (access(path, F_OK) < 0)
			continue;
		rc = rbr_config_read(path, places[i] == RBR_PLACE_SHIPPED ? RBR_TRUST_INSTALLED : RBR_TRUST_USER,
			&ret_provider->lines, error);
		if (rc < 0)
			return rc;
		memcpy(ret_provider->path, path, sizeof path);
		ret_provider->place = places[i];
		return 0;
	}
	if (rbr_provider_visit(rbr_nearest_visit, &nearest, NULL) == 0 && rbr_nearest_fits(&nearest))
		return rbr_fail(error, RINGBEARER_E_CONFIG, "there is no provider `%s`; did you mean `%s`?", name,
			nearest.name);
	return rbr_fail(error, RINGBEARER_E_CONFIG, "there is no provider `%s`; see `ringbearer providers`", name);
}

/* Was NAME already found in a place before PLACE? */
static bool
seen_before(const char *name, size_t place)
{
	char folder[PATH_MAX], path[PATH_MAX];
	size_t i;

	for (i = 0; i < place; i++)
		if (rbr_path_folder(places[i], "providers", folder, NULL) == 0 &&
			rbr_path_join(folder, name, path, NULL) == 0 && access(path, F_OK) == 0)
			return true;
	return false;
}

int
rbr_provider_visit(rbr_provider_visitor visit, void *data, struct rbr_error *error)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	size_t i;
	DIR *open_folder;
	int rc = 0;

	for (i = 0; rc == 0 && i < RBR_ARRAY_SIZE(places); i++) {
		rc = rbr_path_folder(places[i], "providers", folder, error);
		open_folder = rc == 0 ? opendir(folder) : NULL;
		if (!open_folder)
			continue;
		while (rc == 0 && (entry = readdir(open_folder)))
			if (name_is_sound(entry->d_name) && !seen_before(entry->d_name, i))
				rc = visit(entry->d_name, data);
		(void)closedir(open_folder);
	}
	return rc;
}
