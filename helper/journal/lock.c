/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "person/log.h"
#include "protocol/fastpath/paths.h"

#define SHARED_CANDIDATES 10u /* in the folder that all users share */

/* Opens the folder PATH if it is ours alone. */
static int
open_folder(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (descriptor < 0)
		return -1;
	if (fstat(descriptor, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 0077) == 0)
		return descriptor;
	rbr_close(&descriptor);
	errno = EPERM;
	return -1;
}

static int
open_or_make(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return open_folder(path);
}

/* Candidate number INDEX below /tmp, where anybody can have been first; after them one at home. False if there is none. */
static bool
candidate(unsigned index, char path[PATH_MAX])
{
	const char *home;

	if (index == 0)
		return snprintf(path, PATH_MAX, "/tmp/ringbearer-%u", geteuid()) > 0;
	if (index < SHARED_CANDIDATES)
		return snprintf(path, PATH_MAX, "/tmp/ringbearer-%u.%u", geteuid(), index) > 0;
	home = rbr_home();
	return home && snprintf(path, PATH_MAX, "%s/.ringbearer-locks", home) < PATH_MAX;
}

/* The first folder that is there and ours; -1 if none is. */
static int
find_shared(char path[PATH_MAX])
{
	int descriptor = -1;
	unsigned i;

	for (i = 0; descriptor < 0 && i <= SHARED_CANDIDATES && candidate(i, path); i++)
		descriptor = open_folder(path);
	return descriptor;
}

/*
 * Another user may have made the folder. It cannot be taken from them, nor can one of ours be taken from us: so all of us
 * use the first that is ours, wherever it stands in the list, and only where there is none is one made. Afterwards is
 * looked again, since somebody of ours may have made one at the same time.
 */
static int
find_or_make_shared(char path[PATH_MAX])
{
	RBR_CLEANUP(rbr_close) int made = -1;
	int descriptor = find_shared(path);
	unsigned i;

	if (descriptor >= 0)
		return descriptor;
	for (i = 0; made < 0 && i <= SHARED_CANDIDATES && candidate(i, path); i++)
		made = open_or_make(path);
	return made < 0 ? -1 : find_shared(path);
}

/* The folder of locks; fills PATH with its name, and REFUSED with that of one that could not be used. */
static int
lock_folder(char path[PATH_MAX], char refused[PATH_MAX])
{
	RBR_CLEANUP(rbr_close) int runtime = -1;
	struct stat status;
	int descriptor;

	refused[0] = '\0';
	(void)snprintf(path, PATH_MAX, "/run/user/%u", geteuid());
	runtime = open_folder(path);
	if (runtime >= 0) {
		(void)snprintf(path, PATH_MAX, "/run/user/%u/ringbearer", geteuid());
		descriptor = open_or_make(path);
		if (descriptor >= 0)
			return descriptor;
	}
	descriptor = find_or_make_shared(path);
	(void)candidate(0, refused);
	if (strcmp(path, refused) == 0 || lstat(refused, &status) < 0)
		refused[0] = '\0';
	return descriptor;
}

int
rbr_lock_open(struct rbr_context *context, const char *name, int *ret_descriptor)
{
	char path[PATH_MAX], refused[PATH_MAX];
	RBR_CLEANUP(rbr_close) int folder = lock_folder(path, refused);
	int descriptor;

	if (folder < 0)
		return rbr_fail(&context->error, RINGBEARER_E_SYSTEM,
			"/tmp/ringbearer-%u and all that could stand in for it cannot be used for locks; the folder must be yours with "
			"mode 0700, have another user's removed",
			geteuid());
	if (refused[0] != '\0' && !context->said_lock)
		rbr_warn(context, NULL,
			"%s is not yours alone, somebody else may have made it: locks are in %s; have the other one removed",
			refused, path);
	context->said_lock = context->said_lock || refused[0] != '\0';
	descriptor = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (descriptor < 0)
		return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "the lock %s/%s cannot be opened: %s", path, name,
			strerror(errno));
	(void)futimens(descriptor, NULL); /* so that no cleaner of old files takes it away */
	*ret_descriptor = descriptor;
	return 0;
}

bool
rbr_lock_try(int descriptor)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(descriptor, F_OFD_SETLK, &lock) == 0;
}
