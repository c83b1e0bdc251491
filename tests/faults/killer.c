/* SPDX-License-Identifier: MIT */
/*
 * killer --log=FILE [--from=WHERE] [--at=N] [--signal=NUMBER] [--victim=PID | --run=COMMAND] PROGRAM …
 *
 * Runs PROGRAM under ptrace(2) and counts the system calls of all its threads. WHERE is the call that is number 0:
 *
 *     lock     the taking of a lock (the default)
 *     mark     the writing of the mark into the kernel's keyring
 *     send     the sending of a token request
 *     pending  the parking of an answer
 *     settle   the first key that is invalidated
 *
 * Where number N would begin it sends a signal, SIGKILL by default, to the program or to the process PID, or runs a
 * shell COMMAND and goes on when that is done: the calls before N have happened, N has not.
 *
 * FILE gets a line for each call from the lock on that has ended, with -1 for those that do not count yet, "fired" where
 * that happened, and a last line for how it ended:
 *
 *     NUMBER THREAD NAME RESULT [DETAIL]
 *
 * The exit status is that of PROGRAM, or 128 plus the signal that ended it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

#define THREADS_MAX 64

struct thread {
	pid_t id;
	long number; /* of the call it is in; -1: not counted yet */
	uint64_t call;
	uint64_t args[6];
};

static struct thread threads[THREADS_MAX];
static size_t thread_count;
static pid_t program;
static long at = -1, next_number = -1;
static const char *from = "lock";
static bool logging, fired;
static int fired_signal = SIGKILL;
static pid_t victim;
static const char *command;
static FILE *out;

static bool
is_lock(uint64_t call, const uint64_t args[6])
{
	return call == SYS_fcntl && args[1] == F_OFD_SETLK;
}

static bool
starts_count(pid_t id, uint64_t call, const uint64_t args[6])
{
	if (strcmp(from, "send") == 0)
		return (call == SYS_sendto || call == SYS_write) && call_is_request(id, args);
	if (strcmp(from, "settle") == 0)
		return call == SYS_keyctl && args[0] == KEYCTL_INVALIDATE;
	if (strcmp(from, "lock") == 0)
		return is_lock(call, args);
	return call == SYS_add_key && call_is_record(id, args, from);
}

/* -- threads -- */

static struct thread *
thread_of(pid_t id)
{
	size_t i;

	for (i = 0; i < thread_count; i++)
		if (threads[i].id == id)
			return &threads[i];
	return NULL;
}

static struct thread *
new_thread(pid_t id)
{
	if (thread_count == THREADS_MAX) {
		(void)fputs("killer: too many threads\n", stderr);
		exit(125);
	}
	threads[thread_count] = (struct thread){.id = id, .number = -1};
	return &threads[thread_count++];
}

static void
fire(const struct thread *thread)
{
	fired = true;
	(void)fprintf(out, "%ld %d %s fired\n", at, thread->id, call_name(thread->call));
	if (!command)
		(void)kill(victim ? victim : program, fired_signal);
	else if (system(command) != 0)
		(void)fputs("killer: the command failed\n", stderr);
}

static void
on_call(struct thread *thread)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->id, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		thread->call = info.entry.nr;
		memcpy(thread->args, info.entry.args, sizeof thread->args);
		logging = logging || is_lock(thread->call, thread->args);
		if (next_number < 0 && starts_count(thread->id, thread->call, thread->args))
			next_number = 0;
		thread->number = next_number < 0 ? -1 : next_number++;
		if (!fired && thread->number >= 0 && thread->number == at)
			fire(thread);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && logging) {
		(void)fprintf(out, "%ld %d %s %lld", thread->number, thread->id, call_name(thread->call),
			(long long)info.exit.rval);
		call_print(out, thread->id, thread->call, thread->args, info.exit.rval);
		(void)fputc('\n', out);
	}
}

/* Answers the signal that the stopped thread is to get. */
static int
on_stop(pid_t id, int status)
{
	struct thread *thread = thread_of(id);
	int number = WSTOPSIG(status);

	if (!thread) {
		(void)new_thread(id);
		return 0; /* the stop that every traced thread begins with */
	}
	if (number == (SIGTRAP | 0x80)) {
		on_call(thread);
		return 0;
	}
	return status >> 16 != 0 ? 0 : number;
}

static int
watch(void)
{
	int status, ended = 125;
	pid_t id;

	while ((id = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (id <= 0)
			continue;
		if (WIFSTOPPED(status))
			(void)ptrace(PTRACE_SYSCALL, id, NULL, (void *)(intptr_t)on_stop(id, status));
		else if (id == program)
			ended = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	(void)fprintf(out, "%ld %d end %d\n", next_number, program, ended);
	return ended;
}

static void
start(char **argv)
{
	int status;

	program = fork();
	if (program == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(126);
		(void)raise(SIGSTOP);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	if (program < 0 || waitpid(program, &status, __WALL) < 0 || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, program, NULL,
			(void *)(intptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
				PTRACE_O_EXITKILL)) < 0) {
		(void)fputs("killer: the program cannot be traced\n", stderr);
		exit(126);
	}
	(void)new_thread(program);
	(void)ptrace(PTRACE_SYSCALL, program, NULL, NULL);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"log", required_argument, NULL, 'l'},
		{"from", required_argument, NULL, 'f'}, {"at", required_argument, NULL, 'a'},
		{"signal", required_argument, NULL, 's'}, {"victim", required_argument, NULL, 'v'},
		{"run", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
	int option, ended;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'l')
			out = fopen(optarg, "we");
		else if (option == 'f')
			from = optarg;
		else if (option == 'a')
			at = strtol(optarg, NULL, 10);
		else if (option == 's')
			fired_signal = (int)strtol(optarg, NULL, 10);
		else if (option == 'v')
			victim = (pid_t)strtol(optarg, NULL, 10);
		else if (option == 'r')
			command = optarg;
		else
			return 125;
	}
	if (!out || optind >= argc) {
		(void)fputs("usage: killer --log=FILE [--from=WHERE] [--at=N] [--signal=NUMBER] "
			    "[--victim=PID | --run=COMMAND] PROGRAM …\n",
			stderr);
		return 125;
	}
	start(argv + optind);
	ended = watch();
	return fclose(out) == 0 ? ended : 125;
}
