/* SPDX-License-Identifier: MIT */
/* The forms in which a credential is written for other programs: one small file each, one table. */
#ifndef RBR_FORMATS_H
#define RBR_FORMATS_H

#include <stdbool.h>

#include "protocol/credential.h"

/* What a form may want to know beside the credential. */
struct rbr_answer {
	const struct rbr_credential *credential;
	bool authtype; /* the caller announced capability[]=authtype */
	bool basic; /* the server takes the token as the password of Basic alone */
	const char *username; /* whom the caller asked for; NULL: it did not say */
	const char *host; /* of the URL that the caller asked by; NULL: there is none */
	unsigned port; /* of that URL; 0: not known */
	const char *asked; /* the place as the caller wrote it; NULL: it named none */
	const char *version; /* which version of its protocol the caller speaks; NULL: it did not say */
	bool keeps_state; /* the caller announced capability[]=state */
	bool again; /* it was here before with a token that was refused */
};

/* What git's `state[]` begins with where it is ours; behind it stands when the token was obtained. */
#define RBR_STATE_PREFIX "ringbearer:"

struct rbr_format {
	const char *name;
	const char *summary;
	/* Appends the answer to OUT. RINGBEARER_E_SYSTEM; RINGBEARER_E_CONFIG: it needs a user name, one without control
	 * characters. */
	int (*write)(const struct rbr_answer *answer, struct ringbearer_secret *out);
	/* NULL, or: failures are answers, too, with exit status 0 and nothing on stderr. Appends the one called NAME.
	 * RINGBEARER_E_SYSTEM. */
	int (*write_failure)(const char *name, const char *detail, struct ringbearer_secret *out);
	/* Its callers cannot say that a token was refused, and throw an answer away if the exit status is not 0. */
	bool one_way;
	/* The environment may say what is asked for; standard input is not read. */
	bool in_environment;
};

/* The form called NAME, or NULL. */
const struct rbr_format *rbr_format_find(const char *name);

/* The form at INDEX, for lists of them; NULL past the end. */
const struct rbr_format *rbr_format_at(size_t index);

/* Room for the names of all forms, with its NUL. */
#define RBR_FORMAT_NAMES_MAX 256

/* "git, token or json": the names of all forms, for messages. */
void rbr_format_names(char names[RBR_FORMAT_NAMES_MAX]);

int rbr_format_git(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_token(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_header(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_json(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_env(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_google(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_google_failure(const char *name, const char *detail, struct ringbearer_secret *out);
int rbr_format_xoauth2(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_oauthbearer(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_docker(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_bazel(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_cargo(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_terraform(const struct rbr_answer *answer, struct ringbearer_secret *out);
int rbr_format_kubernetes(const struct rbr_answer *answer, struct ringbearer_secret *out);

/* The user name that docker and its kin are given where the account has none. */
#define RBR_DOCKER_USERNAME "oauth2accesstoken"

/* Appends TEXT as a JSON string with its quotes (RFC 8259 section 7). */
int rbr_json_string(struct ringbearer_secret *out, const char *text) RBR_MUST_CHECK;

/* Appends the value of an HTTP Authorization header (RFC 6750 section 2.1): type and token. */
int rbr_append_authorization(struct ringbearer_secret *out, const struct rbr_credential *credential) RBR_MUST_CHECK;

/* The same as a JSON string. */
int rbr_json_authorization(struct ringbearer_secret *out, const struct rbr_credential *credential) RBR_MUST_CHECK;

/* Appends a comma and the member NAME with the time SECONDS (since 1970; before the year 10000) as a string (RFC 3339), or
 * nothing if it is 0. */
int rbr_json_time(struct ringbearer_secret *out, const char *name, int64_t seconds) RBR_MUST_CHECK;

#endif
