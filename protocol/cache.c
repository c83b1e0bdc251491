/* SPDX-License-Identifier: MIT */
/*
 * Two tiers. A record goes into the kernel's keyring (keyring.c) where that takes it, and into a folder in memory (memory.c)
 * where the kernel refuses, lacks or has no room: what is in one is taken from the other. Who asks looks into the kernel
 * first, so that a hit there costs what it would without a second tier.
 *
 * For a moment there can be a record in both. A reader of tokens may take either; what a rotation has left must be the last
 * that was written, so records carry the time at which they were (rbr_cache_read_newest()).
 */
#include "config.h"

#include "cache.h"

#include <string.h>
#include <time.h>

#include "keyring.h"
#include "memory.h"

uint64_t
rbr_hash(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

void
rbr_cache_key_wipe(struct rbr_cache_key *key)
{
	rbr_secret_wipe(&key->text);
}

/* Its length stands in front of each component: whatever one holds, it does not run into the next. */
int
rbr_cache_key_add(struct rbr_cache_key *key, const char *component)
{
	char length[RBR_HEX_MAX + 1], *end = rbr_hex(length, strlen(component));
	int rc;

	*end++ = ':';
	rc = rbr_secret_append(&key->text, length, (size_t)(end - length));
	return rc < 0 ? rc : rbr_secret_append_string(&key->text, component);
}

bool
rbr_cache_is_of_kind(const struct rbr_message *record, const char *kind)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	const char *text = rbr_message_get(record, "for");

	return text && rbr_cache_key_add(&key, kind) == 0 && strncmp(text, key.text.data, key.text.size) == 0;
}

static uint64_t
name_of(const struct rbr_cache_key *key)
{
	return rbr_hash(key->text.data, key->text.size);
}

/* Is PAYLOAD a record of KEY? */
static bool
understand(const struct ringbearer_secret *payload, const struct rbr_cache_key *key, struct rbr_message *record)
{
	const char *text;

	if (rbr_message_parse(
		    record, payload->data, payload->size, RBR_DIALECT_WIRE, "cache", RINGBEARER_E_SYSTEM, NULL) == 0) {
		text = rbr_message_get(record, "for");
		if (text && strcmp(text, rbr_secret_string(&key->text)) == 0)
			return true;
	}
	rbr_message_wipe(record);
	return false;
}

/* CLOCK_BOOTTIME in microseconds. */
static int64_t
now_us(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool
read_memory(uint64_t name, const struct rbr_cache_key *key, struct rbr_message *record)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;

	return rbr_memory_read(name, &payload) && understand(&payload, key, record);
}

bool
rbr_cache_read_again(const struct rbr_cache_key *key, long *seen, struct rbr_message *record)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
	uint64_t name;

	if (*seen > 0 && rbr_keyring_read(*seen, &payload) && understand(&payload, key, record))
		return true;
	name = name_of(key);
	*seen = rbr_keyring_search(name);
	if (*seen > 0 && rbr_keyring_read(*seen, &payload) && understand(&payload, key, record))
		return true;
	return read_memory(name, key, record);
}

bool
rbr_cache_read(const struct rbr_cache_key *key, struct rbr_message *record)
{
	long seen = 0;

	return rbr_cache_read_again(key, &seen, record);
}

/* Puts what is in PLACE in the place of RECORD if that is older, or empty. */
static void
take_newer(int place, const struct rbr_cache_key *key, struct rbr_message *record)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message other = RBR_MESSAGE_EMPTY;
	struct rbr_message older;

	if (rbr_memory_read_in(place, name_of(key), &payload) && understand(&payload, key, &other) &&
		rbr_message_get_number(&other, "written", 0) > rbr_message_get_number(record, "written", -1)) {
		older = *record;
		*record = other;
		other = older;
	}
}

bool
rbr_cache_read_newest(const struct rbr_cache_key *key, struct rbr_message *record)
{
	int place;

	if (!rbr_cache_read(key, record))
		return false;
	for (place = 0; place < RBR_MEMORY_PLACES; place++)
		take_newer(place, key, record);
	return true;
}

/* What is kept of RECORD. */
static bool
write_out(const struct rbr_cache_key *key, const struct rbr_message *record, struct ringbearer_secret *payload)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message head = RBR_MESSAGE_EMPTY;

	return rbr_message_add(&head, "for", rbr_secret_string(&key->text)) == 0 &&
		rbr_message_add_number(&head, "written", now_us()) == 0 && rbr_message_format(&head, payload) == 0 &&
		rbr_message_format(record, payload) == 0;
}

/* NOLINTNEXTLINE(misc-redundant-expression) */
_Static_assert(RBR_CACHE_SECONDS_MAX <= RBR_MEMORY_SECONDS_MAX, "what is kept for the longest time counts");

static unsigned
within_limits(int64_t seconds)
{
	if (seconds < 1)
		return 1;
	return seconds > RBR_CACHE_SECONDS_MAX ? RBR_CACHE_SECONDS_MAX : (unsigned)seconds;
}

bool
rbr_cache_write(const struct rbr_cache_key *key, const struct rbr_message *record, int64_t seconds)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
	uint64_t name = name_of(key);

	if (!write_out(key, record, &payload))
		return false;
	if (payload.size <= RBR_KEYRING_PAYLOAD_MAX && rbr_keyring_write(name, &payload, within_limits(seconds))) {
		rbr_memory_drop(name);
		return true;
	}
	if (!rbr_memory_write(name, &payload, within_limits(seconds)))
		return false;
	rbr_keyring_drop(rbr_keyring_search(name));
	return true;
}

bool
rbr_cache_park(const struct rbr_cache_key *key, const struct rbr_message *record, int64_t seconds)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
	uint64_t name = name_of(key);

	if (!write_out(key, record, &payload))
		return false;
	return (payload.size <= RBR_KEYRING_PAYLOAD_MAX && rbr_keyring_park(name, &payload, within_limits(seconds))) ||
		rbr_memory_write(name, &payload, within_limits(seconds));
}

void
rbr_cache_drop(const struct rbr_cache_key *key)
{
	uint64_t name = name_of(key);

	rbr_keyring_drop(rbr_keyring_search(name));
	rbr_memory_drop(name);
}

/* What both tiers have calls this with. */
struct tour {
	rbr_cache_visitor visit;
	void *data;
};

static bool
show(const struct ringbearer_secret *payload, void *data)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	const struct tour *tour = data;

	return rbr_message_parse(&record, payload->data, payload->size, RBR_DIALECT_WIRE, "cache", RINGBEARER_E_SYSTEM,
		       NULL) == 0 &&
		tour->visit(&record, tour->data);
}

void
rbr_cache_visit(rbr_cache_visitor visit, void *data)
{
	struct tour tour = {visit, data};

	rbr_keyring_visit(show, &tour);
	rbr_memory_visit(show, &tour);
}
