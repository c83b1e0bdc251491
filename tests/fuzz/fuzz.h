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
