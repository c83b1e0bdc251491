/* SPDX-License-Identifier: MIT */
/* Endpoints that an issuer's metadata name, for accounts that do not. */
#ifndef RBR_DISCOVERY_H
#define RBR_DISCOVERY_H

#include "host/host.h"
#include "host/loader.h"

enum rbr_freshness {
	RBR_KEPT, /* what was fetched within a day will do */
	RBR_FRESH, /* ask the issuer: a person is setting the account up or logging in */
};

/*
 * Fills in the endpoints that ACCOUNT (the call's own) leaves open and its `issuer` knows: from the kernel keyring if they were
 * fetched within a day, with the same `ca_file` and `proxy`, else through GRANT. Does nothing where there is no issuer, or
 * where both the token endpoint and what is WANTED are set, but for the authorization endpoint: then the issuer is asked whether
 * its answers name it, and nothing fails if it cannot be. What is set anywhere else stands above it; and since secrets
 * are bound to the token endpoint, metadata that name another one find no secret to send there, and those that lead
 * another endpoint elsewhere are not followed (endpoint.h).
 */
int rbr_discovery_apply(struct ringbearer_call *call, const struct rbr_grant *grant, struct rbr_account *account,
	enum rbr_key wanted, enum rbr_freshness freshness) RBR_MUST_CHECK;

/* Drops what is kept of the metadata of ACCOUNT's issuer. */
void rbr_discovery_forget(const struct rbr_account *account);

/* The same from the kernel keyring alone, if it is there: no module is opened, nobody is asked. RINGBEARER_E_CONFIG. */
int rbr_discovery_recall(struct rbr_account *account, struct rbr_error *error) RBR_MUST_CHECK;

#endif
