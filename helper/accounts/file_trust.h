/* SPDX-License-Identifier: MIT */
/*
 * Files that decide what runs, or whom secrets go to: account and provider files, certificates, modules, programs. One is
 * trusted if nobody but root and the user can change it or put another in its place: it belongs to one of them and is not
 * writable for others, and the same is true of every folder and link on the way to it. A folder that others can write to
 * will do if it is sticky, as /tmp is, and one that a group can write to if the group is the user's own.
 */
#ifndef RBR_FILE_TRUST_H
#define RBR_FILE_TRUST_H

#include "protocol/error.h"

enum rbr_trust {
	RBR_TRUST_USER, /* root's and the user's */
	RBR_TRUST_INSTALLED, /* what came with the program: also its owner's, who could change the program as well */
};

/* Opens the regular file PATH for reading, if it is to be trusted. CODE is returned where it cannot be read,
 * RINGBEARER_E_CONFIG where it is not trusted; the detail says what to do. */
int rbr_trust_open(const char *path, enum rbr_trust trust, int code, int *ret_descriptor, struct rbr_error *error)
	RBR_MUST_CHECK;

/* The same for what somebody else will open by its name. */
int rbr_trust_check(const char *path, enum rbr_trust trust, int code, struct rbr_error *error) RBR_MUST_CHECK;

#endif
