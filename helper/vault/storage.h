/* SPDX-License-Identifier: MIT */
/*
 * Passwords for places that no account answers for: what a plain storage helper of git does. They rest in the default
 * store beside the accounts' secrets, bound to the place they were given for:
 *
 *   account    scheme://host:port, which can be no account's name
 *   kind       RBR_KIND_PASSWORD
 *   client_id  the user's name, "none" if it has none
 *   endpoint   scheme://host:port/path; the path is / where git names none
 *
 * The value is in password.h.
 */
#ifndef RBR_STORAGE_H
#define RBR_STORAGE_H

#include "protocol/fastpath/context.h"
#include "protocol/fastpath/request.h"

#define RBR_KIND_PASSWORD "password"

/*
 * The three verbs, for a REQUEST that has a URL and no account. context->error is set on failure.
 *
 * get writes the answer to RET_OUT. RINGBEARER_E_NO_ACCOUNT if nothing is stored, or nothing could be, since there is
 * no keyring at all; the detail says which. RINGBEARER_E_STORE_LOCKED, RINGBEARER_E_STORE_DISMISSED,
 * RINGBEARER_E_STORE_UNAVAILABLE (it did not answer in time).
 *
 * keep replaces what the same user has at the same place, reads it back and compares; 0 also when there is nothing to keep.
 * erase removes all that fits, or only what has the password or credential that the request names; erase_others leaves
 * USERNAME's ("" or NULL: nobody's).
 */
int rbr_storage_get(struct rbr_context *context, const struct rbr_request *request, struct ringbearer_secret *ret_out)
	RBR_MUST_CHECK;
int rbr_storage_keep(struct rbr_context *context, const struct rbr_request *request) RBR_MUST_CHECK;
int rbr_storage_erase(struct rbr_context *context, const struct rbr_request *request) RBR_MUST_CHECK;
int rbr_storage_erase_others(struct rbr_context *context, const struct rbr_request *request, const char *username)
	RBR_MUST_CHECK;

/*
 * Calls VISIT with place (without a port that its scheme has anyway) and user ("" for none) of all that is stored, until it
 * returns non-zero; returns that. Nobody is asked to unlock anything.
 */
typedef int (*rbr_storage_visitor)(const char *url, const char *username, void *data);
int rbr_storage_visit(struct rbr_context *context, rbr_storage_visitor visit, void *data) RBR_MUST_CHECK;

/* Is there a store that passwords can be kept in, and is it open? Nobody is asked, and nothing is kept. RINGBEARER_E_STORE_…,
 * RINGBEARER_E_CONFIG, RINGBEARER_E_MODULE. */
int rbr_storage_knock(struct rbr_context *context) RBR_MUST_CHECK;

#endif
