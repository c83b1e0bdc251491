/* SPDX-License-Identifier: MIT */
/* The cache's second tier: files in a folder that is in memory. Names are hashes of cache keys; what is in a record is the
 * business of cache.c. */
#ifndef RBR_MEMORY_H
#define RBR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secret.h"

#define RBR_MEMORY_PATH_MAX 64
#define RBR_MEMORY_PLACES 4 /* a runtime folder, and names in /dev/shm */
#define RBR_MEMORY_PAYLOAD_MAX (256 * 1024)
#define RBR_MEMORY_SECONDS_MAX (10 * 24 * 3600)
/* Of one user; whoever has more loses those that would end first. */
#define RBR_MEMORY_RECORDS_MAX 512

/* Reads the record NAME into PAYLOAD, a string. False: there is none that counts. */
bool rbr_memory_read(uint64_t name, struct ringbearer_secret *payload);

/* The same in one place, from 0 on: a death, or a place that has gone meanwhile, can leave one in several. */
bool rbr_memory_read_in(int place, uint64_t name, struct ringbearer_secret *payload);

/* Keeps PAYLOAD under NAME for SECONDS, in place of what was there, in one step. False: not kept, and what was there is. */
bool rbr_memory_write(uint64_t name, const struct ringbearer_secret *payload, unsigned seconds);

void rbr_memory_drop(uint64_t name);

/* Calls VISIT with every record's payload; where it returns true, the record is dropped. */
void rbr_memory_visit(bool (*visit)(const struct ringbearer_secret *payload, void *data), void *data);

/* Where records are written to first: fills PATH, and says why not in errno if that is nowhere (false). */
bool rbr_memory_folder(char path[RBR_MEMORY_PATH_MAX]);

#endif
