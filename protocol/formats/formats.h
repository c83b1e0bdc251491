/* SPDX-License-Identifier: MIT */
/* The forms in which a credential is written for other programs: one small file each, one table. */
#ifndef RBR_FORMATS_H
#define RBR_FORMATS_H

#include <stdbool.h>

#include "credential.h"

/* What a form may want to know beside the credential. */
struct rbr_answer {
	const struct rbr_credential *credential;
	bool authtype; /* the caller announced capability[]=authtype */
	bool basic; /* the server takes the token as the password of Basic alone */
	const char *username; /* whom the caller asked for; NULL: it did not say */
};

struct rbr_format {
	const char *name;
	const char *summary;
	/* Appends the answer to OUT. 0 or RINGBEARER_E_SYSTEM. */
	int (*write)(const struct rbr_answer *answer, struct ringbearer_secret *out);
};

/* The form called NAME, or NULL. */
const struct rbr_format *rbr_format_find(const char *name);

/* The form at INDEX, for lists of them; NULL past the end. */
const struct rbr_format *rbr_format_at(size_t index);

int rbr_format_git(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_token(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_header(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_json(const struct rbr_answer *answer, struct ringbearer_secret *out);

/* Appends TEXT as a JSON string with its quotes (RFC 8259 section 7). */
int rbr_json_string(struct ringbearer_secret *out, const char *text) RBR_MUST_CHECK;

#endif
