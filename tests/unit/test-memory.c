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
#include <sys/stat.h>
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
	const struct timespec past[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1000}};

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
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("none", "/dev/shm", "tmpfs", 0, "mode=1777") == 0 &&
		mount("none", "/run", "tmpfs", 0, "mode=755") == 0;
}

/* A folder that is a link, that others can read, that is another's, that is on a
 * disk. */
static bool
no_place_will_do(void)
{
	char shm[RBR_MEMORY_PATH_MAX];

	if (!own_places())
		return false;
	(void)snprintf(shm, sizeof shm, "/dev/shm/ringbearer-%u", geteuid());
	if (!rbr_memory_folder(folder) || strcmp(folder, shm) != 0 || chmod(shm, 0755) < 0 || !refuses())
		return false;
	if (rmdir(shm) < 0 || mkdir("/dev/shm/elsewhere", 0700) < 0 || symlink("elsewhere", shm) < 0 || !refuses())
		return false;
	if (unlink(shm) < 0 || mkdir(shm, 0700) < 0 || chown(shm, 65534, 65534) < 0 || !refuses())
		return false;
	return rmdir(shm) == 0 && umount("/dev/shm") == 0 &&
		mount(unit_folder(), "/dev/shm", NULL, MS_BIND, NULL) == 0 && refuses() &&
		access(shm, F_OK) == 0; /* made, and seen to be on a disk */
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

static void
there_is_an_end_to_what_stays(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* it would take away what is the user's */
	assert_true(unit_passes_elsewhere(too_much));
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
	};

	return cmocka_run_group_tests_name("memory", tests, unit_enter, unit_leave);
}
