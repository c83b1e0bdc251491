/* SPDX-License-Identifier: MIT */
/*
 * How a record lives in a file that is no file on a disk.
 *
 * Where. /run/user/UID/ringbearer/cache, and where nobody made a /run/user/UID (containers, cron, su) /dev/shm/ringbearer-UID:
 * never a place that the environment names, since callers with different ones share what is kept. A folder counts if it
 * is this user's alone, no link leads to it, and it is on tmpfs or ramfs. Anything else is no folder: a token on a disk would
 * outlive its end, in backups too. (What tmpfs holds can be swapped out; swap on a disk should be encrypted.) In /dev/shm
 * another user may have been first, so there are a few names. Each writing takes the first place that takes it, and
 * takes the record from all others: a runtime folder goes when its user logs out, and any of them can be full.
 *
 * Reading. A hit opens the file by its path, without looking at the folder: what counts is that the file is this user's,
 * a plain file with one name, and readable by nobody else. Another user who owns a folder of that name can put no such
 * file there, and a pipe in its place holds nobody up.
 *
 * Ending. A file's time of change is the moment at which the record ends, set ahead when it is written: on the clock that
 * counts from the machine's start, as the folders do. A wall clock that is set, at a start without a network for one, neither
 * ends a parked answer nor makes a token outlive its end. Whoever finds one that is over takes it away, and each writing looks
 * through the folder, which bounds what stays.
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
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "writer.h"

#define NAME_SIZE (RBR_HEX_MAX + 1)
#define FRESH_PREFIX ".new-"
#define FRESH_SIZE (sizeof FRESH_PREFIX + RBR_HEX_MAX)
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
	if (place > 1) {
		rbr_write_char(&writer, '.');
		rbr_write_decimal(&writer, (unsigned)place - 1);
	}
	return writer;
}

static void
write_name(struct rbr_writer *writer, uint64_t name)
{
	char digits[RBR_HEX_MAX];

	rbr_write(writer, digits, (size_t)(rbr_hex(digits, name) - digits));
}

static time_t
boot_seconds(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

/* One that ends later than any may was not written here, or is of another start. */
static bool
is_over(const struct stat *status)
{
	time_t now = boot_seconds();

	return status->st_mtime <= now || status->st_mtime - now > RBR_MEMORY_SECONDS_MAX;
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
	return !is_over(&status);
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
rbr_memory_read_in(int place, uint64_t name, struct ringbearer_secret *payload)
{
	char path[RBR_MEMORY_PATH_MAX];
	struct rbr_writer writer = write_folder(place, path);

	rbr_write_char(&writer, '/');
	write_name(&writer, name);
	return rbr_writer_fits(&writer) && read_file(AT_FDCWD, path, payload);
}

bool
rbr_memory_read(uint64_t name, struct ringbearer_secret *payload)
{
	int place;

	for (place = 0; place < RBR_MEMORY_PLACES; place++)
		if (rbr_memory_read_in(place, name, payload))
			return true;
	return false;
}

static bool
is_in_memory(int folder)
{
	struct statfs status;
	/* f_type is an int here, a long there, with a sign or without. */
	uint32_t kind = fstatfs(folder, &status) == 0 ? (uint32_t)status.f_type : 0;

	if (kind == TMPFS_MAGIC || kind == RAMFS_MAGIC)
		return true;
	errno = ENOTSUP;
	return false;
}

/* Makes NAME in FOLDER, unless it is there, with the mode that it needs whatever the umask. Nothing is made on a disk. */
static bool
make_own(int folder, const char *name)
{
	if (!is_in_memory(folder))
		return false;
	if (mkdirat(folder, name, 0700) == 0)
		return fchmodat(folder, name, 0700, 0) == 0;
	return errno == EEXIST;
}

/* Opens the folder NAME in FOLDER if it is this user's alone; makes it first if it may. */
static int
open_own(int folder, const char *name, bool make)
{
	struct stat status;
	int own = openat(folder, name, FOLDERS);

	if (own < 0 && errno == ENOENT && make && make_own(folder, name))
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

static int
open_in_shared(int place, bool make)
{
	char path[RBR_MEMORY_PATH_MAX];
	RBR_CLEANUP(rbr_close) int shared = open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)write_folder(place, path);
	return shared < 0 ? -1 : open_own(shared, strrchr(path, '/') + 1, make);
}

/* Opens PLACE; negative with errno if it cannot be used. */
static int
open_place(int place, bool make)
{
	int folder = place == 0 ? open_in_runtime(make) : open_in_shared(place, make);

	if (folder < 0 || is_in_memory(folder))
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

	for (*ret_place = 0; folder < 0 && *ret_place < RBR_MEMORY_PLACES; ++*ret_place)
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

		if (fresh ? entry.status.st_ctime + FRESH_SECONDS < now : is_over(&entry.status)) {
			(void)unlinkat(folder, entry.name, 0);
		} else if (!fresh) {
			count++;
			if (earliest == 0 || entry.status.st_mtime < earliest) {
				struct rbr_writer writer = rbr_writer_start(first, sizeof first);

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

/* A write past the limit of the process ends it, by SIGXFSZ: that comes before any. */
static bool
may_write(size_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= size)
		return true;
	errno = EFBIG;
	return false;
}

/* A name that no writer has at the same time: those in containers that share the folder have the same numbers of processes. */
static void
make_fresh_name(char fresh[FRESH_SIZE])
{
	struct rbr_writer writer = rbr_writer_start(fresh, FRESH_SIZE);
	struct timespec now = {0};
	uint64_t number;

	if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		number = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)getpid();
	}
	rbr_write_text(&writer, FRESH_PREFIX);
	write_name(&writer, number);
}

/* Writes PAYLOAD, which ends in SECONDS, to a new file and puts that in the place of NAME. */
static bool
put(int folder, const char *name, const struct ringbearer_secret *payload, unsigned seconds)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = boot_seconds() + (time_t)seconds}};
	char fresh[FRESH_SIZE];
	RBR_CLEANUP(rbr_close) int file = -1;

	make_fresh_name(fresh);
	file = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	if (fchmod(file, 0600) == 0 && write_all(file, payload->data, payload->size) && futimens(file, times) == 0 &&
		renameat(folder, fresh, folder, name) == 0)
		return true;
	(void)unlinkat(folder, fresh, 0);
	return false;
}

/* Where there is no room, there may be some without what is over. */
static bool
put_in(int place, const char *name, const struct ringbearer_secret *payload, unsigned seconds)
{
	RBR_CLEANUP(rbr_close) int folder = open_place(place, true);
	bool done;

	if (folder < 0)
		return false;
	done = put(folder, name, payload, seconds);
	sweep(folder);
	return done || put(folder, name, payload, seconds);
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
	char final[NAME_SIZE];
	struct rbr_writer writer = rbr_writer_start(final, sizeof final);
	bool done = false;
	int place, other;

	if (payload->size > RBR_MEMORY_PAYLOAD_MAX || !may_write(payload->size))
		return false;
	write_name(&writer, name);
	for (place = 0; !done && place < RBR_MEMORY_PLACES; place++)
		done = put_in(place, final, payload, seconds);
	for (other = 0; done && other < RBR_MEMORY_PLACES; other++)
		if (other != place - 1)
			drop_from(other, final);
	return done;
}

void
rbr_memory_drop(uint64_t name)
{
	char final[NAME_SIZE];
	struct rbr_writer writer = rbr_writer_start(final, sizeof final);
	int place;

	write_name(&writer, name);
	for (place = 0; place < RBR_MEMORY_PLACES; place++)
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

	for (place = 0; place < RBR_MEMORY_PLACES; place++) {
		RBR_CLEANUP(rbr_close) int folder = open_place(place, false);

		if (folder >= 0)
			visit_folder(folder, visit, data);
	}
}
