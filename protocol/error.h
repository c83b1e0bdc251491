/* SPDX-License-Identifier: MIT */
/* What went wrong: a code of enum ringbearer_error and a bounded detail without secrets. */
#ifndef RBR_ERROR_H
#define RBR_ERROR_H

#include "base.h"
#include "ringbearer.h"
#include "text.h"

/* Longest detail kept, with its NUL; longer ones are cut. */
#define RBR_DETAIL_MAX 1024

struct rbr_error {
	int code; /* 0: nothing went wrong */
	long retry_after; /* seconds the server wants to be left alone; 0: it did not say */
	char detail[RBR_DETAIL_MAX];
};

/* Fills ERROR (may be NULL) and returns CODE. The detail is one line: what happened; what to do. It is
 * sanitized (text.h), so that a terminal cannot be driven by it. */
int rbr_fail(struct rbr_error *error, int code, const char *format, ...) RBR_PRINTF(3, 4);

/* The same for "out of memory". */
int rbr_fail_memory(struct rbr_error *error);

/* The code whose wire name is NAME; RINGBEARER_E_SYSTEM for one it does not know. */
int rbr_error_from_name(const char *name);

#endif
