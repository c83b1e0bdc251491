/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX (1024u * 1024) /* bytes */
#define CHUNK 4096
#define GLANCE_MS 20 /* between looks at a child where the kernel has no pidfd */

struct child {
	pid_t id;
	int handle; /* a pidfd; -1 if there is none */
	int input, output, error; /* our ends; -1 when they are closed */
	size_t written;
};

static void
shut(int *descriptor)
{
	if (*descriptor >= 0)
		(void)close(*descriptor);
	*descriptor = -1;
}

static int
fail(const struct rbr_run *run, const char *what, int number)
{
	return run->host->fail(
		run->call, RINGBEARER_E_STORE_UNAVAILABLE, "%s: %s: %s", run->words[0], what, strerror(number));
}

/* -- starting -- */

static int
make_pipes(int pipes[3][2])
{
	int i;

	for (i = 0; i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return -1;
	return 0;
}

static int
prepare(const struct rbr_run *run, int pipes[3][2], const sigset_t *mask, posix_spawn_file_actions_t *actions,
	posix_spawnattr_t *attributes)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t broken;
	int rc = posix_spawn_file_actions_adddup2(actions, pipes[0][0], STDIN_FILENO);

	(void)sigemptyset(&broken);
	(void)sigaddset(&broken, SIGPIPE);
	(void)sigaddset(&broken, SIGCHLD);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, pipes[1][1], STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, pipes[2][1], STDERR_FILENO);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attributes, &broken);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attributes, mask);
	if (rc == 0 && !run->with_person) {
		flags |= POSIX_SPAWN_SETPGROUP;
		rc = posix_spawnattr_setpgroup(attributes, 0);
	}
	return rc != 0 ? rc : posix_spawnattr_setflags(attributes, flags);
}

/* Returns an errno. */
static int
spawn(const struct rbr_run *run, int pipes[3][2], const sigset_t *mask, struct child *child)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attributes);
	if (rc == 0) {
		rc = prepare(run, pipes, mask, &actions, &attributes);
		if (rc == 0)
			rc = posix_spawn(&child->id, run->words[0], &actions, &attributes, run->words, environ);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int
start(struct rbr_run *run, const sigset_t *mask, struct child *child)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int rc = make_pipes(pipes) < 0 ? errno : spawn(run, pipes, mask, child);

	shut(&pipes[0][0]);
	shut(&pipes[1][1]);
	shut(&pipes[2][1]);
	child->input = pipes[0][1];
	child->output = pipes[1][0];
	child->error = pipes[2][0];
	if (rc != 0) {
		child->id = -1;
		return fail(run, "it cannot be run", rc);
	}
	child->handle = (int)syscall(SYS_pidfd_open, child->id, 0);
	if (child->handle >= 0)
		(void)fcntl(child->handle, F_SETFD, FD_CLOEXEC);
	(void)fcntl(child->input, F_SETFL, O_NONBLOCK);
	(void)fcntl(child->output, F_SETFL, O_NONBLOCK);
	(void)fcntl(child->error, F_SETFL, O_NONBLOCK);
	return 0;
}

/* -- talking -- */

static void
feed(const struct rbr_run *run, struct child *child)
{
	size_t size = run->input ? run->host->secret_size(run->input) : 0;
	ssize_t put = 1;

	while (child->written < size && put > 0) {
		put = write(child->input, run->host->secret_data(run->input) + child->written, size - child->written);
		if (put > 0)
			child->written += (size_t)put;
		else if (put < 0 && errno == EINTR)
			put = 1;
	}
	if (child->written == size || (put < 0 && errno != EAGAIN)) /* it need not read all */
		shut(&child->input);
}

static int
take_output(struct rbr_run *run, struct child *child)
{
	char chunk[CHUNK];
	ssize_t got = 0;
	int rc = 0;

	while (rc == 0 && child->output >= 0 && (got = read(child->output, chunk, sizeof chunk)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if (run->host->secret_size(run->output) + (size_t)got > OUTPUT_MAX)
			rc = run->host->fail(run->call, RINGBEARER_E_STORE_UNAVAILABLE,
				"%s writes more than %u bytes; see whether it is what the store is meant to run",
				run->words[0], OUTPUT_MAX);
		else if (run->host->secret_append(run->output, chunk, (size_t)got) < 0)
			rc = run->host->fail(run->call, RINGBEARER_E_SYSTEM, "out of memory");
	}
	explicit_bzero(chunk, sizeof chunk);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		shut(&child->output);
	return rc;
}

/* Keeps the beginning of the last line that is not empty. */
static void
take_error(struct rbr_run *run, struct child *child, bool *fresh)
{
	char chunk[CHUNK];
	ssize_t got = 0, i;
	size_t used = strlen(run->said);

	while (child->error >= 0 && (got = read(child->error, chunk, sizeof chunk)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		for (i = 0; i < got; i++) {
			if (chunk[i] == '\n') {
				*fresh = true;
				continue;
			}
			if (*fresh)
				used = 0;
			*fresh = false;
			if (used + 1 < sizeof run->said && chunk[i] != '\0')
				run->said[used++] = chunk[i];
			run->said[used] = '\0';
		}
	}
	explicit_bzero(chunk, sizeof chunk);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		shut(&child->error);
}

/* Has it ended? Its status goes into RUN then. */
static bool
has_ended(struct rbr_run *run, struct child *child)
{
	int status;
	pid_t got;

	do
		got = waitpid(child->id, &status, WNOHANG);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return false;
	run->status = got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	child->id = -1;
	return true;
}

static int
wait_ms(const struct rbr_run *run, const struct child *child)
{
	int64_t left = run->host->remaining_ms(run->call);

	if (child->handle < 0 && left > GLANCE_MS)
		left = GLANCE_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* A program that it has left behind may hold on to its ends: it is over when it has ended itself. */
static int
talk(struct rbr_run *run, struct child *child)
{
	bool fresh = true, ended = false;
	int rc = 0;

	while (rc == 0 && !ended) {
		struct pollfd waits[] = {{child->handle, POLLIN, 0}, {child->input, POLLOUT, 0},
			{child->output, POLLIN, 0}, {child->error, POLLIN, 0}};

		if (run->host->remaining_ms(run->call) == 0)
			return run->host->fail(run->call, RINGBEARER_E_STORE_UNAVAILABLE,
				"%s did not answer in time; try it by hand, or give the account a longer `timeout`",
				run->words[0]);
		if (poll(waits, sizeof waits / sizeof *waits, wait_ms(run, child)) < 0 && errno != EINTR)
			return fail(run, "it cannot be waited for", errno);
		ended = has_ended(run, child);
		if (child->input >= 0)
			feed(run, child);
		rc = take_output(run, child);
		take_error(run, child, &fresh);
	}
	return rc;
}

static void
end(const struct rbr_run *run, struct child *child)
{
	shut(&child->input);
	shut(&child->output);
	shut(&child->error);
	shut(&child->handle);
	if (child->id <= 0)
		return;
	(void)kill(run->with_person ? child->id : -child->id, SIGKILL);
	while (waitpid(child->id, NULL, 0) < 0 && errno == EINTR)
		;
}

int
rbr_process_run(struct rbr_run *run)
{
	struct child child = {-1, -1, -1, -1, -1, 0};
	struct sigaction chosen = {.sa_handler = SIG_DFL}, before;
	const struct timespec now = {0, 0};
	sigset_t broken, mask, waiting;
	bool waited;
	int rc;

	run->said[0] = '\0';
	run->status = -1;
	/* A child that reads no more must not end this process, and one whose end nobody wants to know leaves no status. */
	(void)sigemptyset(&broken);
	(void)sigaddset(&broken, SIGPIPE);
	(void)sigpending(&waiting);
	waited = sigismember(&waiting, SIGPIPE) == 1;
	(void)sigprocmask(SIG_BLOCK, &broken, &mask);
	(void)sigaction(SIGCHLD, &chosen, &before);
	rc = start(run, &mask, &child);
	if (rc == 0)
		rc = talk(run, &child);
	end(run, &child);
	(void)sigaction(SIGCHLD, &before, NULL);
	if (!waited)
		while (sigtimedwait(&broken, NULL, &now) < 0 && errno == EINTR)
			;
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	return rc;
}
