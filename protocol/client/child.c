/* SPDX-License-Identifier: MIT */
/*
 * A child process of a program that does not know about it.
 *
 * Signals. The request is a file in memory and no pipe: no SIGPIPE. The child starts with default actions and an empty
 * mask. SIGCHLD may be ignored, and other threads may wait for any child: the child is known by a descriptor (pidfd),
 * and nothing depends on its exit status.
 *
 * Descriptors. All of ours are close-on-exec and above 2, since 0 to 2 may be closed here; the child has 0 to 2 alone.
 * A process that another thread forks at the wrong moment keeps a copy of the pipes: not their end but the child's is
 * waited for.
 *
 * The deadline. A child that is late is told to end (SIGTERM) and never killed: once its request has left, it holds
 * that signal back until the answer, which may carry the next refresh token, is in the keyring. It must be waited for
 * all the same, or a zombie would stay. Where it is not gone a moment later, a detached thread that takes no signals
 * does that, and nothing else: the library is linked such that it stays loaded.
 */
#include "config.h"

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"
#include "protocol/fastpath/context.h"

#define NOBODY "/dev/null"
#define SAID_MAX (64u * 1024) /* bytes of stderr that are kept; the rest is not read */
#define CHUNK 4000
#define GRACE_MS 5 /* for a child that was told to end */
#define AHEAD_MS 100 /* for one that has a renewal to start: it is away as soon as that is under way */
#define REAPER_STACK (256u * 1024)
#define ID_OF_PIDFD 3 /* P_PIDFD, which older headers do not have */

struct child {
	pid_t id;
	int handle; /* a pidfd; -1 if there is none, because the child was gone or the kernel has no such thing */
	int out; /* -1 at its end */
	int said;
};

#define CHILD_EMPTY ((struct child){-1, -1, -1, -1})

/* What the child gets as 0, 1 and 2. -1: nothing, STDERR_FILENO for 2: ours. */
struct ends {
	int input;
	int out;
	int said;
};

#define ENDS_EMPTY ((struct ends){-1, -1, -1})

static void
close_ends(struct ends *ends)
{
	rbr_close(&ends->input);
	rbr_close(&ends->out);
	if (ends->said == STDERR_FILENO)
		ends->said = -1;
	rbr_close(&ends->said);
}

/* Where standard descriptors are closed, a new one takes the place of one that other threads believe to be theirs.
 * What they wrote in the moment that it was there is thrown away by its users below. */
static int
above_standard(int descriptor)
{
	int moved, saved;

	if (descriptor < 0 || descriptor > STDERR_FILENO)
		return descriptor;
	moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	saved = errno;
	(void)close(descriptor);
	errno = saved;
	return moved;
}

static int
fail(struct rbr_error *error, const char *what)
{
	return rbr_fail(
		error, RINGBEARER_E_SYSTEM, "ringbearer cannot be run: %s: %s; try again", what, strerror(errno));
}

static int
open_input(const struct ringbearer_secret *request, int *ret_input, struct rbr_error *error)
{
	int input = above_standard(memfd_create("request", MFD_CLOEXEC)), rc;

	if (input >= 0 && ftruncate(input, 0) == 0 && lseek(input, 0, SEEK_SET) == 0 &&
		write(input, rbr_secret_string(request), request->size) == (ssize_t)request->size &&
		lseek(input, 0, SEEK_SET) == 0) {
		*ret_input = input;
		return 0;
	}
	rc = fail(error, "no memory for the request");
	rbr_close(&input);
	return rc;
}

/* A pipe of which our end, *RET_OURS, never blocks. */
static int
open_pipe(int *ret_ours, int *ret_theirs, struct rbr_error *error)
{
	char noise[64];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(error, "no pipe");
	*ret_ours = above_standard(ends[0]);
	*ret_theirs = above_standard(ends[1]);
	if (*ret_ours < 0 || *ret_theirs < 0 || fcntl(*ret_ours, F_SETFL, O_NONBLOCK) < 0)
		return fail(error, "no descriptor");
	while (read(*ret_ours, noise, sizeof noise) > 0)
		;
	return 0;
}

static int
put_end(posix_spawn_file_actions_t *actions, int from, int to)
{
	return from < 0 ? posix_spawn_file_actions_addopen(actions, to, NOBODY, O_RDWR, 0)
			: posix_spawn_file_actions_adddup2(actions, from, to);
}

static int
prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const struct ends *ends)
{
	sigset_t all, none;
	int rc;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	rc = put_end(actions, ends->input, STDIN_FILENO);
	if (rc == 0)
		rc = put_end(actions, ends->out, STDOUT_FILENO);
	if (rc == 0)
		rc = put_end(actions, ends->said, STDERR_FILENO);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attributes, &all);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attributes, &none);
	return rc != 0 ? rc : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* Starts the program. Returns an errno. */
static int
spawn(const struct rbr_errand *errand, const struct ends *ends, struct child *child)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char name[] = "ringbearer", verb[] = "get", path[] = "PATH=/usr/bin:/bin", runtime[64];
	char *words[] = {name, verb, NULL}, *few[] = {path, runtime, NULL};
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attributes);
	if (rc != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return rc;
	}
	(void)snprintf(runtime, sizeof runtime, "XDG_RUNTIME_DIR=/run/user/%u", (unsigned)getuid());
	rc = prepare(&actions, &attributes, ends);
	if (rc == 0)
		rc = posix_spawn(
			&child->id, errand->program, &actions, &attributes, words, errand->distrustful ? few : environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	/* If the number already belongs to another process, the child is gone and its pipes are at their end: nothing is ever
	 * sent to that process. */
	if (rc == 0)
		child->handle = above_standard((int)syscall(SYS_pidfd_open, child->id, 0));
	return rc;
}

static int
start(const struct rbr_errand *errand, struct ends *ends, struct child *child, struct rbr_error *error)
{
	int rc = open_input(errand->request, &ends->input, error);

	if (rc < 0)
		return rc;
	rc = spawn(errand, ends, child);
	close_ends(ends);
	if (rc != 0)
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"%s cannot be run: %s; install ringbearer, or name the program with RINGBEARER_PROGRAM",
			errand->program, strerror(rc));
	return 0;
}

/* Waits for the child's end; without PATIENCE only if it has come. True if there is nothing left to wait for. */
static bool
reap(const struct child *child, bool patience)
{
	siginfo_t info = {.si_pid = 0};
	int rc;

	do
		rc = waitid(child->handle < 0 ? P_PID : (idtype_t)ID_OF_PIDFD,
			(id_t)(child->handle < 0 ? child->id : child->handle), &info,
			WEXITED | (patience ? 0 : WNOHANG));
	while (rc < 0 && errno == EINTR);
	return rc < 0 || info.si_pid != 0;
}

static void *
reap_later(void *data)
{
	struct child *child = data;

	(void)reap(child, true);
	rbr_close(&child->handle);
	free(child);
	return NULL;
}

/* Leaves CHILD to a thread. Where there can be none, a zombie stays until the process ends or waits for it. */
static void
leave(struct child *child)
{
	struct child *copy = malloc(sizeof *copy);
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	if (!copy || pthread_attr_init(&attributes) != 0) {
		free(copy);
		return;
	}
	*copy = *child;
	(void)sigfillset(&all);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, REAPER_STACK);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, &attributes, reap_later, copy) == 0)
		child->handle = -1;
	else
		free(copy);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
}

/* Takes leave of CHILD, which has ended or is to end. */
static void
part(struct child *child)
{
	struct pollfd wait = {.fd = child->handle, .events = POLLIN};

	rbr_close(&child->out);
	rbr_close(&child->said);
	if (child->id > 0 && !reap(child, false)) {
		if (child->handle >= 0) {
			(void)syscall(SYS_pidfd_send_signal, child->handle, SIGTERM, NULL, 0);
			(void)poll(&wait, 1, GRACE_MS);
		}
		if (!reap(child, false))
			leave(child);
	}
	rbr_close(&child->handle);
}

/* Reads what is there; closes *DESCRIPTOR at its end, or when TEXT has more than LIMIT bytes. */
static int
drain(int *descriptor, struct ringbearer_secret *text, size_t limit)
{
	ssize_t got = 1;

	while (*descriptor >= 0) {
		if (rbr_secret_reserve(text, CHUNK) < 0)
			return RINGBEARER_E_SYSTEM;
		got = read(*descriptor, text->data + text->size, CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			break;
		if (got > 0)
			text->size += (size_t)got;
		text->data[text->size] = '\0';
		if (got <= 0 || text->size > limit)
			rbr_close(descriptor);
	}
	return 0;
}

static int
left_until(int64_t until)
{
	int64_t left = until - rbr_now_ms();

	if (until == INT64_MAX || left > INT_MAX)
		return until == INT64_MAX ? -1 : INT_MAX;
	return left > 0 ? (int)left : 0;
}

/* Listens until CHILD has ended. */
static int
listen_to(struct child *child, struct ringbearer_secret *out, struct ringbearer_secret *said, int64_t until,
	struct rbr_error *error)
{
	int ready;

	do {
		struct pollfd waits[] = {
			{.fd = child->handle, .events = POLLIN},
			{.fd = child->out, .events = POLLIN},
			{.fd = child->said, .events = POLLIN},
		};

		ready = poll(waits, RBR_ARRAY_SIZE(waits), left_until(until));
		if (ready < 0 && errno != EINTR)
			return fail(error, "it cannot be waited for");
		if (ready == 0 && child->out >= 0)
			return rbr_fail(error, RINGBEARER_E_BUSY,
				"there was no answer in time; a renewal that is under way goes on, try again later");
		if (ready == 0)
			return 0; /* all was said */
		if (drain(&child->out, out, RBR_MESSAGE_MAX) < 0 || drain(&child->said, said, SAID_MAX) < 0)
			return rbr_fail_memory(error);
		if (waits[0].revents != 0)
			return 0;
	} while (child->handle >= 0 || child->out >= 0 || child->said >= 0);
	return 0;
}

static int
ask(const struct rbr_errand *errand, struct ringbearer_secret *out, struct ringbearer_secret *said,
	struct rbr_error *error)
{
	RBR_CLEANUP(part) struct child child = CHILD_EMPTY;
	RBR_CLEANUP(close_ends) struct ends ends = ENDS_EMPTY;
	int rc = open_pipe(&child.out, &ends.out, error);

	if (rc == 0 && errand->chatty)
		ends.said = fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : STDERR_FILENO;
	else if (rc == 0)
		rc = open_pipe(&child.said, &ends.said, error);
	if (rc == 0)
		rc = start(errand, &ends, &child, error);
	return rc < 0 ? rc : listen_to(&child, out, said, errand->until, error);
}

/* A thread that is cancelled in between would leave descriptors and a child behind. */
int
rbr_child_ask(const struct rbr_errand *errand, struct ringbearer_secret *out, struct ringbearer_secret *said,
	struct rbr_error *error)
{
	int state, rc;

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	rc = ask(errand, out, said, error);
	(void)pthread_setcancelstate(state, NULL);
	return rc;
}

void
rbr_child_send(const struct rbr_errand *errand)
{
	RBR_CLEANUP(close_ends) struct ends ends = ENDS_EMPTY;
	struct child child = CHILD_EMPTY;
	struct pollfd wait = {.events = POLLIN};
	int state;

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	if (start(errand, &ends, &child, NULL) == 0) {
		wait.fd = child.handle;
		(void)poll(&wait, 1, AHEAD_MS);
		if (!reap(&child, false))
			leave(&child);
		rbr_close(&child.handle);
	}
	(void)pthread_setcancelstate(state, NULL);
}
