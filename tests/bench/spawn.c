/* SPDX-License-Identifier: MIT */
/*
 * spawn SPEC ROUNDS [SEED]
 *
 * Runs the commands of SPEC in ROUNDS rounds, each command once a round in an order that is shuffled for every round, so
 * that what else the machine does falls on all of them alike. Writes JSON to stdout: for each command its samples
 * in the order of the rounds, with wall_ns from before posix_spawn() until wait4() has returned, cpu_us (user and system)
 * and faults (page faults without I/O) of the child.
 *
 * SPEC is lines of key=value; empty lines and lines that start with # are skipped:
 *
 *     name=TEXT             begins a command; no quotes or backslashes
 *     arg=WORD              the program, then each argument
 *     env=NAME=VALUE        set for this command, on top of our own environment
 *     stdin=FILE            default: /dev/null
 *     expect=TEXT           its output must hold TEXT; without it there must be no output
 *     before=WORD           a program, then its arguments, run before each time and not measured
 *     before_stdin=FILE
 *
 * Output goes to a pipe and must fit into it. Whoever fails (status other than 0, output not as expected,
 * more than PATIENCE seconds) ends the run with exit 1, a message on stderr and nothing on stdout.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 64
#define WORDS_MAX 32
#define ROUNDS_MAX 100000
#define WARM_UP_ROUNDS 5
#define OUTPUT_MAX 65536 /* what a pipe holds */
#define PATIENCE 30

struct words {
	char *list[WORDS_MAX + 1];
	size_t count;
};

enum series {
	WALL_NS,
	CPU_US,
	FAULTS,
	SERIES,
};

struct sample {
	int64_t of[SERIES];
};

struct program {
	struct words words;
	int input;
};

struct command {
	char *name;
	char *expected;
	struct program timed;
	struct program before;
	struct words settings;
	char **environment;
	struct sample *samples;
};

static struct command commands[COMMANDS_MAX];
static size_t command_count;
static int errors; /* where the children's stderr goes */
static volatile sig_atomic_t running;

static _Noreturn void
fail(const char *name, const char *what)
{
	char text[4096];
	ssize_t size;

	(void)fprintf(stderr, "spawn: %s: %s\n", name, what);
	while ((size = read(errors, text, sizeof text)) > 0)
		(void)fwrite(text, 1, (size_t)size, stderr);
	exit(1);
}

static void
on_alarm(int signal_number)
{
	(void)signal_number;
	if (running > 0)
		(void)kill((pid_t)running, SIGKILL);
}

/* -- the specification -- */

static void
add_word(struct words *words, char *word)
{
	if (words->count == WORDS_MAX)
		fail(word, "too many words");
	words->list[words->count++] = word;
}

static int
open_input(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0)
		fail(path, strerror(errno));
	return descriptor;
}

static void
begin_command(char *name)
{
	struct command *command = &commands[command_count];

	if (command_count == COMMANDS_MAX || strpbrk(name, "\"\\"))
		fail(name, "one command too many, or a name with quotes");
	command->name = name;
	command->timed.input = command->before.input = open_input("/dev/null");
	command_count++;
}

static void
take_line(char *line)
{
	char *value = strchr(line, '=');
	struct command *command = command_count > 0 ? &commands[command_count - 1] : NULL;

	if (value)
		*value++ = '\0';
	if (value && strcmp(line, "name") == 0)
		begin_command(value);
	else if (!value || !command)
		fail(line, "not a line of a specification, or not in its place");
	else if (strcmp(line, "arg") == 0)
		add_word(&command->timed.words, value);
	else if (strcmp(line, "env") == 0)
		add_word(&command->settings, value);
	else if (strcmp(line, "stdin") == 0)
		command->timed.input = open_input(value);
	else if (strcmp(line, "expect") == 0)
		command->expected = value;
	else if (strcmp(line, "before") == 0)
		add_word(&command->before.words, value);
	else if (strcmp(line, "before_stdin") == 0)
		command->before.input = open_input(value);
	else
		fail(line, "no key of a specification");
}

static void
read_specification(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	if (!file)
		fail(path, strerror(errno));
	while ((length = getline(&line, &size, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		take_line(line);
		line = NULL; /* the command keeps it */
		size = 0;
	}
	free(line);
	(void)fclose(file);
}

static bool
is_set(const struct words *settings, const char *variable)
{
	size_t i, size = strcspn(variable, "=") + 1;

	for (i = 0; i < settings->count; i++)
		if (strncmp(settings->list[i], variable, size) == 0)
			return true;
	return false;
}

static void
prepare(struct command *command, size_t rounds)
{
	size_t i, count = 0;

	while (environ[count])
		count++;
	command->environment = calloc(count + command->settings.count + 1, sizeof *command->environment);
	command->samples = calloc(rounds, sizeof *command->samples);
	if (!command->environment || !command->samples || command->timed.words.count == 0)
		fail(command->name, "no memory, or no program");
	for (i = 0, count = 0; environ[i]; i++)
		if (!is_set(&command->settings, environ[i]))
			command->environment[count++] = environ[i];
	for (i = 0; i < command->settings.count; i++)
		command->environment[count++] = command->settings.list[i];
}

/* -- one run -- */

static int64_t
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t
microseconds(const struct timeval *time)
{
	return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

/* Everything between the two looks at the clock is the child's, but for the two system calls themselves. */
static int
time_it(const struct program *program, char **environment, posix_spawn_file_actions_t *actions, struct sample *sample)
{
	struct rusage usage;
	int64_t started;
	int status = 0, rc;
	pid_t child;

	started = now();
	rc = posix_spawn(&child, program->words.list[0], actions, NULL, program->words.list, environment);
	if (rc != 0)
		fail(program->words.list[0], strerror(rc));
	running = child;
	while (wait4(child, &status, 0, &usage) < 0)
		if (errno != EINTR)
			fail(program->words.list[0], strerror(errno));
	sample->of[WALL_NS] = now() - started;
	running = 0;
	sample->of[CPU_US] = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
	sample->of[FAULTS] = usage.ru_minflt;
	return status;
}

static void
run(const struct command *command, const struct program *program, int output, struct sample *sample)
{
	posix_spawn_file_actions_t actions;
	char what[64];
	int status;

	if (ftruncate(errors, 0) < 0 || lseek(errors, 0, SEEK_SET) < 0)
		fail(command->name, strerror(errno));
	(void)lseek(program->input, 0, SEEK_SET);
	if (posix_spawn_file_actions_init(&actions) != 0 ||
		posix_spawn_file_actions_adddup2(&actions, program->input, STDIN_FILENO) != 0 ||
		posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) != 0 ||
		posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO) != 0)
		fail(command->name, "no memory");
	(void)alarm(PATIENCE);
	status = time_it(program, command->environment, &actions, sample);
	(void)alarm(0);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (status != 0) {
		(void)lseek(errors, 0, SEEK_SET);
		(void)snprintf(what, sizeof what, WIFEXITED(status) ? "exit status %d" : "killed by signal %d",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		fail(command->name, what);
	}
}

static void
check_output(const struct command *command, int output)
{
	static char text[OUTPUT_MAX];
	ssize_t size = read(output, text, sizeof text - 1);

	if (size < 0 && errno != EAGAIN)
		fail(command->name, strerror(errno));
	text[size < 0 ? 0 : size] = '\0';
	if (command->expected ? !strstr(text, command->expected) : text[0] != '\0')
		fail(command->name, "its output is not what was expected");
}

static void
run_command(struct command *command, struct sample *sample)
{
	struct sample ignored;
	int ends[2];

	if (command->before.words.count > 0)
		run(command, &command->before, errors, &ignored);
	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		fail(command->name, strerror(errno));
	run(command, &command->timed, ends[1], sample);
	check_output(command, ends[0]);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* -- all of them -- */

/* xorshift64*, so that a run can be repeated in the same order. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
}

static void
shuffle(size_t order[], uint64_t *state)
{
	size_t i, j, swapped;

	for (i = command_count; i > 1; i--) {
		j = (size_t)(next_random(state) % i);
		swapped = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swapped;
	}
}

static void
measure(size_t rounds, uint64_t seed)
{
	size_t order[COMMANDS_MAX] = {0};
	size_t round, i;

	for (i = 0; i < command_count; i++)
		order[i] = i;
	for (round = 0; round < rounds + WARM_UP_ROUNDS; round++) {
		shuffle(order, &seed);
		for (i = 0; i < command_count; i++) {
			struct command *command = &commands[order[i]];

			/* What is measured while warming up is overwritten. */
			run_command(command, &command->samples[round < WARM_UP_ROUNDS ? 0 : round - WARM_UP_ROUNDS]);
		}
	}
}

static void
print_all(size_t rounds)
{
	static const char *const names[SERIES] = {"wall_ns", "cpu_us", "faults"};
	const struct command *command;
	size_t series, i;

	for (command = commands; command < commands + command_count; command++) {
		(void)printf("%s{\"name\": \"%s\"", command == commands ? "[\n" : ",\n", command->name);
		for (series = 0; series < SERIES; series++) {
			(void)printf(",\n  \"%s\": [", names[series]);
			for (i = 0; i < rounds; i++)
				(void)printf("%s%lld", i > 0 ? "," : "", (long long)command->samples[i].of[series]);
			(void)printf("]");
		}
		(void)printf("}");
	}
	(void)printf("\n]\n");
}

int
main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	size_t i;

	errors = memfd_create("stderr", MFD_CLOEXEC);
	if (errors < 0 || sigaction(SIGALRM, &action, NULL) < 0)
		fail("spawn", strerror(errno));
	if (argc < 3 || argc > 4 || rounds < 1 || rounds > ROUNDS_MAX)
		fail("usage", "spawn SPEC ROUNDS [SEED]");
	read_specification(argv[1]);
	if (command_count == 0)
		fail(argv[1], "no commands");
	for (i = 0; i < command_count; i++)
		prepare(&commands[i], (size_t)rounds);
	measure((size_t)rounds, seed != 0 ? seed : 1);
	print_all((size_t)rounds);
	return fflush(stdout) == 0 ? 0 : 1;
}
