/* SPDX-License-Identifier: MIT */
/*
 * To be preloaded into the program. Lets the tests of an ordinary user look into it, which it forbids (PR_SET_DUMPABLE;
 * root may look all the same), and shifts its clocks: SHIFT_REAL and SHIFT_BOOT are milliseconds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000 /* in nanoseconds */

int
prctl(int option, ...)
{
	unsigned long more[4];
	va_list arguments;
	int i;

	if (option == PR_SET_DUMPABLE)
		return 0;
	va_start(arguments, option);
	for (i = 0; i < 4; i++)
		more[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	return (int)syscall(SYS_prctl, option, more[0], more[1], more[2], more[3]);
}

static long long
shift_of(clockid_t clock)
{
	const char *text = clock == CLOCK_BOOTTIME ? getenv("SHIFT_BOOT")
		: clock == CLOCK_REALTIME          ? getenv("SHIFT_REAL")
						   : NULL;

	return text ? atoll(text) : 0;
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *); /* which makes no system call */
	long long nanoseconds;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	if (real(clock, now) < 0)
		return -1;
	nanoseconds = now->tv_nsec + shift_of(clock) % 1000 * 1000000;
	now->tv_sec += (time_t)(shift_of(clock) / 1000);
	if (nanoseconds < 0) {
		nanoseconds += SECOND;
		now->tv_sec--;
	} else if (nanoseconds >= SECOND) {
		nanoseconds -= SECOND;
		now->tv_sec++;
	}
	now->tv_nsec = (long)nanoseconds;
	return 0;
}

time_t
time(time_t *ret_now)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}
