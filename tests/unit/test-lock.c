/* SPDX-License-Identifier: MIT */
/* One renewal at a time: locks between processes and within one. */
#include "config.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/lock.h"

static char name[64];

static int
enter(void **state)
{
	(void)state;
	(void)snprintf(name, sizeof name, "unit-test-%ld.lock", (long)getpid());
	return 0;
}

static int
open_lock(void)
{
	struct rbr_context context = {.trace = false};
	int lock = -1;

	if (rbr_lock_open(&context, name, &lock) < 0)
		fail_msg("%s", context.error.detail);
	return lock;
}

/* Where the lock's file is. */
static void
find_file(int lock, char *path, size_t size)
{
	char link[64];
	ssize_t length;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", lock);
	length = readlink(link, path, size - 1);
	assert_true(length > 0);
	path[length] = '\0';
}

static int
remove_file(void **state)
{
	char path[UNIT_PATH_MAX];
	int lock = open_lock();

	(void)state;
	find_file(lock, path, sizeof path);
	(void)close(lock);
	return unlink(path);
}

static void
only_one_has_it(void **state)
{
	int one = open_lock(), two = open_lock();

	(void)state;
	assert_true(rbr_lock_try(one));
	assert_true(rbr_lock_try(one));
	assert_false(rbr_lock_try(two));
	(void)close(one);
	assert_true(rbr_lock_try(two));
	(void)close(two);
}

static bool
free_for_another_process(void)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(rbr_lock_try(open_lock()) ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
other_processes_respect_it(void **state)
{
	int lock = open_lock();

	(void)state;
	assert_true(free_for_another_process());
	assert_true(rbr_lock_try(lock));
	assert_false(free_for_another_process());
	(void)close(lock);
	assert_true(free_for_another_process());
}

/* A detached child goes on under the lock that its parent took. */
static void
a_forked_child_keeps_it(void **state)
{
	int lock = open_lock(), ends[2], status;
	char byte;
	pid_t child;

	(void)state;
	assert_true(rbr_lock_try(lock));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		(void)close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	(void)close(ends[0]);
	(void)close(lock);
	assert_false(free_for_another_process());
	(void)close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(free_for_another_process());
}

static void
the_file_is_private_and_not_inherited(void **state)
{
	int lock = open_lock();
	char path[UNIT_PATH_MAX];
	struct stat status;

	(void)state;
	assert_int_equal(fstat(lock, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_true(fcntl(lock, F_GETFD) & FD_CLOEXEC);
	find_file(lock, path, sizeof path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(status.st_uid, geteuid());
	(void)close(lock);
}

static void
the_file_looks_used(void **state)
{
	const struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
	int lock = open_lock();
	struct stat status;

	(void)state;
	assert_int_equal(futimens(lock, old), 0);
	(void)close(lock);
	lock = open_lock();
	assert_int_equal(fstat(lock, &status), 0);
	assert_true(status.st_mtime > 1600000000);
	(void)close(lock);
}

/* A link in the lock's place would have its target opened and touched. */
static void
links_are_not_followed(void **state)
{
	struct rbr_context context = {.trace = false};
	char path[UNIT_PATH_MAX];
	int lock = open_lock();

	(void)state;
	find_file(lock, path, sizeof path);
	(void)close(lock);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	lock = -1;
	assert_int_equal(rbr_lock_open(&context, name, &lock), RINGBEARER_E_SYSTEM);
	unit_assert_contains(context.error.detail, name);
	assert_int_equal(unlink(path), 0);
}

/* Where it lies does not depend on the environment: two programs must meet. */
static void
the_environment_does_not_move_it(void **state)
{
	static const char *const names[] = {"HOME", "XDG_RUNTIME_DIR", "TMPDIR", "XDG_CONFIG_HOME"};
	char before[UNIT_PATH_MAX], after[UNIT_PATH_MAX];
	int lock = open_lock();
	size_t i;

	(void)state;
	find_file(lock, before, sizeof before);
	(void)close(lock);
	for (i = 0; i < RBR_ARRAY_SIZE(names); i++)
		assert_int_equal(setenv(names[i], "/proc", 1), 0);
	lock = open_lock();
	find_file(lock, after, sizeof after);
	(void)close(lock);
	assert_string_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_one_has_it),
		cmocka_unit_test(other_processes_respect_it),
		cmocka_unit_test(a_forked_child_keeps_it),
		cmocka_unit_test(the_file_is_private_and_not_inherited),
		cmocka_unit_test(the_file_looks_used),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(the_environment_does_not_move_it),
	};

	return cmocka_run_group_tests_name("lock", tests, enter, remove_file);
}
