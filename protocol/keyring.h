/* SPDX-License-Identifier: MIT */
/* The cache's first tier: keys of type "user" in the user keyring (@u). Names are hashes of cache keys; what is in a record is
 * the business of cache.c. */
#ifndef RBR_KEYRING_H
#define RBR_KEYRING_H

#include <stdbool.h>
#include <stdint.h>

#include "secret.h"

#define RBR_KEYRING_PAYLOAD_MAX 32767 /* of a "user" key */

/* The key called NAME; negative if there is none. */
long rbr_keyring_search(uint64_t name);

/* Reads the key SERIAL into PAYLOAD, a string. False: it is gone, or may not be read. Bytes of a stranger: fuzz-record. */
bool rbr_keyring_read(long serial, struct ringbearer_secret *payload);

/* Keeps PAYLOAD under NAME for SECONDS, in place of what was there, in one step. False: not kept, and what was there is. */
bool rbr_keyring_write(uint64_t name, const struct ringbearer_secret *payload, unsigned seconds);

/* The same, with PAYLOAD safe after the first system call and its lifetime set afterwards. */
bool rbr_keyring_park(uint64_t name, const struct ringbearer_secret *payload, unsigned seconds);

void rbr_keyring_drop(long serial);

/* Calls VISIT with every record's payload; where it returns true, the key is dropped. */
void rbr_keyring_visit(bool (*visit)(const struct ringbearer_secret *payload, void *data), void *data);

#endif
