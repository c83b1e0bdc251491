/* SPDX-License-Identifier: MIT */
/*
 * The way to a file is walked folder by folder with openat(2), links and all, so that what is looked at is what is gone
 * through. At the end nobody could have changed the way but root and the user: a name that was found good stays so, and may
 * be handed to somebody who opens it again.
 */
#include "config.h"

#include "file_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/fastpath/locate.h"

#define LINKS_MAX 32
#define OWNERS_MAX 5
#define OVERFLOW_UID 65534u /* whom the kernel shows where it may not say who it is */
#define PASSWD_MAX 4096

struct owners {
	uid_t list[OWNERS_MAX];
	size_t count;
};

struct walk {
	const char *path; /* as it was given, for messages */
	char rest[PATH_MAX]; /* what is still to be gone */
	struct owners owners;
	int links;
	int code; /* where something cannot be read */
	struct rbr_error *error;
};

/* -- whose -- */

static void
add_owner(struct owners *owners, uid_t owner)
{
	if (owners->count < OWNERS_MAX)
		owners->list[owners->count++] = owner;
}

static bool
is_owner(const struct owners *owners, uid_t owner)
{
	size_t i;

	for (i = 0; i < owners->count; i++)
		if (owners->list[i] == owner)
			return true;
	return false;
}

/* In a sandbox with users of its own, those outside it have no names, root among them. */
static bool
root_has_no_name(void)
{
	unsigned long first, outside, count;
	FILE *map = fopen("/proc/self/uid_map", "re");
	bool named = !map;

	while (map && fscanf(map, "%lu %lu %lu", &first, &outside, &count) == 3)
		named = named || (first <= OVERFLOW_UID && OVERFLOW_UID - first < count);
	if (map)
		(void)fclose(map);
	return !named;
}

/* Who can replace the program decides all that it does. */
static void
add_owners_of_program(struct owners *owners)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
	struct stat status;
	char *slash;

	if (size < 0)
		return;
	path[size] = '\0';
	if (stat("/proc/self/exe", &status) == 0)
		add_owner(owners, status.st_uid);
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	if (path[0] != '\0' && stat(path, &status) == 0)
		add_owner(owners, status.st_uid);
}

/* Is it a group with nobody in it but the user, as many systems make one for each? */
static bool
is_private(gid_t group)
{
	char passwd_text[PASSWD_MAX], group_text[PASSWD_MAX];
	struct passwd user, *found_user = NULL;
	struct group entry, *found = NULL;
	char **member;

	if (group == 0)
		return true; /* root's */
	if (getpwuid_r(geteuid(), &user, passwd_text, sizeof passwd_text, &found_user) != 0 || !found_user ||
		user.pw_gid != group || getgrgid_r(group, &entry, group_text, sizeof group_text, &found) != 0 ||
		!found || strcmp(entry.gr_name, user.pw_name) != 0)
		return false;
	for (member = entry.gr_mem; *member; member++)
		if (strcmp(*member, user.pw_name) != 0)
			return false;
	return true;
}

/* -- the way -- */

static int
fail_foreign(const struct walk *walk, const char *what, uid_t owner)
{
	return rbr_fail(walk->error, RINGBEARER_E_CONFIG,
		"%.300s is not trusted: %.200s belongs to another user (%u), and must be yours or root's; keep it elsewhere",
		walk->path, what, owner);
}

static int
check_folder(const struct walk *walk, int descriptor)
{
	char link[64], name[PATH_MAX] = "a folder above it";
	struct stat status;
	ssize_t size;

	if (fstat(descriptor, &status) < 0)
		return rbr_fail(walk->error, walk->code, "%.300s cannot be read: %s", walk->path, strerror(errno));
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
	size = readlink(link, name, sizeof name - 1);
	if (size > 0)
		name[size] = '\0';
	if (!is_owner(&walk->owners, status.st_uid))
		return fail_foreign(walk, name, status.st_uid);
	if ((status.st_mode & S_ISVTX) ||
		(!(status.st_mode & S_IWOTH) && (!(status.st_mode & S_IWGRP) || is_private(status.st_gid))))
		return 0;
	return rbr_fail(walk->error, RINGBEARER_E_CONFIG,
		"%.200s is not trusted: the folder %.200s can be written by others; run `chmod go-w %.160s`, or keep it elsewhere",
		walk->path, name, name);
}

/* Puts what the link NAME in the folder AT leads to before the rest of the way. */
static int
follow(struct walk *walk, int at, const char *name)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t size = readlinkat(at, name, target, sizeof target - 1);
	struct stat status;

	if (size < 0 || fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return rbr_fail(walk->error, walk->code, "%.300s cannot be read: %s", walk->path, strerror(errno));
	if (!is_owner(&walk->owners, status.st_uid))
		return fail_foreign(walk, name, status.st_uid);
	target[size] = '\0';
	if (++walk->links > LINKS_MAX || snprintf(rest, sizeof rest, "%s/%s", target, walk->rest) >= (int)sizeof rest)
		return rbr_fail(walk->error, walk->code, "%.300s cannot be read: %s", walk->path, strerror(ELOOP));
	memcpy(walk->rest, rest, sizeof rest);
	return 0;
}

static int
check_file(const struct walk *walk, int descriptor)
{
	struct stat status;

	if (fstat(descriptor, &status) < 0)
		return rbr_fail(walk->error, walk->code, "%.300s cannot be read: %s", walk->path, strerror(errno));
	/* For an owner whom the walk takes for root it is root's. */
	return rbr_config_trust(
		walk->path, status.st_mode, is_owner(&walk->owners, status.st_uid) ? 0 : status.st_uid, walk->error);
}

/* Takes the next name off the way: "" at its end. The folder to begin at is in *AT. */
static int
next_name(struct walk *walk, int *at, char name[NAME_MAX + 1])
{
	size_t skipped = strspn(walk->rest, "/"), size;
	int root, rc;

	if (skipped > 0) { /* an absolute way begins, or a link's */
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return rbr_fail(walk->error, walk->code, "/ cannot be opened: %s", strerror(errno));
		rbr_close(at);
		*at = root;
		rc = check_folder(walk, root);
		if (rc < 0)
			return rc;
		memmove(walk->rest, walk->rest + skipped, strlen(walk->rest + skipped) + 1);
	}
	size = strcspn(walk->rest, "/");
	if (size > NAME_MAX)
		return rbr_fail(
			walk->error, walk->code, "%.300s cannot be read: %s", walk->path, strerror(ENAMETOOLONG));
	memcpy(name, walk->rest, size);
	name[size] = '\0';
	size += strspn(walk->rest + size, "/");
	memmove(walk->rest, walk->rest + size, strlen(walk->rest + size) + 1);
	return 0;
}

/* One step: *AT becomes the folder NAME, or the way is mended by what the link NAME has. */
static int
step(struct walk *walk, int *at, const char *name)
{
	int next = openat(*at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0 && errno == ENOTDIR) {
		struct stat status;

		if (fstatat(*at, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
			return follow(walk, *at, name);
		errno = ENOTDIR;
	}
	if (next < 0)
		return rbr_fail(walk->error, walk->code, "%.300s cannot be read: %s", walk->path, strerror(errno));
	rbr_close(at);
	*at = next;
	return check_folder(walk, *at);
}

/* The last step: the file itself in *RET_DESCRIPTOR, -1 if NAME is one more link. */
static int
arrive(struct walk *walk, int at, const char *name, int *ret_descriptor)
{
	int file = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), rc;

	*ret_descriptor = -1;
	if (file < 0 && errno == ELOOP)
		return follow(walk, at, name);
	if (file < 0)
		return rbr_fail(walk->error, walk->code, "%.300s cannot be read: %s", walk->path, strerror(errno));
	rc = check_file(walk, file);
	if (rc == 0)
		*ret_descriptor = file;
	else
		rbr_close(&file);
	return rc;
}

int
rbr_trust_open(const char *path, enum rbr_trust trust, int code, int *ret_descriptor, struct rbr_error *error)
{
	struct walk walk = {.path = path, .code = code, .error = error};
	RBR_CLEANUP(rbr_close) int at = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1] = "";
	int rc = 0, file = -1;

	add_owner(&walk.owners, 0);
	add_owner(&walk.owners, geteuid());
	if (trust == RBR_TRUST_INSTALLED)
		add_owners_of_program(&walk.owners);
	if (root_has_no_name())
		add_owner(&walk.owners, OVERFLOW_UID);
	if (snprintf(walk.rest, sizeof walk.rest, "%s", path) >= (int)sizeof walk.rest)
		return rbr_fail(error, code, "%.300s cannot be read: %s", path, strerror(ENAMETOOLONG));
	if (path[0] != '/')
		rc = check_folder(&walk, at);
	while (rc == 0 && file < 0) {
		rc = next_name(&walk, &at, name);
		if (rc < 0)
			break;
		rc = walk.rest[0] != '\0' ? step(&walk, &at, name) : arrive(&walk, at, name[0] ? name : ".", &file);
	}
	if (rc == 0)
		*ret_descriptor = file;
	return rc;
}

int
rbr_trust_check(const char *path, enum rbr_trust trust, int code, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_close) int descriptor = -1;

	return rbr_trust_open(path, trust, code, &descriptor, error);
}
