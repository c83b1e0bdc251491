/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 65536

/* Those that end a program, and those that stop it and let it go on. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};

/* The variables of their kind: a signal handler has nothing else to write to. */
static volatile sig_atomic_t caught; /* what is to be done once the terminal is in order */
static volatile sig_atomic_t resumed; /* somebody else may have had the terminal */

static void catch (int number)
{
	if (number == SIGCONT)
		resumed = 1;
	else
		caught = number;
}

/* What was in force before. */
struct watch {
	struct sigaction actions[RBR_ARRAY_SIZE(signals)];
	sigset_t mask;
};

static void
catch_all(struct watch *watch)
{
	struct sigaction action = {.sa_handler = catch};
	size_t i;

	(void)sigemptyset(&action.sa_mask);
	for (i = 0; i < RBR_ARRAY_SIZE(signals); i++) {
		(void)sigaction(signals[i], &action, &watch->actions[i]);
		/* Whoever has us ignore Ctrl-Z means it. */
		if (signals[i] == SIGTSTP && watch->actions[i].sa_handler == SIG_IGN)
			(void)sigaction(signals[i], &watch->actions[i], NULL);
	}
}

/* A signal ends the wait for a key, so that the terminal can be put back in order before the signal does its work. It is
 * let in there and nowhere else: one that came a moment earlier would not end anything. */
static void
watch_signals(struct watch *watch)
{
	sigset_t watched;
	size_t i;

	caught = resumed = 0;
	(void)sigemptyset(&watched);
	for (i = 0; i < RBR_ARRAY_SIZE(signals); i++)
		(void)sigaddset(&watched, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &watched, &watch->mask);
	catch_all(watch);
}

static void
unwatch_signals(const struct watch *watch)
{
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &watch->actions[i], NULL);
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
		if (errno != EINTR || caught != 0 || resumed != 0)
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
	if (got == 0 && secret->size == 0)
		return -ENODATA;
	return got < 0 ? -errno : 0;
}

static void
say(int terminal, const char *text)
{
	if (write(terminal, text, strlen(text)) < 0)
		return; /* then it goes unsaid */
}

/* Makes the terminal silent (unless ECHO), which waits until it is ours. What let us go on by then is no news. */
static void
silence(int terminal, bool echo, const struct termios *before)
{
	struct termios silent = *before;
	const struct timespec now = {.tv_sec = 0};
	sigset_t going_on;

	if (!echo)
		silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ECHONL | ICANON | ISIG;
	(void)tcsetattr(terminal, TCSAFLUSH, &silent);
	(void)sigemptyset(&going_on);
	(void)sigaddset(&going_on, SIGCONT);
	(void)sigtimedwait(&going_on, NULL, &now);
}

/* Asks with the terminal silent, and again when somebody else may have had it meanwhile: echo may be on then, and the question
 * is out of sight. A terminal that is given away, by Ctrl-Z, is as it was before. */
static int
ask_silently(int terminal, const char *prompt, bool echo, struct termios *before, struct ringbearer_secret *secret)
{
	struct watch watch;
	int rc;

	do {
		watch_signals(&watch);
		silence(terminal, echo, before);
		say(terminal, prompt); /* now that nothing shows any more */
		rc = read_line(terminal, &watch, secret);
		if (rc < 0)
			rbr_secret_wipe(secret);
		if (caught != 0 || !resumed)
			(void)tcsetattr(terminal, TCSAFLUSH, before);
		unwatch_signals(&watch); /* stops here, if it was Ctrl-Z */
		if (caught == SIGTSTP)
			(void)tcgetattr(terminal, before);
	} while (rc == -EINTR && (caught == SIGTSTP || (caught == 0 && resumed)));
	return rc;
}

static int
ask(const char *prompt, bool echo, struct ringbearer_secret *ret_secret, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_close) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	RBR_CLEANUP(rbr_free_string) char *shown = NULL;
	struct termios before;
	int rc;

	if (terminal < 0 || tcgetattr(terminal, &before) < 0)
		return rbr_fail(error, RINGBEARER_E_USAGE, "there is no terminal to ask on; run this in one");
	shown = strdup(prompt);
	if (!shown)
		return rbr_fail_memory(error);
	rbr_sanitize_lines(shown);
	rc = ask_silently(terminal, shown, echo, &before, ret_secret);
	if (rc == -ENODATA && !echo)
		return 0; /* an empty secret is refused by whoever wants it */
	if (rc == -ENODATA)
		return rbr_fail(
			error, RINGBEARER_E_USAGE, "the questions were ended, and nothing was kept; run this again");
	if (rc < 0)
		return rbr_fail(
			error, RINGBEARER_E_SYSTEM, "the secret cannot be read from the terminal: %s", strerror(-rc));
	return 0;
}

int
rbr_terminal_ask(const char *prompt, struct ringbearer_secret *ret_secret, struct rbr_error *error)
{
	return ask(prompt, false, ret_secret, error);
}

int
rbr_terminal_question(const char *prompt, struct ringbearer_secret *ret_line, struct rbr_error *error)
{
	return ask(prompt, true, ret_line, error);
}

void
rbr_terminal_tell(char *text)
{
	rbr_sanitize_lines(text);
	say(STDERR_FILENO, text);
	say(STDERR_FILENO, "\n");
}

bool
rbr_terminal_draws(void)
{
	/* The first that is set decides (POSIX, section 8.2). */
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *type = secure_getenv("TERM"), *locale = NULL;
	size_t i;

	for (i = 0; (!locale || *locale == '\0') && i < RBR_ARRAY_SIZE(variables); i++)
		locale = secure_getenv(variables[i]);
	return isatty(STDERR_FILENO) && type && *type != '\0' && strcmp(type, "dumb") != 0 && locale &&
		(strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
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
