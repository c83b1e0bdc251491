/* SPDX-License-Identifier: MIT */
/* What doctor has found: a line each, for people or as JSON. */
#ifndef RBR_REPORT_H
#define RBR_REPORT_H

#include <stdbool.h>

#include "protocol/fastpath/context.h"
#include "protocol/secret.h"

struct rbr_checkup {
	struct rbr_context *context;
	const char *only; /* the one account that is asked about; NULL: all, and the machine */
	bool with_secrets; /* secrets may be read */
	bool json;
	bool colour;
	unsigned well;
	unsigned unchecked;
	unsigned ill;
	int first; /* the code of the first that is ill; 0: none */
	struct ringbearer_secret out; /* the JSON so far */
};

/* SUBJECT works. */
void rbr_well(struct rbr_checkup *checkup, const char *subject, const char *format, ...) RBR_PRINTF(3, 4);

/* SUBJECT is not there, or could not be looked at; that is nothing to mend. */
void rbr_unchecked(struct rbr_checkup *checkup, const char *subject, const char *format, ...) RBR_PRINTF(3, 4);

/* SUBJECT does not work; "what happened; what to do", and CODE is what a run fails with. */
void rbr_ill(struct rbr_checkup *checkup, const char *subject, int code, const char *format, ...) RBR_PRINTF(4, 5);

/* The same with what context->error says; where that has no advice, MEND is it. */
void rbr_ill_by_error(struct rbr_checkup *checkup, const char *subject, const char *mend);

/* The last line. RINGBEARER_E_SYSTEM. */
int rbr_report_end(struct rbr_checkup *checkup) RBR_MUST_CHECK;

#endif
