/* SPDX-License-Identifier: MIT */
/* What the fuzzers share. */
#ifndef RBR_FUZZ_H
#define RBR_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The entry that libFuzzer calls with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer's own mutation, for a mutator to start from. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/*
 * The longest input of a fuzzer: it must pass every limit of what it tries, or a fault behind the limit is never seen. And a
 * mutation that libFuzzer does not have: now and then a few bytes of the input are repeated until it is long. One that was
 * grown byte by byte reaches no limit of some thousand bytes in millions of runs.
 */
#define FUZZ_UP_TO(length)                                                                                           \
	int LLVMFuzzerInitialize(int *argc, char ***argv)                                                            \
	{                                                                                                            \
		fuzz_lengthen(argc, argv, (length));                                                                 \
		return 0;                                                                                            \
	}                                                                                                            \
                                                                                                                     \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)                        \
	{                                                                                                            \
		return seed % FUZZ_STRETCHED == 0 && size > 0 ? fuzz_stretch(data, size, max, seed / FUZZ_STRETCHED) \
							      : LLVMFuzzerMutate(data, size, max);                   \
	}

#define FUZZ_STRETCHED 32 /* one mutation in so many */
#define FUZZ_REPEATED_MAX 16 /* bytes */

/* Puts -max_len=LENGTH among the arguments that libFuzzer is about to read. */
static inline void
fuzz_lengthen(int *argc, char ***argv, size_t length)
{
	static char option[40];
	char **longer = calloc((size_t)*argc + 2, sizeof *longer);

	if (!longer)
		abort();
	(void)snprintf(option, sizeof option, "-max_len=%zu", length);
	memcpy(longer, *argv, (size_t)*argc * sizeof *longer);
	longer[(*argc)++] = option;
	*argv = longer;
}

/* Repeats some bytes of DATA where they stand; the rest moves up. Returns the new size, MAX at most. */
static inline size_t
fuzz_stretch(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	size_t from = seed % size, count = 1 + seed / 7 % FUZZ_REPEATED_MAX, room = max - size, added, i;
	const uint8_t *again;

	/* What repeats is often a whole: a line, a parameter, a member of a list. */
	again = memchr(data + from + 1, data[from], size - from - 1);
	if (again && seed % 5 < 3)
		count = (size_t)(again - data) - from;
	if (count > size - from)
		count = size - from;
	if (room == 0)
		return size;
	/* Up to the limits now and then; anything shorter, each power of two as often as another. */
	added = seed % 8 == 0 ? room : 1 + (room - 1) / ((size_t)1 << seed / 8 % 20);
	memmove(data + from + count + added, data + from + count, size - from - count);
	for (i = 0; i < added; i++)
		data[from + count + i] = data[from + i];
	return size + added;
}

/* What must hold whatever the input is. */
#define FUZZ_EXPECT(condition)                                                                        \
	do {                                                                                          \
		if (!(condition)) {                                                                   \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                      \
		}                                                                                     \
	} while (0)

/* Has TEXT bytes that a terminal would act on? */
static inline int
fuzz_is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return 0;
	return 1;
}

/* The bytes as a string in memory of its own, so that a read past the end is seen. The caller frees it. */
static inline char *
fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_EXPECT(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
