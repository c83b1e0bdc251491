/* SPDX-License-Identifier: MIT */
/* Records in files in memory, and what is no place for them. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "protocol/memory.h"

#define NAME UINT64_C(0x7e57000000000001)

static char folder[RBR_MEMORY_PATH_MAX];

static int
find_folder(void **state)
{
	(void)state;
	rbr_memory_drop(NAME);
	return !rbr_memory_folder(folder);
}

static bool
write_text(uint64_t name, const char *text, unsigned seconds)
{
	const struct ringbearer_secret payload = {(char *)(uintptr_t)text, strlen(text), 0};

	return rbr_memory_write(name, &payload, seconds);
}

static bool
holds(uint64_t name, const char *text)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;

	if (!rbr_memory_read(name, &payload))
		return !text;
	return text && strcmp(rbr_secret_string(&payload), text) == 0;
}

static const char *
path_of(uint64_t name)
{
	static char path[RBR_MEMORY_PATH_MAX + 32];

	(void)snprintf(path, sizeof path, "%s/%llx", folder, (unsigned long long)name);
	return path;
}

static void
what_was_written_is_read_and_dropped(void **state)
{
	struct stat status;

	(void)state;
	assert_true(write_text(NAME, "one", 60) && holds(NAME, "one"));
	assert_true(write_text(NAME, "another", 60) && holds(NAME, "another"));
	assert_int_equal(lstat(path_of(NAME), &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
	rbr_memory_drop(NAME);
	assert_true(holds(NAME, NULL));
	assert_int_equal(access(path_of(NAME), F_OK), -1);
}

static void
what_is_over_does_not_count_and_is_taken_away(void **state)
{
	const struct timespec past[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1}};

	(void)state;
	assert_true(write_text(NAME, "old", 60));
	assert_int_equal(utimensat(AT_FDCWD, path_of(NAME), past, 0), 0);
	assert_true(holds(NAME, NULL));
	assert_true(write_text(NAME + 1, "new", 60)); /* looks through the folder */
	assert_int_equal(access(path_of(NAME), F_OK), -1);
	rbr_memory_drop(NAME + 1);
}

static void
what_others_could_have_put_there_does_not_count(void **state)
{
	char target[UNIT_PATH_MAX];

	(void)state;
	assert_true(write_text(NAME, "mine", 60));
	assert_int_equal(chmod(path_of(NAME), 0644), 0);
	assert_true(holds(NAME, NULL));
	assert_int_equal(chmod(path_of(NAME), 0600), 0);
	assert_true(holds(NAME, "mine"));
	(void)snprintf(target, sizeof target, "%s/second-name", folder);
	assert_int_equal(link(path_of(NAME), target), 0);
	assert_true(holds(NAME, NULL));
	assert_int_equal(unlink(path_of(NAME)), 0);
	assert_int_equal(symlink(target, path_of(NAME)), 0);
	assert_true(holds(NAME, NULL));
	assert_int_equal(unlink(path_of(NAME)), 0);
	assert_int_equal(mkfifo(path_of(NAME), 0600), 0);
	assert_true(holds(NAME, NULL)); /* and nobody waits */
	assert_int_equal(unlink(path_of(NAME)), 0);
	assert_int_equal(unlink(target), 0);
}

static bool
refuses(void)
{
	char path[RBR_MEMORY_PATH_MAX];

	return !rbr_memory_folder(path) && !write_text(NAME, "no", 60) && holds(NAME, NULL);
}

/* A /dev/shm and a /run of this process alone. */
static bool
own_places(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
		mount("none", "/dev/shm", "tmpfs", 0, "mode=1777") == 0 &&
		mount("none", "/run", "tmpfs", 0, "mode=755") == 0;
}

/* The folder that is not to be used is left alone, and the next name in its place is. */
static bool
goes_to(const char *wanted)
{
	char next[RBR_MEMORY_PATH_MAX + 4];

	(void)snprintf(next, sizeof next, "%s.1", wanted);
	return rbr_memory_folder(folder) && strcmp(folder, next) == 0 && write_text(NAME, "yes", 60) &&
		holds(NAME, "yes") && access(path_of(NAME), F_OK) == 0;
}

/* A folder that others can read, that is a link, that is another's, that is on a
 * disk. */
static bool
no_place_will_do(void)
{
	char shm[RBR_MEMORY_PATH_MAX];

	if (!own_places())
		return false;
	(void)snprintf(shm, sizeof shm, "/dev/shm/ringbearer-%u", geteuid());
	if (!rbr_memory_folder(folder) || strcmp(folder, shm) != 0 || chmod(shm, 0755) < 0 || !goes_to(shm))
		return false;
	if (rmdir(shm) < 0 || mkdir("/dev/shm/elsewhere", 0700) < 0 || symlink("elsewhere", shm) < 0 || !goes_to(shm))
		return false;
	if (unlink(shm) < 0 || mkdir(shm, 0700) < 0 || chown(shm, 65534, 65534) < 0 || !goes_to(shm))
		return false;
	return rmdir(shm) == 0 && umount("/dev/shm") == 0 &&
		mount(unit_folder(), "/dev/shm", "none", MS_BIND, "") == 0 && refuses() &&
		access(shm, F_OK) < 0; /* nothing is made on a disk */
}

static void
a_place_that_is_not_ours_or_not_in_memory_is_none(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* mounts */
	assert_true(unit_passes_elsewhere(no_place_will_do));
}

static bool
runtime_first(void)
{
	char runtime[RBR_MEMORY_PATH_MAX];

	if (!own_places() || !write_text(NAME, "in shm", 60) || mkdir("/run/user", 0755) < 0)
		return false;
	(void)snprintf(runtime, sizeof runtime, "/run/user/%u", geteuid());
	if (mkdir(runtime, 0700) < 0 || !holds(NAME, "in shm") || !write_text(NAME, "in run", 60) ||
		!holds(NAME, "in run"))
		return false;
	(void)snprintf(folder, sizeof folder, "/dev/shm/ringbearer-%u", geteuid());
	return access(path_of(NAME), F_OK) < 0; /* never in two */
}

static void
a_runtime_folder_comes_first(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(unit_passes_elsewhere(runtime_first));
}

static bool
too_much(void)
{
	uint64_t i;

	if (!own_places() || !write_text(NAME, "ends first", 300))
		return false;
	for (i = 1; i <= RBR_MEMORY_RECORDS_MAX; i++)
		if (!write_text(NAME + i, "later", 500))
			return false;
	return holds(NAME, NULL) && holds(NAME + 1, "later") && holds(NAME + RBR_MEMORY_RECORDS_MAX, "later");
}

/* What ends first goes, wherever in the folder it stands. */
static bool
too_much_again(void)
{
	uint64_t i;

	if (!own_places())
		return false;
	for (i = 0; i <= RBR_MEMORY_RECORDS_MAX; i++)
		if (!write_text(NAME + i, "one of many", i == RBR_MEMORY_RECORDS_MAX / 2 ? 300 : 500))
			return false;
	return holds(NAME + RBR_MEMORY_RECORDS_MAX / 2, NULL) && holds(NAME, "one of many") &&
		holds(NAME + RBR_MEMORY_RECORDS_MAX, "one of many");
}

/* A runtime folder that is full, of bytes or of files, holds nothing up; what is there is older than what comes. */
static bool
full(const char *options)
{
	char runtime[32], path[48];
	RBR_CLEANUP(rbr_close) int file = -1;
	static const char block[4096];
	int i;

	if (!own_places() || mkdir("/run/user", 0755) < 0)
		return false;
	(void)snprintf(runtime, sizeof runtime, "/run/user/%u", geteuid());
	if (mkdir(runtime, 0700) < 0 || mount("none", runtime, "tmpfs", 0, options) < 0 ||
		!write_text(NAME, "before", 60))
		return false;
	for (i = 0; i < 64; i++) {
		rbr_close(&file);
		(void)snprintf(path, sizeof path, "%s/%d", runtime, i);
		file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		while (file >= 0 && write(file, block, sizeof block) > 0)
			;
	}
	(void)snprintf(folder, sizeof folder, "%s/ringbearer/cache", runtime);
	return access(path_of(NAME), F_OK) == 0 && write_text(NAME, "after", 60) && holds(NAME, "after") &&
		access(path_of(NAME), F_OK) < 0;
}

static bool
full_of_bytes(void)
{
	return full("size=64k,mode=700");
}

static bool
full_of_files(void)
{
	return full("nr_inodes=8,size=64k,mode=700");
}

static void
one_that_is_full_is_gone_past(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(unit_passes_elsewhere(full_of_bytes));
	assert_true(unit_passes_elsewhere(full_of_files));
}

static bool
under_a_limit(void)
{
	const struct rlimit limit = {2, 2};

	return setrlimit(RLIMIT_FSIZE, &limit) == 0 && !write_text(NAME, "longer", 60) && write_text(NAME, "ok", 60) &&
		holds(NAME, "ok");
}

static bool
under_a_mask(void)
{
	(void)umask(0777);
	return own_places() && write_text(NAME, "masked", 60) && holds(NAME, "masked") && rbr_memory_folder(folder) &&
		chmod(path_of(NAME), 0600) == 0 && holds(NAME, "masked");
}

static void
neither_a_limit_nor_a_mask_is_in_the_way(void **state)
{
	struct stat status;

	(void)state;
	assert_true(unit_passes_elsewhere(under_a_limit)); /* and lives */
	if (geteuid() == 0)
		assert_true(unit_passes_elsewhere(under_a_mask));
	(void)umask(0777);
	assert_true(write_text(NAME, "masked", 60));
	(void)umask(022);
	assert_int_equal(lstat(path_of(NAME), &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
}

/* Its end is counted from the machine's start: what a wall clock says, set or of another time, is no end. */
static void
the_end_is_not_on_the_clock_that_is_set(void **state)
{
	const struct timespec wall[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = time(NULL) + 60}};
	struct timespec boot;
	struct stat status;

	(void)state;
	assert_true(write_text(NAME, "kept", 60));
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	assert_int_equal(lstat(path_of(NAME), &status), 0);
	assert_in_range(status.st_mtime, boot.tv_sec, boot.tv_sec + 60);
	assert_int_equal(utimensat(AT_FDCWD, path_of(NAME), wall, 0), 0);
	assert_true(holds(NAME, NULL));
}

static void
there_is_an_end_to_what_stays(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* it would take away what is the user's */
	assert_true(unit_passes_elsewhere(too_much));
	assert_true(unit_passes_elsewhere(too_much_again));
}

#define TEST(function) cmocka_unit_test_setup(function, find_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_read_and_dropped),
		TEST(what_is_over_does_not_count_and_is_taken_away),
		TEST(what_others_could_have_put_there_does_not_count),
		TEST(a_place_that_is_not_ours_or_not_in_memory_is_none),
		TEST(a_runtime_folder_comes_first),
		TEST(there_is_an_end_to_what_stays),
		TEST(one_that_is_full_is_gone_past),
		TEST(neither_a_limit_nor_a_mask_is_in_the_way),
		TEST(the_end_is_not_on_the_clock_that_is_set),
	};

	return cmocka_run_group_tests_name("memory", tests, unit_enter, unit_leave);
}
