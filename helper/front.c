/* SPDX-License-Identifier: MIT */
/*
 * The program that callers run: `ringbearer`.
 *
 * It answers from the cache, and hands everything else over to the whole program, which it becomes (execve). The reason is
 * time: a dynamically linked program spends a quarter of a cached answer's time in the loader before main(). This one is
 * linked statically where the C library allows it, with address randomization as usual, and holds only what a hit
 * needs: no module, no user database, no name service.
 *
 * It says nothing of its own. Where anything is not as it should be, the whole program is given the same arguments and the same
 * input, finds the same and reports it.
 */
#include "config.h"
#include "folders.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/harden.h"
#include "protocol/fastpath/hit.h"

#define WHOLE "ringbearer-whole"
#define WORDS_MAX 64 /* a longer command line is the whole program's */

/* There is no user database here: without HOME the whole program decides. */
const char *
rbr_home(void)
{
	return NULL;
}

/* Beside this program (a build that is not installed), else where it is installed. */
static void
run_whole(char **argv)
{
	const char *self = (const char *)getauxval(AT_EXECFN);
	char path[PATH_MAX];
	char *slash;

	if (self && realpath(self, path) && (slash = strrchr(path, '/')) &&
		(size_t)(slash + 1 - path) + sizeof WHOLE <= sizeof path) {
		memcpy(slash + 1, WHOLE, sizeof WHOLE);
		(void)execv(path, argv);
	}
	(void)execv(RBR_LIBEXECDIR "/" WHOLE, argv);
}

/* Gives the next program the input that was already read. */
static bool
give_back(const struct ringbearer_secret *input)
{
	int memory = memfd_create("request", MFD_CLOEXEC);

	return memory >= 0 && write(memory, input->data, input->size) == (ssize_t)input->size &&
		lseek(memory, 0, SEEK_SET) == 0 && dup2(memory, STDIN_FILENO) == STDIN_FILENO;
}

/* True if the answer is out. Whether a token was refused is the whole program's guess (inference.c), and a token that
 * should be renewed ahead of time is left to it, too. */
static bool
answer(int argc, char **argv, bool for_git, struct ringbearer_secret *input)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	struct rbr_context context;

	rbr_context_start(&context);
	context.for_git = for_git;
	return !context.trace && rbr_ask(&context, argc, argv, &request, input) == 0 && !request.format->one_way &&
		rbr_hit(&context, &request, RBR_IF_NEEDED, &wish, &credential) &&
		!rbr_credential_ageing(&credential, rbr_clock_now()) && !credential.unfinished &&
		rbr_hand_out(&context, &request, &credential) == 0;
}

/* The program's name where another program runs it under a name of its own; NULL if it is run as itself. */
static const char *
name_of_caller(const char *argv0)
{
	const char *slash = strrchr(argv0, '/'), *name = slash ? slash + 1 : argv0;

	return strstr(name, "-ringbearer") ? name : NULL;
}

/* Puts what is asked into WORDS, the verb first: git's words are ringbearer's own, but options come before the verb. Other
 * callers, and other verbs, are the whole program's business. The number of words, 0 if there is nothing to do here. */
static int
take_words(int argc, char **argv, char *words[WORDS_MAX])
{
	const char *caller = argc > 1 && argc < WORDS_MAX ? name_of_caller(argv[0]) : "";
	int verb = caller ? argc - 1 : 1;

	if (caller && strcmp(caller, "git-credential-ringbearer") != 0)
		return 0;
	if (strcmp(argv[verb], "get") != 0 && (caller || strcmp(argv[verb], "token") != 0))
		return 0;
	memcpy(words, argv + 1, (size_t)argc * sizeof *argv);
	if (caller) {
		memcpy(words + 1, argv + 1, (size_t)(argc - 2) * sizeof *argv);
		words[0] = argv[verb];
	}
	return argc - 1;
}

int
main(int argc, char **argv)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret input = RBR_SECRET_EMPTY;
	static const char lost[] = "ringbearer: " RBR_LIBEXECDIR "/" WHOLE " cannot be run; install ringbearer again\n";
	char *words[WORDS_MAX];
	int count;

	if (!rbr_harden())
		return ringbearer_error_exit_status(RINGBEARER_E_CONFIG);
	count = take_words(argc, argv, words);
	if (count > 0 && answer(count, words, name_of_caller(argv[0]) != NULL, &input))
		return 0;
	if (input.size == 0 || give_back(&input))
		run_whole(argv);
	if (write(STDERR_FILENO, lost, sizeof lost - 1) < 0)
		return ringbearer_error_exit_status(RINGBEARER_E_SYSTEM);
	return ringbearer_error_exit_status(RINGBEARER_E_CONFIG);
}
