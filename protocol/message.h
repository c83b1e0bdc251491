/* SPDX-License-Identifier: MIT */
/*
 * The key=value message: one codec for the wire (git's credential protocol, git-credential(1) "INPUT/OUTPUT FORMAT"),
 * the account and provider files, and the records in the kernel keyring.
 *
 * A message is an ordered list of key=value lines. On the wire a blank line or the end ends it, `key[]=` repeats and an
 * empty value clears the list so far, and of single keys the last one counts. In files, `#` comments, blank
 * lines and blanks around `=` and at both ends of a line are allowed as well.
 *
 * Refused, never truncated: NUL and CR anywhere, a line without `=`, an empty key, and anything past the limits below.
 * All bytes live in one secret buffer, since any value may be a secret.
 */
#ifndef RBR_MESSAGE_H
#define RBR_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "secret.h"

#define RBR_LINE_MAX 65535u /* bytes of a line with its newline, as git counts them */
#define RBR_MESSAGE_MAX (1024u * 1024) /* bytes of a message on the wire */
#define RBR_MESSAGE_FILE_MAX (64u * 1024) /* bytes of an account or provider file */
#define RBR_MESSAGE_ENTRIES_MAX 1024u /* lines that carry a value */

enum rbr_dialect {
	RBR_DIALECT_WIRE,
	RBR_DIALECT_FILE,
};

struct rbr_entry {
	uint32_t key; /* offsets into text; both strings end with a NUL there */
	uint32_t value;
	uint32_t line; /* counted from 1; 0 for entries that were added */
};

struct rbr_message {
	struct ringbearer_secret text;
	struct rbr_entry *entries;
	size_t count;
	size_t capacity;
};

#define RBR_MESSAGE_EMPTY ((struct rbr_message){RBR_SECRET_EMPTY, NULL, 0, 0})

/* Wipes and frees; MESSAGE is empty afterwards. */
void rbr_message_wipe(struct rbr_message *message);

/* Appends the lines of TEXT. WHAT names the source in errors ("the request", a path). 0, or CODE (what a malformed text
 * means here: RINGBEARER_E_MALFORMED_REQUEST, RINGBEARER_E_CONFIG …) or RINGBEARER_E_SYSTEM. On the wire, what follows
 * the blank line is not looked at. */
int rbr_message_parse(struct rbr_message *message, const char *text, size_t size, enum rbr_dialect dialect,
	const char *what, int code, struct rbr_error *error) RBR_MUST_CHECK;

/* Reads the bytes of one message of the wire from DESCRIPTOR, up to the blank line or the end, and appends them to TEXT.
 * Reads on past RBR_MESSAGE_MAX only so far that parsing finds it too long. RINGBEARER_E_SYSTEM on failure. */
int rbr_message_take(int descriptor, struct ringbearer_secret *text, struct rbr_error *error) RBR_MUST_CHECK;

/* Reads one message of the wire from DESCRIPTOR up to the blank line or the end.
 * RINGBEARER_E_MALFORMED_REQUEST or RINGBEARER_E_SYSTEM on failure. Bytes of a stranger: fuzz-message. */
int rbr_message_read(struct rbr_message *message, int descriptor, struct rbr_error *error) RBR_MUST_CHECK;

/* Appends one entry. RINGBEARER_E_MALFORMED_REQUEST if key or value could not be written as one line. */
int rbr_message_add(struct rbr_message *message, const char *key, const char *value) RBR_MUST_CHECK;
int rbr_message_add_number(struct rbr_message *message, const char *key, int64_t value) RBR_MUST_CHECK;

/* The last value of KEY, or NULL. Valid until the message is added to or wiped. */
const char *rbr_message_get(const struct rbr_message *message, const char *key);

/* The same as a decimal number; ABSENT if there is none or it is not one of at most 18 digits. */
int64_t rbr_message_get_number(const struct rbr_message *message, const char *key, int64_t absent);

/* The values of the list KEY (named with its brackets, "wwwauth[]"), after the last empty one. *CURSOR starts at 0;
 * NULL at the end. */
const char *rbr_message_next(const struct rbr_message *message, const char *key, size_t *cursor);

/* Does the list KEY have VALUE? */
bool rbr_message_has(const struct rbr_message *message, const char *key, const char *value);

/* Key and value of the entry at INDEX (below count). */
const char *rbr_message_key(const struct rbr_message *message, size_t index);
const char *rbr_message_value(const struct rbr_message *message, size_t index);

/* Appends the message's lines to OUT (no blank line at the end). */
int rbr_message_format(const struct rbr_message *message, struct ringbearer_secret *out) RBR_MUST_CHECK;

#endif
