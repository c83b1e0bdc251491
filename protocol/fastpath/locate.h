/* SPDX-License-Identifier: MIT */
/* Where an account's file is and what it is just now: all that a hit needs to know of it. */
#ifndef RBR_LOCATE_H
#define RBR_LOCATE_H

#include "paths.h"
#include "protocol/base.h"

#define RBR_ACCOUNT_NAME_MAX 64 /* characters */
#define RBR_STAMP_MAX 112 /* a stamp as text, with its NUL */
#define RBR_ACCOUNT_PLACES 2
#define RBR_STAMPS_MAX ((1 + RBR_ACCOUNT_PLACES) * RBR_STAMP_MAX) /* an account's, and those of the files of defaults */
#define RBR_DEFAULTS "defaults" /* the file, beside the folder of accounts, with values for all of them */

/* Where accounts are looked for: the first one counts. */
extern const enum rbr_place rbr_account_places[RBR_ACCOUNT_PLACES];

/* `[A-Za-z0-9._@-]{1,64}`, not starting with a dot or a dash. RINGBEARER_E_USAGE if not. */
int rbr_account_check_name(const char *name, struct rbr_error *error) RBR_MUST_CHECK;

/* Where an account's file is and what it is just now: the hit needs no more than this. */
struct rbr_located {
	char path[PATH_MAX];
	/* device, inode, size and time of the last change, as text; then the same of the files of
	 * defaults that there are */
	char stamp[RBR_STAMPS_MAX];
};

/* Finds the file of the account NAME, the user's before the system's, with one statx each, and one for each file of
 * defaults.
 * RINGBEARER_E_NO_ACCOUNT; RINGBEARER_E_CONFIG if others can write to the file or own it. */
int rbr_account_locate(const char *name, struct rbr_located *ret_located, struct rbr_error *error) RBR_MUST_CHECK;

/* The same text for any path; "-" if it is not there. Returns the time of its contents in seconds. */
int64_t rbr_stamp(const char *path, char stamp[RBR_STAMP_MAX]);

/* Refuses a file that somebody else owns or can write to. */
int rbr_config_trust(const char *path, unsigned mode, unsigned owner, struct rbr_error *error) RBR_MUST_CHECK;

#endif
