/* SPDX-License-Identifier: MIT */
/* A person who is not at a terminal is told that a login is needed. */
#ifndef RBR_NOTICE_H
#define RBR_NOTICE_H

#include <stdbool.h>

/* Is there a desktop that may be told, and no terminal that is? */
bool rbr_notice_is_wanted(void);

/* Has `ringbearer notice ACCOUNT` run, and does not wait for it: what it does is no business of the answer. */
void rbr_notice_start(const char *account);

#endif
