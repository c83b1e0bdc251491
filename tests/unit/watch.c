/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCKS_MAX 4096

struct block {
	const unsigned char *start;
	size_t size;
};

static struct block blocks[BLOCKS_MAX];
static bool watching;
static size_t freed, dirty, failures, left = SIZE_MAX;

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *block, size_t count, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);

static bool
may_allocate(void)
{
	if (left == SIZE_MAX)
		return true;
	if (left > 0) {
		left--;
		return true;
	}
	failures++;
	errno = ENOMEM;
	return false;
}

void *
__wrap_malloc(size_t size)
{
	unsigned char *start = may_allocate() ? __real_malloc(size) : NULL;
	size_t i;

	for (i = 0; watching && start && i < BLOCKS_MAX; i++)
		if (!blocks[i].start) {
			blocks[i] = (struct block){start, size};
			return start;
		}
	if (watching && start)
		abort(); /* BLOCKS_MAX is too small */
	return start;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *
__wrap_reallocarray(void *block, size_t count, size_t size)
{
	return may_allocate() ? __real_reallocarray(block, count, size) : NULL;
}

char *
__wrap_strdup(const char *text)
{
	return may_allocate() ? __real_strdup(text) : NULL;
}

static void
look_at(const struct block *block)
{
	size_t i;

	freed++;
	for (i = 0; i < block->size; i++)
		if (block->start[i] != 0) {
			dirty++;
			return;
		}
}

void
__wrap_free(void *block)
{
	size_t i;

	for (i = 0; watching && block && i < BLOCKS_MAX; i++)
		if (blocks[i].start == block) {
			look_at(&blocks[i]);
			blocks[i].start = NULL;
		}
	__real_free(block);
}

void
watch_start(void)
{
	size_t i;

	for (i = 0; i < BLOCKS_MAX; i++)
		blocks[i].start = NULL;
	freed = dirty = 0;
	watching = true;
}

void
watch_stop(size_t *ret_freed, size_t *ret_dirty)
{
	watching = false;
	*ret_freed = freed;
	*ret_dirty = dirty;
}

void
watch_fail_after(size_t count)
{
	failures = 0;
	left = count;
}

size_t
watch_fail_never(void)
{
	left = SIZE_MAX;
	return failures;
}
