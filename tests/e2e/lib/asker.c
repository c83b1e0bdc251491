/* SPDX-License-Identifier: MIT */
/*
 * asker [IN=CIRCUMSTANCE …] COMMAND TIMEOUT_MS [KEY=VALUE …]
 *
 * A C program with libringbearer in unfriendly circumstances. COMMAND is `get`, `twice` (two answers, the first of them
 * refused in between) or a number of threads that ask 25 times each. Writes key=value lines: what each answer was, and
 * what the library left behind: descriptors, children, changed signals.
 *
 * closed: without 0, 1 and 2, and another thread writes there all the same. ignored: SIGCHLD is. reaped: another thread
 * waits for all children. forked: in a child of a process with threads. open: with a descriptor that a child would
 * inherit. blocked: with all signals blocked and ignored. seteuid: with another effective user. dropped: set-user-ID,
 * and all of it given up again.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ringbearer/ringbearer.h>

#define GETS 25
#define THREADS_MAX 64
#define SIGNALS 65
#define DESCRIPTORS 256
#define OPEN_ONE 100
#define NOBODY 65534

struct task {
	const struct ringbearer_request *request;
	int timeout;
	char tokens[GETS][512];
};

struct surroundings {
	struct sigaction actions[SIGNALS];
	sigset_t mask;
	int descriptors;
};

static bool
is_in(char **circumstances, const char *name)
{
	for (; strncmp(*circumstances, "IN=", 3) == 0; circumstances++)
		if (strcmp(*circumstances + 3, name) == 0)
			return true;
	return false;
}

static void *
wait_for_all(void *data)
{
	(void)data;
	for (;;)
		if (wait(NULL) < 0)
			(void)usleep(500);
	return NULL;
}

/* Other threads do not know that a descriptor of 0 to 2 is not theirs. */
static void *
babble(void *data)
{
	(void)data;
	for (;;) {
		int i;

		for (i = 0; i < 3; i++)
			if (write(i, "noise\n", 6) < 0)
				(void)usleep(50);
	}
	return NULL;
}

static int
ask_and_exit_status(FILE *out, const char *name, const struct ringbearer_request *request, int timeout,
	struct ringbearer_credential **ret_credential)
{
	struct ringbearer_failure *failure;
	struct timespec from, to;
	int rc;

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	rc = ringbearer_get(request, timeout, ret_credential, &failure);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	fprintf(out, "%s.ms=%ld\n", name, (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
	fprintf(out, "%s=%s\n", name, ringbearer_error_name(rc));
	if (rc < 0) {
		fprintf(out, "%s.detail=%s\n%s.retry_after=%ld\n", name, ringbearer_failure_detail(failure), name,
			ringbearer_failure_retry_after(failure));
		ringbearer_failure_free(failure);
		return rc;
	}
	fprintf(out, "%s.token=%s\n", name, ringbearer_credential_token(*ret_credential));
	fprintf(out, "%s.type=%s\n", name, ringbearer_credential_type(*ret_credential));
	fprintf(out, "%s.account=%s\n", name, ringbearer_credential_account(*ret_credential));
	fprintf(out, "%s.expires=%lld\n", name, (long long)ringbearer_credential_expires(*ret_credential));
	if (ringbearer_credential_username(*ret_credential))
		fprintf(out, "%s.username=%s\n", name, ringbearer_credential_username(*ret_credential));
	if (ringbearer_credential_scope(*ret_credential))
		fprintf(out, "%s.scope=%s\n", name, ringbearer_credential_scope(*ret_credential));
	if (ringbearer_credential_notice(*ret_credential))
		fprintf(out, "%s.notice=%s\n", name, ringbearer_credential_notice(*ret_credential));
	return 0;
}

static void *
ask_often(void *data)
{
	struct ringbearer_credential *credential;
	struct task *task = data;
	int i;

	for (i = 0; i < GETS; i++) {
		int rc = ringbearer_get(task->request, task->timeout, &credential, NULL);

		snprintf(task->tokens[i], sizeof task->tokens[i], "%s",
			rc < 0 ? ringbearer_error_name(rc) : ringbearer_credential_token(credential));
		if (rc == 0)
			ringbearer_credential_free(credential);
	}
	return NULL;
}

static void
ask_in_threads(FILE *out, const struct ringbearer_request *request, int timeout, size_t count)
{
	static struct task tasks[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	size_t i, j;

	for (i = 0; i < count && i < THREADS_MAX; i++) {
		tasks[i].request = request;
		tasks[i].timeout = timeout;
		if (pthread_create(&threads[i], NULL, ask_often, &tasks[i]) != 0)
			abort();
	}
	for (i = 0; i < count && i < THREADS_MAX; i++) {
		(void)pthread_join(threads[i], NULL);
		for (j = 0; j < GETS; j++)
			fprintf(out, "crowd[]=%s\n", tasks[i].tokens[j]);
	}
}

static void
look_around(struct surroundings *here)
{
	int i;

	memset(here, 0, sizeof *here);
	for (i = 1; i < SIGNALS; i++)
		(void)sigaction(i, NULL, &here->actions[i]);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &here->mask);
	for (i = 0; i < DESCRIPTORS; i++)
		here->descriptors += fcntl(i, F_GETFD) >= 0;
}

static void
compare(FILE *out, const struct surroundings *before)
{
	struct surroundings now;
	int i, changed = 0;

	look_around(&now);
	for (i = 1; i < SIGNALS; i++)
		changed += now.actions[i].sa_handler != before->actions[i].sa_handler ||
			sigismember(&now.mask, i) != sigismember(&before->mask, i);
	fprintf(out, "signals_changed=%d\n", changed);
	fprintf(out, "descriptors_left=%d\n", now.descriptors - before->descriptors);
	fprintf(out, "children_left=%d\n", waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0);
}

static FILE *
prepare(char **in)
{
	FILE *out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 50), "w");
	pthread_t thread;
	sigset_t all;
	int i;

	(void)sigfillset(&all);
	if (is_in(in, "ignored"))
		(void)signal(SIGCHLD, SIG_IGN);
	for (i = 1; is_in(in, "blocked") && i < SIGNALS; i++)
		(void)signal(i, SIG_IGN);
	if (is_in(in, "blocked"))
		(void)pthread_sigmask(SIG_SETMASK, &all, NULL);
	if (is_in(in, "open"))
		(void)dup2(STDERR_FILENO, OPEN_ONE);
	for (i = 0; is_in(in, "closed") && i < 3; i++)
		(void)close(i);
	if (is_in(in, "seteuid") && seteuid(NOBODY) != 0)
		abort();
	if (is_in(in, "dropped") && setresuid(getuid(), getuid(), getuid()) != 0)
		abort();
	if (is_in(in, "closed") && pthread_create(&thread, NULL, babble, NULL) != 0)
		abort();
	if ((is_in(in, "reaped") || is_in(in, "forked")) && pthread_create(&thread, NULL, wait_for_all, NULL) != 0)
		abort();
	return out;
}

static int
act(FILE *out, char **words)
{
	struct ringbearer_request *request = ringbearer_request_new();
	struct ringbearer_credential *credential = NULL, *again = NULL;
	const char *command = words[0];
	int timeout = atoi(words[1]), rc = 0;
	struct surroundings before;

	for (words += 2; *words && rc == 0; words++) {
		char *value = strchr(*words, '=');

		*value++ = '\0';
		rc = strcmp(*words, "program") == 0 ? ringbearer_request_set_program(request, value)
						    : ringbearer_request_set(request, *words, value);
	}
	if (rc < 0)
		return fprintf(out, "set=%s\n", ringbearer_error_name(rc)) < 0;
	fprintf(out, "secure=%lu\n", getauxval(AT_SECURE));
	look_around(&before);
	if (atoi(command) > 0)
		ask_in_threads(out, request, timeout, (size_t)atoi(command));
	else
		rc = ask_and_exit_status(out, "first", request, timeout, &credential);
	if (rc == 0 && strcmp(command, "twice") == 0) {
		fprintf(out, "reject=%s\n", ringbearer_error_name(ringbearer_reject(credential)));
		(void)ask_and_exit_status(out, "second", request, timeout, &again);
	}
	compare(out, &before);
	ringbearer_credential_free(credential);
	ringbearer_credential_free(again);
	ringbearer_request_free(request);
	return fflush(out) != 0;
}

int
main(int argc, char **argv)
{
	FILE *out = prepare(argv + 1);
	char **words = argv + 1;
	int status = 0;
	pid_t child;

	while (argc > 3 && strncmp(*words, "IN=", 3) == 0)
		words++;
	if (!is_in(argv + 1, "forked"))
		return act(out, words);
	child = fork();
	if (child == 0)
		_exit(act(out, words));
	(void)waitpid(child, &status, 0); /* or the other thread has */
	while (kill(child, 0) == 0)
		(void)usleep(1000);
	return 0;
}
