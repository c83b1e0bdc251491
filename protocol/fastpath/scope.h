/* SPDX-License-Identifier: MIT */
/* Lists of scopes: unordered sets of case-sensitive words (RFC 6749 section 3.3). */
#ifndef RBR_SCOPE_H
#define RBR_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#define RBR_SCOPE_MAX 4096 /* bytes of a list, with its NUL */

/* Is WORD one of the words of LIST (separated by blanks)? */
bool rbr_scope_has(const char *list, const char *word, size_t size);

/* Appends the scopes of MORE that LIST lacks. False if they do not fit. */
bool rbr_scope_join(char list[RBR_SCOPE_MAX], const char *more);

/* Does GRANTED have every scope of WANTED? */
bool rbr_scope_covers(const char *granted, const char *wanted);

#endif
