/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MAX 64

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

/* The folder of locks; fills PATH with its name. */
static int
lock_folder(char path[FOLDER_MAX])
{
	RBR_CLEANUP(rbr_close) int runtime = -1;
	int descriptor;

	(void)snprintf(path, FOLDER_MAX, "/run/user/%u", geteuid());
	runtime = open_folder(path);
	if (runtime >= 0) {
		(void)snprintf(path, FOLDER_MAX, "/run/user/%u/ringbearer", geteuid());
		descriptor = open_or_make(path);
		if (descriptor >= 0)
			return descriptor;
	}
	(void)snprintf(path, FOLDER_MAX, "/tmp/ringbearer-%u", geteuid());
	return open_or_make(path);
}

int
rbr_lock_open(const char *name, int *ret_descriptor, struct rbr_error *error)
{
	char path[FOLDER_MAX];
	RBR_CLEANUP(rbr_close) int folder = lock_folder(path);
	int descriptor;

	if (folder < 0)
		return rbr_fail(error, RINGBEARER_E_SYSTEM,
			"the lock folder %s cannot be used (%s); it must be yours with mode 0700", path,
			strerror(errno));
	descriptor = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (descriptor < 0)
		return rbr_fail(
			error, RINGBEARER_E_SYSTEM, "the lock %s/%s cannot be opened: %s", path, name, strerror(errno));
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
