/* SPDX-License-Identifier: MIT */
/* Lists of scopes: unordered sets of case-sensitive words (RFC 6749 section 3.3). */
#ifndef RBR_SCOPE_H
#define RBR_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#define RBR_SCOPE_MAX 4096 /* bytes of a list, with its NUL */

/* Only characters of scopes, and blanks between them (RFC 6749 appendix A.4)? */
bool rbr_scope_is_sound(const char *list);

/* Is WORD one of the words of LIST (separated by blanks)? */
bool rbr_scope_has(const char *list, const char *word, size_t size);

/* Appends the scopes of MORE that LIST lacks. False if they do not fit. */
bool rbr_scope_join(char list[RBR_SCOPE_MAX], const char *more);

/* Does LIST name every scope of WANTED, letter by letter? For what may be asked for. Some services separate scopes by
 * commas: what stands between them counts as well. */
bool rbr_scope_names(const char *list, const char *wanted);

/* Does GRANTED, as a service says it, have every scope of WANTED by its meaning? `openid` and `offline_access` are no rights
 * of an access token, commas may separate, and either may be a longer form of the other (https://…/NAME). */
bool rbr_scope_covers(const char *granted, const char *wanted);

#endif
