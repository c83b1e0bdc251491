/* SPDX-License-Identifier: MIT */
/* What the unit tests share: cmocka, a folder of their own, and what is written to stderr. */
#ifndef RBR_UNIT_H
#define RBR_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

/* cmocka 2 calls the name that cmocka 1 has deprecated. */
#ifdef assert_int_in_range
#undef assert_in_range
#define assert_in_range(value, least, most) assert_int_in_range(value, least, most)
#endif

#define UNIT_PATH_MAX 4096

/* A literal and its size without the NUL at its end, for text that holds NULs itself. */
#define UNIT_BYTES(literal) (literal), (sizeof(literal) - 1)

/* Group setup: makes an empty folder and goes there. XDG_CONFIG_HOME is its `config`, the shipped
 * providers lie in `shipped`; the system's folder is `etc` there, since the tests are compiled with a
 * relative sysconfdir. No variable of the caller that ringbearer reads is left. */
int unit_enter(void **state);

/* Group teardown: removes that folder. */
int unit_leave(void **state);

/* The folder, without a slash at its end. */
const char *unit_folder(void);

/* Writes TEXT to PATH (relative to the folder), with its parents. */
void unit_write(const char *path, const char *text, mode_t mode);

/* Catches what is written to descriptor 2 in between; the second one returns it as a string (static
 * storage), cut at 64 KiB. */
void unit_stderr_catch(void);
const char *unit_stderr_release(void);

/* From now on the kernel answers whoever wants something of its keyrings with the error CODE. False: it cannot be had. */
bool unit_refuse_keys(int code);

/* Fails unless TEXT contains PART. */
#define unit_assert_contains(text, part) unit_contains(text, part, true, __FILE__, __LINE__)
#define unit_assert_lacks(text, part) unit_contains(text, part, false, __FILE__, __LINE__)
void unit_contains(const char *text, const char *part, bool wanted, const char *file, int line);

/* Does CHECK say yes in a process of its own? What it does to that process stays there. */
bool unit_passes_elsewhere(bool (*check)(void));

/* May this process keep keys in its user keyring? */
bool unit_has_keyring(void);

#endif
