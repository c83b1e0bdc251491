/* SPDX-License-Identifier: MIT */
/* The few macros that every room uses. */
#ifndef RBR_BASE_H
#define RBR_BASE_H

#include <stddef.h>
#include <stdint.h>

/* Runs FREE(&variable) when the variable leaves its scope. */
#define RBR_CLEANUP(wipe) __attribute__((cleanup(wipe)))
#define RBR_MUST_CHECK __attribute__((warn_unused_result))
#define RBR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define RBR_UNUSED __attribute__((unused))
#define RBR_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* For RBR_CLEANUP on variables of type char * and int (a descriptor; negative means none). */
void rbr_free_string(char **string);
void rbr_close(int *descriptor);

#define RBR_HEX_MAX 16 /* digits */

/* Writes NUMBER in hexadecimal, without a NUL; returns what is behind it. printf() takes ten times as long, which a hit
 * notices. */
char *rbr_hex(char *to, uint64_t number);

#endif
