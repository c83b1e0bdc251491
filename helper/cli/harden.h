/* SPDX-License-Identifier: MIT */
/* The first lines of main(). */
#ifndef RBR_HARDEN_H
#define RBR_HARDEN_H

#include <stdbool.h>

/* Before anything else: no core dumps, no debugger of the same user, no file that others can read, three standard
 * descriptors, so that no file we open becomes stdout, and no death by SIGPIPE. False: do not go on. */
bool rbr_harden(void);

#endif
