/* SPDX-License-Identifier: MIT */
/* What `get`, `token`, `store` and `erase` are asked: options, or lines on standard input. */
#ifndef RBR_ASK_H
#define RBR_ASK_H

#include "protocol/fastpath/context.h"
#include "protocol/fastpath/request.h"

/*
 * Reads the command line of `store` or `erase` (ARGV[0]), which take the options of `get`, and standard input. That is left
 * alone only if it is a terminal and the options say enough for `erase`. REQUEST (empty) is not understood yet.
 * RINGBEARER_E_USAGE, RINGBEARER_E_MALFORMED_REQUEST, RINGBEARER_E_SYSTEM.
 */
int rbr_ask_message(struct rbr_context *context, int argc, char **argv, struct rbr_request *request) RBR_MUST_CHECK;

/* git says where a token goes, whatever the options say: a REQUEST (understood) of its that names no place is refused.
 * RINGBEARER_E_MALFORMED_REQUEST. */
int rbr_ask_place(struct rbr_context *context, const struct rbr_request *request) RBR_MUST_CHECK;

/*
 * Reads the command line of `get` or `token` (ARGV[0]) and, where it does not say what is wanted, standard input, whose bytes
 * are appended to INPUT. REQUEST (empty) is understood afterwards. Whether errors are to be told on stdout is known as soon as
 * the request could be read at all. RINGBEARER_E_USAGE, RINGBEARER_E_MALFORMED_REQUEST, RINGBEARER_E_SYSTEM.
 */
int rbr_ask(struct rbr_context *context, int argc, char **argv, struct rbr_request *request,
	struct ringbearer_secret *input) RBR_MUST_CHECK;

/* Writes OUT to stdout in one go. RINGBEARER_E_SYSTEM. */
int rbr_output(struct rbr_context *context, const struct ringbearer_secret *out) RBR_MUST_CHECK;

/* Writes CREDENTIAL in the form that REQUEST asks for. RINGBEARER_E_SYSTEM; RINGBEARER_E_CONFIG if the form needs a user name
 * and there is none that it can hold. */
int rbr_hand_out(struct rbr_context *context, const struct rbr_request *request,
	const struct rbr_credential *credential) RBR_MUST_CHECK;

#endif
