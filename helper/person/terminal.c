/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* What was in force before. */
struct watch {
	struct sigaction actions[RBR_ARRAY_SIZE(fatal_signals)];
	sigset_t mask;
};

/* A signal ends the wait for a key, so that the terminal can be put back in order before the signal does its work. It is
 * let in there and nowhere else: one that came a moment earlier would not end anything. */
static void
watch_signals(struct watch *watch)
{
	struct sigaction action = {.sa_handler = catch};
	sigset_t fatal;
	size_t i;

	caught = 0;
	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&fatal);
	for (i = 0; i < RBR_ARRAY_SIZE(fatal_signals); i++)
		(void)sigaddset(&fatal, fatal_signals[i]);
	(void)sigprocmask(SIG_BLOCK, &fatal, &watch->mask);
	for (i = 0; i < RBR_ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &action, &watch->actions[i]);
}

static void
unwatch_signals(const struct watch *watch)
{
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &watch->actions[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &watch->mask, NULL);
	if (caught != 0)
		(void)raise(caught);
}

/* One byte, as read(2) gives it. */
static ssize_t
read_key(int terminal, const struct watch *watch, char *key)
{
	struct pollfd wanted = {.fd = terminal, .events = POLLIN};

	while (ppoll(&wanted, 1, NULL, &watch->mask) < 0)
		if (errno != EINTR || caught != 0)
			return -1;
	return read(terminal, key, 1);
}

static int
read_line(int terminal, const struct watch *watch, struct ringbearer_secret *secret)
{
	char c = '\0';
	ssize_t got;

	while ((got = read_key(terminal, watch, &c)) == 1 && c != '\n')
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
	RBR_CLEANUP(rbr_free_string) char *shown = strdup(prompt);
	struct termios before, silent;
	struct watch watch;
	int rc;

	if (terminal < 0 || tcgetattr(terminal, &before) < 0)
		return rbr_fail(error, RINGBEARER_E_USAGE, "there is no terminal to ask on; run this in one");
	if (!shown)
		return rbr_fail_memory(error);
	rbr_sanitize_lines(shown);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ECHONL | ICANON | ISIG;
	watch_signals(&watch);
	(void)tcsetattr(terminal, TCSAFLUSH, &silent);
	say(terminal, shown); /* now that nothing shows any more */
	rc = read_line(terminal, &watch, ret_secret);
	(void)tcsetattr(terminal, TCSAFLUSH, &before);
	unwatch_signals(&watch);
	if (rc < 0)
		return rbr_fail(
			error, RINGBEARER_E_SYSTEM, "the secret cannot be read from the terminal: %s", strerror(-rc));
	return 0;
}

void
rbr_terminal_tell(char *text)
{
	rbr_sanitize_lines(text);
	say(STDERR_FILENO, text);
	say(STDERR_FILENO, "\n");
}

void
rbr_terminal_progress(char *text)
{
	if (!isatty(STDERR_FILENO))
		return;
	rbr_sanitize(text);
	say(STDERR_FILENO, "\r\033[K");
	say(STDERR_FILENO, text);
}

bool
rbr_terminal_present(void)
{
	RBR_CLEANUP(rbr_close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return terminal >= 0;
}
