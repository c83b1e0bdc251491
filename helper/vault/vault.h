/* SPDX-License-Identifier: MIT */
/*
 * Where an account's secrets rest, and what they are bound to: the account, their kind, the client and the endpoint they
 * may be sent to. An account whose endpoint was edited finds no secret, instead of sending an old one to a new place.
 */
#ifndef RBR_VAULT_H
#define RBR_VAULT_H

#include "host/host.h"
#include "host/loader.h"

#define RBR_NO_CLIENT "none" /* the client of an account that names none */
#define RBR_KIND_CLIENT_SECRET "client_secret"
#define RBR_KIND_REFRESH_TOKEN "refresh_token"
#define RBR_KIND_API_KEY "api_key"
#define RBR_BINDING_MAX 4096 /* bytes of an endpoint attribute, with its NUL */

#define RBR_LABEL_MAX 160

/* What names a secret, with the texts that its item points to. */
struct rbr_binding {
	struct ringbearer_item item;
	char endpoint[RBR_BINDING_MAX];
	char label[RBR_LABEL_MAX];
};

struct rbr_vault {
	struct rbr_store store;
	struct ringbearer_call *call;
};

/* Opens the account's store for CALL. RINGBEARER_E_MODULE. */
int rbr_vault_open(struct ringbearer_call *call, struct rbr_vault *ret_vault) RBR_MUST_CHECK;

/* Secrets will be looked up, probably those of the kinds WANTED, which ends with a NULL: a store that has to be waited for
 * begins, and this does not wait. */
void rbr_vault_expect(const struct rbr_vault *vault, const char *const *wanted);

/* Is it one that others fill, and nobody here can write to? */
bool rbr_vault_is_read_only(const struct rbr_vault *vault);

/* The endpoint that secrets of KIND are bound to: the places that the account answers for if the secret itself is
 * handed out, otherwise the token endpoint, or the issuer where that is discovered. RINGBEARER_E_CONFIG if the
 * account names none. */
int rbr_vault_binding(const struct rbr_account *account, const char *kind, char ret_endpoint[RBR_BINDING_MAX],
	struct rbr_error *error) RBR_MUST_CHECK;

/* What names the account's secret of KIND. BINDING stays where it is while it is used. RINGBEARER_E_CONFIG as above. */
int rbr_vault_bind(const struct rbr_vault *vault, const char *kind, struct rbr_binding *binding) RBR_MUST_CHECK;

/* RINGBEARER_E_NO_SECRET, RINGBEARER_E_STORE_… */
int rbr_vault_lookup(struct rbr_vault *vault, const char *kind, struct ringbearer_secret **ret_secret) RBR_MUST_CHECK;

/* Keeps SECRET, reads it back and compares. RINGBEARER_E_STORE_… */
int rbr_vault_keep(struct rbr_vault *vault, const char *kind, const struct ringbearer_secret *secret) RBR_MUST_CHECK;

/* Removes the secret; 0 also when there was none. */
int rbr_vault_erase(struct rbr_vault *vault, const char *kind) RBR_MUST_CHECK;

/*
 * The endpoints that a person confirmed for secrets at a login (endpoint.h): a list beside the secrets, bound as they are,
 * so that a login at another token endpoint knows nothing of it. What is not there was not confirmed.
 */

/* Marks those of ACCOUNT's endpoints from metadata that were confirmed to the letter. RINGBEARER_E_NO_SECRET if none
 * ever was, RINGBEARER_E_STORE_… */
int rbr_vault_recall_confirmed(struct rbr_vault *vault, struct rbr_account *account) RBR_MUST_CHECK;

/* Keeps the list of those that are marked; does nothing if none is. */
int rbr_vault_keep_confirmed(struct rbr_vault *vault) RBR_MUST_CHECK;
int rbr_vault_forget_confirmed(struct rbr_vault *vault) RBR_MUST_CHECK;

/* Can something be kept just now? Keeps and reads back an item that is no secret, the same one each time. RINGBEARER_E_CONFIG if
 * never, RINGBEARER_E_STORE_… */
int rbr_vault_probe(struct rbr_vault *vault) RBR_MUST_CHECK;

/* Does the store answer, and is it open? Looks for that item, and changes nothing: 0 also if it is not there. RINGBEARER_E_STORE_… */
int rbr_vault_knock(struct rbr_vault *vault) RBR_MUST_CHECK;

/* Are these two the same place? What is kept in B for a moment is looked for in A. */
int rbr_vault_same(struct rbr_vault *a, struct rbr_vault *b, bool *ret_same) RBR_MUST_CHECK;

/* What may be kept for an account, the last NULL. */
extern const char *const rbr_vault_kinds[];

/* Is KIND one of the three kinds? */
bool rbr_vault_knows(const char *kind);

/* What people call KIND; NULL if there is no such kind. */
const char *rbr_vault_label(const char *kind);

/* May SECRET be one? Bytes 0x20 to 0x7E (RFC 6749 appendix A), not empty, at most 64 KiB.
 * RINGBEARER_E_MALFORMED_REQUEST. */
int rbr_vault_check(const struct ringbearer_secret *secret, struct rbr_error *error) RBR_MUST_CHECK;

#endif
