/* SPDX-License-Identifier: MIT */
/*
 * What is kept of git's words for a place, and what is given out of it: a message (message.h) with username, password,
 * authtype, credential, password_expiry_utc, oauth_refresh_token.
 */
#ifndef RBR_PASSWORD_H
#define RBR_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/error.h"
#include "protocol/message.h"
#include "protocol/secret.h"

/* Picks what is worth keeping from git's MESSAGE into RET_VALUE. RINGBEARER_E_NO_SECRET if there is nothing to keep: no
 * secret in it, one that is ephemeral, or one that expired before NOW (seconds since 1970). */
int rbr_password_pack(const struct rbr_message *message, int64_t now, struct ringbearer_secret *ret_value)
	RBR_MUST_CHECK;

/* Takes VALUE (as rbr_password_pack() wrote it) apart. Bytes of our own. RINGBEARER_E_STORE_UNAVAILABLE if it is something else. */
int rbr_password_parse(const struct ringbearer_secret *value, struct rbr_message *ret_message, struct rbr_error *error)
	RBR_MUST_CHECK;

enum rbr_answerable {
	RBR_ANSWERS_NOT,
	RBR_ANSWERS_PARTLY, /* the password has expired; the refresh token can still be of use to another helper */
	RBR_ANSWERS,
};

/* Appends git's answer, made of VALUE (as rbr_password_pack() wrote it), to OUT. USERNAME is who was asked for, NULL: anybody.
 * AUTHTYPE: the caller takes schemes. *RET_FIT says what the answer is worth; nothing is appended if not.
 * RINGBEARER_E_STORE_UNAVAILABLE if VALUE is something else, RINGBEARER_E_SYSTEM. */
int rbr_password_unpack(const struct ringbearer_secret *value, const char *username, bool authtype, int64_t now,
	struct ringbearer_secret *out, enum rbr_answerable *ret_fit, struct rbr_error *error) RBR_MUST_CHECK;

#endif
