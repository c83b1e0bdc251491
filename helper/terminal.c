/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_BYTES_MAX 65536

static const int fatal_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* The one variable of its kind: a signal handler has nothing else to write to. */
static volatile sig_atomic_t caught;

static void catch (int number)
{
	caught = number;
}

/* A signal makes read() return, so that the terminal can be put back in order before the signal does its work. */
static void
watch_signals(struct sigaction saved[])
{
	struct sigaction action = {.sa_handler = catch};
	size_t i;

	caught = 0;
	(void)sigemptyset(&action.sa_mask);
	for (i = 0; i < RBR_ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &action, &saved[i]);
}

static void
unwatch_signals(const struct sigaction saved[])
{
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &saved[i], NULL);
	if (caught != 0)
		(void)raise(caught);
}

static int
read_line(int terminal, struct ringbearer_secret *secret)
{
	char c = '\0';
	ssize_t got;

	while ((got = read(terminal, &c, 1)) == 1 && c != '\n')
		if (secret->size >= LINE_BYTES_MAX || rbr_secret_append(secret, &c, 1) < 0) {
			errno = EMSGSIZE;
			got = -1;
			break;
		}
	explicit_bzero(&c, 1);
	return got < 0 ? -errno : 0;
}

static void
say(int terminal, const char *text)
{
	if (write(terminal, text, strlen(text)) < 0)
		return; /* then it goes unsaid */
}

int
rbr_terminal_ask(const char *prompt, struct ringbearer_secret *ret_secret, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct sigaction saved[RBR_ARRAY_SIZE(fatal_signals)];
	struct termios before, silent;
	int rc;

	if (terminal < 0 || tcgetattr(terminal, &before) < 0)
		return rbr_fail(error, RINGBEARER_E_USAGE,
			"there is no terminal to ask for the secret; give it on standard input with --secret-stdin");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ECHONL | ICANON | ISIG;
	watch_signals(saved);
	say(terminal, prompt);
	(void)tcsetattr(terminal, TCSAFLUSH, &silent);
	rc = read_line(terminal, ret_secret);
	(void)tcsetattr(terminal, TCSAFLUSH, &before);
	unwatch_signals(saved);
	if (rc < 0)
		return rbr_fail(
			error, RINGBEARER_E_SYSTEM, "the secret cannot be read from the terminal: %s", strerror(-rc));
	return 0;
}
