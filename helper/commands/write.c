/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
write_all(int descriptor, const struct ringbearer_secret *text)
{
	size_t written = 0;
	ssize_t each;

	while (written < text->size) {
		each = write(descriptor, text->data + written, text->size - written);
		if (each < 0 && errno != EINTR)
			return -1;
		written += each > 0 ? (size_t)each : 0;
	}
	return fsync(descriptor);
}

/* With LIKE, the file beside becomes what that is and takes the name; without, the name must be free. */
static int
finish(int descriptor, const char *temporary, const char *path, const struct stat *like)
{
	if (!like)
		return link(temporary, path);
	if (fchmod(descriptor, like->st_mode & 0777) < 0)
		return -1;
	if ((like->st_uid != geteuid() || like->st_gid != getegid()) &&
		fchown(descriptor, like->st_uid, like->st_gid) < 0)
		return -1;
	return rename(temporary, path);
}

static int
put(struct rbr_context *context, const char *path, const struct ringbearer_secret *text, const struct stat *like)
{
	char folder[PATH_MAX], temporary[PATH_MAX];
	RBR_CLEANUP(rbr_close) int descriptor = -1;
	RBR_CLEANUP(rbr_close) int directory = -1;
	bool done;
	int saved;

	(void)snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = '\0';
	if (snprintf(temporary, sizeof temporary, "%s/.new-XXXXXX", folder) >= (int)sizeof temporary)
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG, "the path %.80s… is too long", path);
	descriptor = mkostemp(temporary, O_CLOEXEC);
	if (descriptor < 0)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "%s cannot be written: %s", folder, strerror(errno));
	done = write_all(descriptor, text) == 0 && finish(descriptor, temporary, path, like) == 0;
	saved = errno;
	if (!done || !like)
		(void)unlink(temporary);
	if (!done)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "%s cannot be written: %s", path, strerror(saved));
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0)
		(void)fsync(directory);
	return 0;
}

int
rbr_write_new(struct rbr_context *context, const char *path, const struct ringbearer_secret *text)
{
	return put(context, path, text, NULL);
}

int
rbr_write_over(struct rbr_context *context, const char *path, const struct ringbearer_secret *text)
{
	char real[PATH_MAX];
	struct stat status;

	if (!realpath(path, real) || stat(real, &status) < 0)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "%s cannot be written: %s", path, strerror(errno));
	return put(context, real, text, &status);
}
