/* SPDX-License-Identifier: MIT */
/*
 * The keys that records and locks have: whatever is in their components, two lists of components that differ never make the same
 * key, and a key's kind is its first component. The input is two lists; a byte 0xff ends a component, 0xfe the first list.
 */
#include "config.h"

#include "fuzz.h"
#include "protocol/cache.h"

#define COMPONENTS_MAX 16
#define COMPONENT_MAX 8192 /* longer than a list of scopes */

struct list {
	char *components[COMPONENTS_MAX];
	size_t count;
};

/* Takes the components of a list from DATA; returns where the next list begins. */
static size_t
take_list(const uint8_t *data, size_t size, struct list *list)
{
	size_t i, from = 0;

	for (i = 0; i <= size; i++)
		if (i == size || data[i] >= 0xfe) {
			if (list->count < COMPONENTS_MAX && memchr(data + from, '\0', i - from) == NULL)
				list->components[list->count++] = fuzz_string(data + from, i - from);
			from = i + 1;
			if (i < size && data[i] == 0xfe)
				break;
		}
	return i < size ? i + 1 : size;
}

static int
is_same(const struct list *a, const struct list *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->components[i], b->components[i]) != 0)
			return 0;
	return a->count == b->count;
}

static void
make(const struct list *list, struct rbr_cache_key *key)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		FUZZ_EXPECT(rbr_cache_key_add(key, list->components[i]) == 0);
}

/* Where the key could be a line of a record, is its kind the first component and no other? */
static void
check_kind(const struct list *list, const struct rbr_cache_key *key, const char *other)
{
	struct rbr_message record = RBR_MESSAGE_EMPTY;

	if (list->count > 0 && rbr_message_add(&record, "for", rbr_secret_string(&key->text)) == 0) {
		FUZZ_EXPECT(rbr_cache_is_of_kind(&record, list->components[0]));
		FUZZ_EXPECT(
			!other || rbr_cache_is_of_kind(&record, other) == (strcmp(other, list->components[0]) == 0));
	}
	rbr_message_wipe(&record);
}

FUZZ_UP_TO(2 * COMPONENT_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_cache_key one = RBR_CACHE_KEY_EMPTY, other = RBR_CACHE_KEY_EMPTY;
	struct list a = {.count = 0}, b = {.count = 0};
	size_t used = take_list(data, size, &a);

	(void)take_list(data + used, size - used, &b);
	make(&a, &one);
	make(&b, &other);
	FUZZ_EXPECT((strcmp(rbr_secret_string(&one.text), rbr_secret_string(&other.text)) == 0) == is_same(&a, &b));
	check_kind(&a, &one, b.count > 0 ? b.components[0] : NULL);
	rbr_cache_key_wipe(&one);
	rbr_cache_key_wipe(&other);
	while (a.count > 0)
		free(a.components[--a.count]);
	while (b.count > 0)
		free(b.components[--b.count]);
	return 0;
}
