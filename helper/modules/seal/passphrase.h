/* SPDX-License-Identifier: MIT */
/* A key that is made of a passphrase. */
#ifndef RBR_SEAL_PASSPHRASE_H
#define RBR_SEAL_PASSPHRASE_H

#include "key.h"

/* The key: from the kernel's keyring, or of what a person says. RINGBEARER_E_STORE_LOCKED where nobody may be asked,
 * RINGBEARER_E_STORE_DISMISSED if nobody answers, or wrongly; RINGBEARER_E_STORE_UNAVAILABLE. */
int rbr_passphrase_key(const struct rbr_seal_key_use *use, struct rbr_seal_key *ret_key);

/* Has a person think of one, unless that has been done. */
int rbr_passphrase_prepare(const struct rbr_seal_key_use *use);

/* Has somebody thought of one? */
bool rbr_passphrase_present(const struct rbr_seal_key_use *use);

/* Takes it out of the kernel's keyring. */
void rbr_passphrase_forget(const struct rbr_seal_key_use *use);

#endif
