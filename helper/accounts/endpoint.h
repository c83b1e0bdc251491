/* SPDX-License-Identifier: MIT */
/*
 * Whom an account's secrets go to. They are bound to the token endpoint (vault.c), and any other endpoint that is sent one
 * must belong to it: it lies at the token endpoint's own origin, or the account's file or its provider's names it, or a
 * person confirmed it at a login. What an issuer's metadata say is not enough: they are fetched later, and they change.
 */
#ifndef RBR_ENDPOINT_H
#define RBR_ENDPOINT_H

#include "accounts/account.h"

/* May requests to the endpoint KEY hold a secret? That is asked of all that are no page for a browser. */
bool rbr_endpoint_takes_secrets(int key);

/* May ACCOUNT's secrets be sent to its endpoint KEY? 0 also if that is not set, or no secret goes there.
 * RINGBEARER_E_CONFIG with a detail that says how to confirm it. */
int rbr_endpoint_admit(const struct rbr_account *account, enum rbr_key key, struct rbr_error *error) RBR_MUST_CHECK;

#endif
