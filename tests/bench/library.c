/* SPDX-License-Identifier: MIT */
/*
 * library PROGRAM ACCOUNT EXPECTED ROUNDS
 *
 * What a C program has from libringbearer: in each round GETS answers of ringbearer_get() and one of PROGRAM, run as a
 * program without the library would run it. Writes JSON to stdout: "library" and "spawned", the nanoseconds of each
 * answer in the order of the rounds. The first WARM_UP rounds do not count. Whoever answers anything else than EXPECTED
 * ends the run with exit 1.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol/ringbearer.h"

#define GETS 20
#define WARM_UP 5
#define ROUNDS_MAX 100000

static _Noreturn void
fail(const char *what)
{
	(void)fprintf(stderr, "library: %s\n", what);
	exit(1);
}

static int64_t
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t
time_library(const struct ringbearer_request *request, const char *expected)
{
	struct ringbearer_credential *credential;
	struct ringbearer_failure *failure;
	int64_t started = now(), taken;

	if (ringbearer_get(request, 0, &credential, &failure) < 0)
		fail(ringbearer_failure_detail(failure));
	taken = now() - started;
	if (strcmp(ringbearer_credential_token(credential), expected) != 0)
		fail("another token");
	ringbearer_credential_free(credential);
	return taken;
}

static int64_t
time_program(char **words, const char *expected)
{
	posix_spawn_file_actions_t actions;
	char text[65536];
	int64_t started, taken;
	ssize_t size;
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0 || posix_spawn_file_actions_init(&actions) != 0 ||
		posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0)
		fail("no pipe");
	started = now();
	if (posix_spawn(&child, words[0], &actions, NULL, words, environ) != 0 || waitpid(child, &status, 0) != child)
		fail("the program cannot be run");
	taken = now() - started;
	size = read(ends[0], text, sizeof text - 1);
	text[size > 0 ? size : 0] = '\0';
	if (!strstr(text, expected))
		fail("the program gave another token");
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return taken;
}

static void
print(const char *name, const int64_t *samples, size_t count)
{
	size_t i;

	(void)printf("\"%s\": [", name);
	for (i = 0; i < count; i++)
		(void)printf("%s%lld", i > 0 ? "," : "", (long long)samples[i]);
	(void)printf("]");
}

int
main(int argc, char **argv)
{
	long rounds = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
	struct ringbearer_request *request = ringbearer_request_new();
	char verb[] = "token";
	char *words[] = {argc == 5 ? argv[1] : NULL, verb, argc == 5 ? argv[2] : NULL, NULL};
	int64_t *library, *spawned;
	size_t i, j, count;

	if (rounds < 1 || rounds > ROUNDS_MAX || !request || ringbearer_request_set(request, "account", argv[2]) < 0)
		fail("usage: library PROGRAM ACCOUNT EXPECTED ROUNDS");
	count = (size_t)rounds;
	library = calloc(count * GETS, sizeof *library);
	spawned = calloc(count, sizeof *spawned);
	if (!library || !spawned)
		fail("no memory");
	/* What is measured while warming up is overwritten. */
	for (i = 0; i < count + WARM_UP; i++) {
		size_t slot = i < WARM_UP ? 0 : i - WARM_UP;

		for (j = 0; j < GETS; j++)
			library[slot * GETS + j] = time_library(request, argv[3]);
		spawned[slot] = time_program(words, argv[3]);
	}
	(void)printf("{");
	print("library", library, count * GETS);
	(void)printf(", ");
	print("spawned", spawned, count);
	(void)printf("}\n");
	free(library);
	free(spawned);
	ringbearer_request_free(request);
	return fflush(stdout) == 0 ? 0 : 1;
}
