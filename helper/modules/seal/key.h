/* SPDX-License-Identifier: MIT */
/*
 * Where the key comes from with which values are sealed: a file that only its owner can read, a credential that systemd hands
 * to a service, or a passphrase. The account's `store_key` says which.
 */
#ifndef RBR_SEAL_KEY_H
#define RBR_SEAL_KEY_H

#include <limits.h>

#include "seal.h"

/* What all of this works for: FOLDER holds what is sealed, and what belongs to a passphrase. */
struct rbr_seal_key_use {
	const struct ringbearer_host *host;
	struct ringbearer_call *call;
	const char *folder;
};

/* The key. RINGBEARER_E_STORE_UNAVAILABLE if there is none or it cannot be read, RINGBEARER_E_STORE_LOCKED and
 * RINGBEARER_E_STORE_DISMISSED for a passphrase. Wipe *RET_KEY with explicit_bzero(). */
int rbr_seal_key_find(const struct rbr_seal_key_use *use, struct rbr_seal_key *ret_key);

/* Makes a key, or has a person think of a passphrase, unless that has been done, and says where it is. FOLDER must be there. */
int rbr_seal_key_prepare(const struct rbr_seal_key_use *use);

/* Forgets what was made of a passphrase. */
int rbr_seal_key_lock(const struct rbr_seal_key_use *use);

/* What the key comes from in the account at hand, for messages: "the key /path/of/file", … */
const char *rbr_seal_key_name(const struct rbr_seal_key_use *use, char name[PATH_MAX + 32]);

/* The command of a person that does WORD ("init", "unlock") to this very store, for messages: with the account's name, or while
 * there is none with the options that say which. */
#define RBR_SEAL_COMMAND_MAX (2 * PATH_MAX + 128)
const char *rbr_seal_key_command(const struct rbr_seal_key_use *use, const char *word, char text[RBR_SEAL_COMMAND_MAX]);

/* Reads a small file, at most SIZE - 1 bytes of it, and puts a NUL behind. Returns how many; -1 with errno. */
long rbr_seal_key_read_file(int descriptor, char *text, size_t size);

/* Puts SIZE bytes of TEXT into a new file PATH that nobody else can read, whole or not at all; one that is there is left
 * alone (EEXIST). Returns an errno. */
int rbr_seal_key_write_file(const char *path, const char *text, size_t size);

#endif
