/* SPDX-License-Identifier: MIT */
/* Endpoints that an issuer's metadata name, for accounts that do not. */
#ifndef RBR_DISCOVERY_H
#define RBR_DISCOVERY_H

#include "host/host.h"
#include "host/loader.h"

/*
 * Fills in the endpoints that ACCOUNT (the call's own) leaves open and its `issuer` knows: from the kernel keyring if they were
 * fetched within a day, else through GRANT. Does nothing where there is no issuer, or where both the token endpoint and
 * what is WANTED are set. What is set anywhere else stands above it; and since secrets are bound to the token endpoint,
 * metadata that name another one find no secret to send there.
 */
int rbr_discovery_apply(struct ringbearer_call *call, const struct rbr_grant *grant, struct rbr_account *account,
	enum rbr_key wanted) RBR_MUST_CHECK;

#endif
