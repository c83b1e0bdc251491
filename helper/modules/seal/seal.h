/* SPDX-License-Identifier: MIT */
/*
 * Sealed values: XChaCha20-Poly1305 (libsodium), with what a value is bound to as additional data. A value opens with its key
 * and at its place, unchanged, or not at all, and what is wrong with it is told apart.
 *
 *     4 bytes  "RBS" and the version, 1
 *    16        who the key is: a hash of it
 *    24        nonce, random
 *     n + 16   the value, enciphered and authenticated, together with all that is above and the binding
 *    16        a hash of all that is above: damage is told from another key by it, and from a value that was moved
 */
#ifndef RBR_SEAL_H
#define RBR_SEAL_H

#include <stddef.h>

#include "protocol/module.h"
#include "protocol/writer.h"

#define RBR_SEAL_KEY_SIZE 32
#define RBR_SEAL_ID_SIZE 16
#define RBR_SEAL_OVERHEAD 76 /* bytes that sealing adds */
#define RBR_SEAL_SUFFIX ".sealed" /* of files with sealed values */
#define RBR_SEAL_BINDING_MAX 12288 /* of an item's binding, with its NULs */

struct rbr_seal_key {
	unsigned char bytes[RBR_SEAL_KEY_SIZE];
	unsigned char id[RBR_SEAL_ID_SIZE]; /* says nothing of the bytes */
};

enum rbr_seal_state {
	RBR_SEAL_SOUND,
	RBR_SEAL_DAMAGED,
	RBR_SEAL_LATER, /* a version that this one does not know */
	RBR_SEAL_OTHER_KEY,
	RBR_SEAL_MOVED, /* whole, of this key, and bound to something else */
};

/* Before anything else. False if there is no randomness to be had. */
bool rbr_seal_start(void);

/* A new key, and the key of these bytes. Wipe them with explicit_bzero(). */
void rbr_seal_make_key(struct rbr_seal_key *ret_key);
void rbr_seal_take_key(const unsigned char bytes[RBR_SEAL_KEY_SIZE], struct rbr_seal_key *ret_key);

/* What a value of ITEM is bound to: all that names it, with NULs between. Look whether it fits. */
void rbr_seal_bind(const struct ringbearer_item *item, struct rbr_writer *binding);

/* Puts SIZE bytes at VALUE, sealed, into SIZE + RBR_SEAL_OVERHEAD bytes at RET_SEALED. */
void rbr_seal(const struct rbr_seal_key *key, const struct rbr_writer *binding, const void *value, size_t size,
	unsigned char *ret_sealed);

/* Opens SIZE bytes at SEALED into SIZE - RBR_SEAL_OVERHEAD bytes at RET_VALUE, which are wiped unless it is sound. With a KEY
 * of NULL nothing is opened: it says RBR_SEAL_SOUND of what is whole. */
enum rbr_seal_state rbr_seal_open(const struct rbr_seal_key *key, const struct rbr_writer *binding,
	const unsigned char *sealed, size_t size, unsigned char *ret_value);

/* Was what is whole sealed with KEY? */
bool rbr_seal_is_of(const struct rbr_seal_key *key, const unsigned char *sealed);

#endif
