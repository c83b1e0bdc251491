/* SPDX-License-Identifier: MIT */
/* The words of a command as BROWSER has it. */
#ifndef RBR_WORDS_H
#define RBR_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define RBR_WORDS_MAX 64
#define RBR_WORDS_BYTES_MAX 16384

struct rbr_words {
	char text[RBR_WORDS_BYTES_MAX]; /* where they lie */
	char *words[RBR_WORDS_MAX + 1]; /* NULL behind the last */
	size_t count;
};

/*
 * Takes the SIZE bytes of COMMAND apart as a shell would into words, with quotes and backslashes and nothing else of a shell's;
 * `%s` becomes URL, which comes last where there is none, and a `&` at the end is left out. False if there is no word, if a
 * quote does not end, or if it is too long.
 */
bool rbr_words_split(const char *command, size_t size, const char *url, struct rbr_words *ret_words);

#endif
