/* SPDX-License-Identifier: MIT */
/* What values the keys of keys.def may have. */
#ifndef RBR_KEYS_H
#define RBR_KEYS_H

#include "account.h"

#define RBR_WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~:[]-"
/* Of a unit's name, systemd.unit(5). */
#define RBR_UNIT_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@"
#define RBR_SECONDS_MAX 86400
#define RBR_KEY_OPTION_MAX 40

/* Is TEXT what `tenant` may be: a word, or a host with a path below it? */
bool rbr_key_is_tenant(const char *text);

/* Does TEXT suit KEY? RINGBEARER_E_CONFIG with a detail that begins with WHERE and names what is allowed. */
int rbr_key_check(const struct rbr_key_info *key, const char *text, const char *where, struct rbr_error *error)
	RBR_MUST_CHECK;

/* The same for what somebody has written into a line, where a comment behind the value would become part of it. */
int rbr_key_check_written(const struct rbr_key_info *key, const char *text, const char *where, struct rbr_error *error)
	RBR_MUST_CHECK;

/* Is KEY one of those that say something of a store? */
bool rbr_key_is_of_store(enum rbr_key key);

/* The name of KEY's option of `add`, without the leading dashes: with dashes for underscores. Returns OPTION. */
const char *rbr_key_option(enum rbr_key key, char option[RBR_KEY_OPTION_MAX]);

#endif
