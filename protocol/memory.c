/* SPDX-License-Identifier: MIT */
/*
 * How a record lives in a file that is no file on a disk.
 *
 * Where. /run/user/UID/ringbearer/cache, and where nobody made a /run/user/UID (containers, cron, su) /dev/shm/ringbearer-UID:
 * never a place that the environment names, since callers with different ones share what is kept. A folder counts if it
 * is this user's alone, no link leads to it, and it is on tmpfs or ramfs. Anything else is no folder: a token on a disk would
 * outlive its end, in backups too. (What tmpfs holds can be swapped out; swap on a disk should be encrypted.)
 *
 * Reading. A hit opens the file by its path, without looking at the folder: what counts is that the file is this user's,
 * a plain file with one name, and readable by nobody else. Another user who owns a folder of that name can put no such
 * file there, and a pipe in its place holds nobody up.
 *
 * Ending. A file's time of change is the moment at which the record ends, set ahead when it is written. Whoever finds
 * one that is over takes it away, and each writing looks through the folder, which bounds what stays.
 */
#include "config.h"

#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "writer.h"

#define PLACES 2
#define NAME_SIZE (RBR_HEX_MAX + 1)
#define FRESH_PREFIX ".new-"
#define FRESH_SIZE (sizeof FRESH_PREFIX + 2 * RBR_HEX_MAX + 2)
/* So old, a file that is not in its place yet is nobody's. */
#define FRESH_SECONDS 60
#define FOLDERS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static struct rbr_writer
write_folder(int place, char path[RBR_MEMORY_PATH_MAX])
{
	struct rbr_writer writer = rbr_writer_start(path, RBR_MEMORY_PATH_MAX);

	rbr_write_text(&writer, place == 0 ? "/run/user/" : "/dev/shm/ringbearer-");
	rbr_write_decimal(&writer, geteuid());
	if (place == 0)
		rbr_write_text(&writer, "/ringbearer/cache");
	return writer;
}

static void
write_name(struct rbr_writer *writer, uint64_t name)
{
	char digits[RBR_HEX_MAX];

	rbr_write(writer, digits, (size_t)(rbr_hex(digits, name) - digits));
}

/* Is what FILE is open on a record of ours that still counts? *RET_SIZE is its length. */
static bool
counts(int file, size_t *ret_size)
{
	struct stat status;

	if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
		status.st_nlink != 1 || (status.st_mode & 077) != 0 || status.st_size > RBR_MEMORY_PAYLOAD_MAX)
		return false;
	*ret_size = (size_t)status.st_size;
	return status.st_mtime > time(NULL);
}

static bool
read_file(int folder, const char *path, struct ringbearer_secret *payload)
{
	RBR_CLEANUP(rbr_close)
	int file = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t size;

	if (file < 0 || !counts(file, &size) || rbr_secret_reserve(payload, size) < 0 ||
		read(file, payload->data, size) != (ssize_t)size)
		return false;
	payload->size = size;
	payload->data[size] = '\0';
	return true;
}

bool
rbr_memory_read(uint64_t name, struct ringbearer_secret *payload)
{
	char path[RBR_MEMORY_PATH_MAX];
	int place;

	for (place = 0; place < PLACES; place++) {
		struct rbr_writer writer = write_folder(place, path);

		rbr_write_char(&writer, '/');
		write_name(&writer, name);
		if (rbr_writer_fits(&writer) && read_file(AT_FDCWD, path, payload))
			return true;
	}
	return false;
}

/* Opens the folder NAME in FOLDER if it is this user's alone; makes it first if it may. */
static int
open_own(int folder, const char *name, bool make)
{
	struct stat status;
	int own;

	if (make && mkdirat(folder, name, 0700) < 0 && errno != EEXIST)
		return -1;
	own = openat(folder, name, FOLDERS);
	if (own < 0)
		return -1;
	if (fstat(own, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 077) == 0)
		return own;
	rbr_close(&own);
	errno = EPERM;
	return -1;
}

static int
open_in_runtime(bool make)
{
	char user[16];
	struct rbr_writer writer = rbr_writer_start(user, sizeof user);
	RBR_CLEANUP(rbr_close) int users = open("/run/user", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	RBR_CLEANUP(rbr_close) int runtime = -1;
	RBR_CLEANUP(rbr_close) int ours = -1;

	rbr_write_decimal(&writer, geteuid());
	if (users >= 0)
		runtime = open_own(users, user, false);
	if (runtime >= 0)
		ours = open_own(runtime, "ringbearer", make);
	return ours < 0 ? -1 : open_own(ours, "cache", make);
}

/* Opens PLACE; negative with errno if it cannot be used. */
static int
open_place(int place, bool make)
{
	char path[RBR_MEMORY_PATH_MAX];
	struct statfs status;
	uint32_t kind; /* f_type is an int here, a long there, with a sign or without */
	int folder;

	if (place == 0) {
		folder = open_in_runtime(make);
	} else {
		(void)write_folder(place, path);
		folder = open_own(AT_FDCWD, path, make);
	}
	if (folder < 0)
		return -1;
	kind = fstatfs(folder, &status) == 0 ? (uint32_t)status.f_type : 0;
	if (kind == TMPFS_MAGIC || kind == RAMFS_MAGIC)
		return folder;
	rbr_close(&folder);
	errno = ENOTSUP;
	return -1;
}

/* The first folder that can be used. */
static int
open_first(int *ret_place)
{
	int folder = -1;

	for (*ret_place = 0; folder < 0 && *ret_place < PLACES; ++*ret_place)
		folder = open_place(*ret_place, true);
	--*ret_place;
	return folder;
}

bool
rbr_memory_folder(char path[RBR_MEMORY_PATH_MAX])
{
	int place;
	RBR_CLEANUP(rbr_close) int folder = open_first(&place);

	(void)write_folder(place, path);
	return folder >= 0;
}

/* What is in a folder, one after the other. */
struct entry {
	const char *name;
	struct stat status;
};

static bool
next(int folder, DIR *entries, struct entry *entry)
{
	const struct dirent *found;

	while ((found = readdir(entries))) {
		entry->name = found->d_name;
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0 &&
			fstatat(folder, found->d_name, &entry->status, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(entry->status.st_mode))
			return true;
	}
	return false;
}

static DIR *
list(int folder)
{
	int copy = openat(folder, ".", FOLDERS);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);

	if (!entries)
		rbr_close(&copy);
	return entries;
}

/* Takes away what is over, and of too much what ends first. */
static void
sweep(int folder)
{
	char first[NAME_SIZE] = "";
	DIR *entries = list(folder);
	time_t now = time(NULL), earliest = 0;
	struct entry entry;
	size_t count = 0;

	while (entries && next(folder, entries, &entry)) {
		bool fresh = strncmp(entry.name, FRESH_PREFIX, sizeof FRESH_PREFIX - 1) == 0;
		struct rbr_writer writer = rbr_writer_start(first, sizeof first);

		if (fresh ? entry.status.st_ctime + FRESH_SECONDS < now : entry.status.st_mtime <= now) {
			(void)unlinkat(folder, entry.name, 0);
		} else if (!fresh) {
			count++;
			if (earliest == 0 || entry.status.st_mtime < earliest) {
				earliest = entry.status.st_mtime;
				rbr_write_text(&writer, entry.name);
			}
		}
	}
	if (entries)
		(void)closedir(entries);
	if (count > RBR_MEMORY_RECORDS_MAX)
		(void)unlinkat(folder, first, 0);
}

static bool
write_all(int file, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t done = write(file, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		data += done;
		size -= (size_t)done;
	}
	return true;
}

/* Writes PAYLOAD, which ends in SECONDS, to the new file FRESH and puts that in the place of NAME. */
static bool
put(int folder, const char *fresh, const char *name, const struct ringbearer_secret *payload, unsigned seconds)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = time(NULL) + (time_t)seconds}};
	RBR_CLEANUP(rbr_close)
	int file = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0)
		return false;
	if (write_all(file, payload->data, payload->size) && futimens(file, times) == 0 &&
		renameat(folder, fresh, folder, name) == 0)
		return true;
	(void)unlinkat(folder, fresh, 0);
	return false;
}

static void
drop_from(int place, const char *name)
{
	RBR_CLEANUP(rbr_close) int folder = open_place(place, false);

	if (folder >= 0)
		(void)unlinkat(folder, name, 0);
}

bool
rbr_memory_write(uint64_t name, const struct ringbearer_secret *payload, unsigned seconds)
{
	char fresh[FRESH_SIZE], final[NAME_SIZE];
	struct rbr_writer writer = rbr_writer_start(final, sizeof final);
	int place, other;
	RBR_CLEANUP(rbr_close) int folder = open_first(&place);
	bool done;

	if (folder < 0 || payload->size > RBR_MEMORY_PAYLOAD_MAX)
		return false;
	write_name(&writer, name);
	writer = rbr_writer_start(fresh, sizeof fresh);
	rbr_write_text(&writer, FRESH_PREFIX);
	write_name(&writer, (uint64_t)syscall(SYS_gettid)); /* two threads of one process write, too */
	rbr_write_char(&writer, '-');
	rbr_write_text(&writer, final);
	(void)unlinkat(folder, fresh, 0); /* of one that died under the same number */
	done = put(folder, fresh, final, payload, seconds);
	for (other = place + 1; done && other < PLACES; other++)
		drop_from(other, final);
	sweep(folder);
	return done;
}

void
rbr_memory_drop(uint64_t name)
{
	char final[NAME_SIZE];
	struct rbr_writer writer = rbr_writer_start(final, sizeof final);
	int place;

	write_name(&writer, name);
	for (place = 0; place < PLACES; place++)
		drop_from(place, final);
}

static void
visit_folder(int folder, bool (*visit)(const struct ringbearer_secret *payload, void *data), void *data)
{
	DIR *entries = list(folder);
	struct entry entry;

	while (entries && next(folder, entries, &entry)) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;

		if (entry.name[0] != '.' && read_file(folder, entry.name, &payload) && visit(&payload, data))
			(void)unlinkat(folder, entry.name, 0);
	}
	if (entries)
		(void)closedir(entries);
}

void
rbr_memory_visit(bool (*visit)(const struct ringbearer_secret *payload, void *data), void *data)
{
	int place;

	for (place = 0; place < PLACES; place++) {
		RBR_CLEANUP(rbr_close) int folder = open_place(place, false);

		if (folder >= 0)
			visit_folder(folder, visit, data);
	}
}
