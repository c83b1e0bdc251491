/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 4096
#define FILES_MAX 100000
#define BESIDE ".new-" /* a file that has not got its name yet begins with this */
#define BESIDE_SIZE 32
#define ABANDONED_SECONDS 600 /* a file beside that is as old has nobody any more */

/* What to do about NUMBER, an errno. */
static int
fail(const struct rbr_folder *folder, const char *what, int number)
{
	const char *advice = "see to it and try again";

	if (number == ENOSPC || number == EDQUOT)
		advice = "make room there and try again; what was there before is as it was";
	else if (number == EROFS)
		advice =
			"it is on a file system that is mounted read-only: have it mounted writable, or name another `store_folder`";
	else if (number == EACCES || number == EPERM)
		advice = "it must be yours: look at its owner and mode, or name another `store_folder`";
	return folder->host->fail(folder->call, RINGBEARER_E_STORE_UNAVAILABLE, "the store %s cannot be %s: %s; %s",
		folder->path, what, number == EDQUOT ? "the disk quota is used up" : strerror(number), advice);
}

static int
no_memory(const struct rbr_folder *folder)
{
	return folder->host->fail(folder->call, RINGBEARER_E_SYSTEM, "out of memory");
}

/* -- the folder -- */

/* Makes PATH and what is above it; a new name is on disk when this returns. Returns an errno. */
static int
make_all(const char *path)
{
	char part[PATH_MAX];
	char *slash = part;
	int parent, made;

	(void)snprintf(part, sizeof part, "%s", path);
	for (;;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		made = mkdir(part, 0700);
		if (made < 0 && errno != EEXIST)
			return errno;
		if (made == 0) {
			char above[PATH_MAX + 4];

			(void)snprintf(above, sizeof above, "%s/..", part);
			parent = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (parent >= 0) {
				(void)fsync(parent);
				(void)close(parent);
			}
		}
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int
check(const struct rbr_folder *folder)
{
	struct stat status;

	if (fstat(folder->descriptor, &status) < 0)
		return fail(folder, "read", errno);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return folder->host->fail(folder->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store %s belongs to another user (%u); name a `store_folder` of your own", folder->path,
			(unsigned)status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return folder->host->fail(folder->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store %s can be written by others; run `chmod go-w %s`", folder->path, folder->path);
	return 0;
}

int
rbr_folder_open(struct rbr_folder *folder, bool make)
{
	int rc;

	folder->descriptor = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->descriptor < 0 && errno == ENOENT && make) {
		rc = make_all(folder->path);
		if (rc != 0)
			return fail(folder, "made", rc);
		folder->descriptor = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (folder->descriptor < 0 && errno == ENOENT && !folder->named)
		return RINGBEARER_E_NO_SECRET;
	if (folder->descriptor < 0)
		return fail(folder, "opened", errno);
	rc = check(folder);
	if (rc < 0)
		rbr_folder_close(folder);
	return rc;
}

void
rbr_folder_close(struct rbr_folder *folder)
{
	if (folder->descriptor >= 0)
		(void)close(folder->descriptor);
	folder->descriptor = -1;
}

/* -- reading -- */

static int
take(const struct rbr_folder *folder, int file, struct ringbearer_secret *content)
{
	char chunk[CHUNK];
	ssize_t got;

	while ((got = read(file, chunk, sizeof chunk)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(folder, "read", errno);
		if (folder->host->secret_size(content) + (size_t)got > RBR_FILE_MAX)
			return fail(folder, "read", EFBIG);
		if (folder->host->secret_append(content, chunk, (size_t)got) < 0)
			return no_memory(folder);
	}
	return 0;
}

int
rbr_folder_read(const struct rbr_folder *folder, const char *name, struct ringbearer_secret **ret_content)
{
	int file = openat(folder->descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK), rc;
	struct ringbearer_secret *content;

	if (file < 0)
		return errno == ENOENT ? RINGBEARER_E_NO_SECRET : fail(folder, "read", errno);
	content = folder->host->secret_new("", 0);
	rc = content ? take(folder, file, content) : no_memory(folder);
	(void)close(file);
	if (rc < 0)
		folder->host->secret_free(content);
	else
		*ret_content = content;
	return rc;
}

/* -- writing -- */

static int
put_all(int file, const char *bytes, size_t size)
{
	ssize_t put;

	while (size > 0) {
		put = write(file, bytes, size);
		if (put < 0 && errno != EINTR)
			return errno;
		bytes += put > 0 ? put : 0;
		size -= put > 0 ? (size_t)put : 0;
	}
	return fsync(file) < 0 ? errno : 0;
}

/* Makes a file of a new name beside the others. Its descriptor; -1 with errno. */
static int
open_beside(const struct rbr_folder *folder, char name[BESIDE_SIZE])
{
	uint64_t number;
	int tries, file = -1;

	for (tries = 0; file < 0 && tries < 16; tries++) {
		if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
			return -1;
		(void)snprintf(name, BESIDE_SIZE, BESIDE "%016llx", (unsigned long long)number);
		file = openat(folder->descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file < 0 && errno != EEXIST)
			return -1;
	}
	return file;
}

/* Takes away what writers have left that were killed. */
static void
sweep(const struct rbr_folder *folder)
{
	int again = openat(folder->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	time_t now = time(NULL);
	struct dirent *entry;
	struct stat status;
	DIR *all = again < 0 ? NULL : fdopendir(again);

	if (!all) {
		if (again >= 0)
			(void)close(again);
		return;
	}
	while ((entry = readdir(all)))
		if (strncmp(entry->d_name, BESIDE, sizeof BESIDE - 1) == 0 &&
			fstatat(folder->descriptor, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			status.st_mtime < now - ABANDONED_SECONDS)
			(void)unlinkat(folder->descriptor, entry->d_name, 0);
	(void)closedir(all);
}

int
rbr_folder_write(const struct rbr_folder *folder, const char *name, const void *bytes, size_t size)
{
	char beside[BESIDE_SIZE];
	int file = open_beside(folder, beside), number;

	if (file < 0)
		return fail(folder, "written", errno);
	number = put_all(file, bytes, size);
	if (close(file) < 0 && number == 0)
		number = errno;
	if (number == 0 && renameat(folder->descriptor, beside, folder->descriptor, name) < 0)
		number = errno;
	if (number != 0) {
		(void)unlinkat(folder->descriptor, beside, 0);
		return fail(folder, "written", number);
	}
	if (fsync(folder->descriptor) < 0)
		return fail(folder, "written", errno);
	sweep(folder);
	return 0;
}

int
rbr_folder_remove(const struct rbr_folder *folder, const char *name)
{
	if (unlinkat(folder->descriptor, name, 0) < 0)
		return errno == ENOENT ? 0 : fail(folder, "written", errno);
	return fsync(folder->descriptor) < 0 ? fail(folder, "written", errno) : 0;
}

/* -- all of them -- */

struct dated {
	struct timespec changed;
	rbr_file_name name;
};

static int
by_change(const void *a, const void *b)
{
	const struct dated *first = a, *second = b;

	if (first->changed.tv_sec != second->changed.tv_sec)
		return first->changed.tv_sec < second->changed.tv_sec ? 1 : -1;
	if (first->changed.tv_nsec != second->changed.tv_nsec)
		return first->changed.tv_nsec < second->changed.tv_nsec ? 1 : -1;
	return strcmp(first->name, second->name);
}

static bool
is_wanted(const char *name, const char *suffix)
{
	size_t size = strlen(name), end = strlen(suffix);

	return name[0] != '.' && size > end && size < sizeof(rbr_file_name) && strcmp(name + size - end, suffix) == 0;
}

static int
gather(const struct rbr_folder *folder, DIR *all, const char *suffix, struct dated **ret_found, size_t *ret_count)
{
	struct dated *found = NULL, *more;
	struct dirent *entry;
	struct stat status;
	size_t count = 0;

	for (errno = 0; (entry = readdir(all)); errno = 0) {
		if (!is_wanted(entry->d_name, suffix) ||
			fstatat(folder->descriptor, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		more = count < FILES_MAX ? reallocarray(found, count + 1, sizeof *found) : NULL;
		if (!more) {
			free(found);
			return no_memory(folder);
		}
		found = more;
		found[count].changed = status.st_mtim;
		memcpy(found[count++].name, entry->d_name, strlen(entry->d_name) + 1); /* fits, or was not wanted */
	}
	if (errno != 0) {
		free(found);
		return fail(folder, "read", errno);
	}
	*ret_found = found;
	*ret_count = count;
	return 0;
}

int
rbr_folder_list(const struct rbr_folder *folder, const char *suffix, rbr_file_name **ret_names, size_t *ret_count)
{
	int again = openat(folder->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	DIR *all = again < 0 ? NULL : fdopendir(again);
	struct dated *found = NULL;
	size_t i, count = 0;

	if (!all) {
		rc = fail(folder, "read", errno);
		if (again >= 0)
			(void)close(again);
		return rc;
	}
	rc = gather(folder, all, suffix, &found, &count);
	(void)closedir(all);
	if (rc < 0)
		return rc;
	*ret_names = calloc(count + 1, sizeof **ret_names);
	if (!*ret_names) {
		free(found);
		return no_memory(folder);
	}
	if (count > 1)
		qsort(found, count, sizeof *found, by_change);
	for (i = 0; i < count; i++)
		memcpy((*ret_names)[i], found[i].name, sizeof(rbr_file_name));
	*ret_count = count;
	free(found);
	return 0;
}
