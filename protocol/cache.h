/* SPDX-License-Identifier: MIT */
/*
 * What is kept in memory: access tokens, and what runs leave for each other.
 *
 * A record is a key in the kernel's user keyring (@u, user-keyring(7)), or where that cannot be had a file in a folder that
 * is in memory: it is written to no disk, it is shared by all sessions of the user, and it is gone at its time.
 * Every failure here (no such system call in a container, quota, expired, no permission) means "not kept" and nothing else.
 */
#ifndef RBR_CACHE_H
#define RBR_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"

/* Longest life of a record in seconds; longer ones are cut to it. */
#define RBR_CACHE_SECONDS_MAX (10 * 24 * 3600)

/* What a record is for: its kind ("token", "verdict", "index") and everything that it depends on. The key's description
 * is a hash of this text; the text itself is kept in the record and compared when it is read, so that two
 * that share a hash are never taken for one another. */
struct rbr_cache_key {
	struct ringbearer_secret text;
};

#define RBR_CACHE_KEY_EMPTY ((struct rbr_cache_key){RBR_SECRET_EMPTY})

void rbr_cache_key_wipe(struct rbr_cache_key *key);

/* Appends one component, whatever bytes are in it: two lists of components that differ never make the same key. */
int rbr_cache_key_add(struct rbr_cache_key *key, const char *component) RBR_MUST_CHECK;

/* Is RECORD, which was read from the kernel, of that KIND? */
bool rbr_cache_is_of_kind(const struct rbr_message *record, const char *kind);

/* Reads the record of KEY into RECORD (which must be empty). False: not cached. */
bool rbr_cache_read(const struct rbr_cache_key *key, struct rbr_message *record);

/* The same for who comes back: *SEEN, 0 at first, is where the record was found the last time, and is kept up to date. It is
 * worth nothing to another user: who changes users begins with 0 again. Bytes of a stranger: fuzz-record. */
bool rbr_cache_read_again(const struct rbr_cache_key *key, long *seen, struct rbr_message *record);

/* The same, for what must be the last that was written where a death has left one in either tier. */
bool rbr_cache_read_newest(const struct rbr_cache_key *key, struct rbr_message *record);

/* Keeps RECORD under KEY for SECONDS (at least 1) and replaces what was there in one step: no reader ever sees none.
 * False: not kept. */
bool rbr_cache_write(const struct rbr_cache_key *key, const struct rbr_message *record, int64_t seconds);

/* The same in the fewest steps for what must not be lost: where the kernel takes it, RECORD is safe after one system call, and its
 * lifetime is set afterwards. What is in the other tier stays: rbr_cache_read_newest() tells them apart. */
bool rbr_cache_park(const struct rbr_cache_key *key, const struct rbr_message *record, int64_t seconds);

/* Drops the record of KEY. */
void rbr_cache_drop(const struct rbr_cache_key *key);

/* Calls VISIT with every record that there is; where it returns true, the record is dropped. */
typedef bool (*rbr_cache_visitor)(const struct rbr_message *record, void *data);
void rbr_cache_visit(rbr_cache_visitor visit, void *data);

/* FNV-1a, 64 bit: names that need to be short and to differ, not to resist anybody. */
uint64_t rbr_hash(const void *data, size_t size);

#endif
