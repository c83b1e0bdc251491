/* SPDX-License-Identifier: MIT */
/* One exchange with a service: what a grant is given, what it brings back, and what is made of that. */
#ifndef RBR_EXCHANGE_H
#define RBR_EXCHANGE_H

#include "host/host.h"
#include "host/loader.h"
#include "protocol/fastpath/wish.h"
#include "vault/vault.h"

struct rbr_machines;

struct rbr_exchange {
	struct ringbearer_call call;
	struct rbr_grant grant;
	struct rbr_vault vault;
	bool vault_open;
	struct ringbearer_secret *client_secret;
	struct ringbearer_secret *refresh_token;
	struct ringbearer_secret *api_key;
	struct ringbearer_tokens tokens;
	bool shared; /* the store is one that machines share: it has the verdicts as well, and a login on any of them ends those */
	struct rbr_machines *machines; /* that share the login; NULL: this one alone has it */
	bool refused_again; /* rbr_exchange_check() found the very token that was refused */
};

/* Opens GRANT for ACCOUNT. RINGBEARER_E_MODULE. End it with rbr_exchange_end() whatever happens. */
int rbr_exchange_start(struct rbr_exchange *exchange, struct rbr_context *context, const struct rbr_account *account,
	const char *grant, bool interactive) RBR_MUST_CHECK;
/* The same for the account's own grant, which will want secrets: the store makes ready while the grant is loaded. */
int rbr_exchange_start_renewal(struct rbr_exchange *exchange, struct rbr_context *context,
	const struct rbr_account *account, bool interactive) RBR_MUST_CHECK;
void rbr_exchange_end(struct rbr_exchange *exchange);

/* Opens the account's store, once. */
int rbr_exchange_vault(struct rbr_exchange *exchange) RBR_MUST_CHECK;

/* Reads the secrets that the grant needs, the refresh token excepted. RINGBEARER_E_NO_SECRET, RINGBEARER_E_STORE_… */
int rbr_exchange_secrets(struct rbr_exchange *exchange) RBR_MUST_CHECK;

/* Reads the refresh token afresh; RINGBEARER_E_LOGIN_REQUIRED if there is none. */
int rbr_exchange_refresh_token(struct rbr_exchange *exchange) RBR_MUST_CHECK;

/* What the grant is given. */
struct ringbearer_grant_input rbr_exchange_input(const struct rbr_exchange *exchange);

/* Notes the time from which lifetimes count, and forgets what an earlier try has brought. */
void rbr_exchange_begin(struct rbr_exchange *exchange);

/* Has the grant renew, once. What it returns, or RINGBEARER_E_MODULE if it cannot. */
int rbr_exchange_renew(struct rbr_exchange *exchange) RBR_MUST_CHECK;

/* Is what the grant brought an answer to WISH? RINGBEARER_E_MALFORMED_RESPONSE, RINGBEARER_E_INSUFFICIENT_SCOPE; where it is the
 * very token that was refused, RINGBEARER_E_LOGIN_REQUIRED, RINGBEARER_E_CLIENT_REJECTED or RINGBEARER_E_ACCESS_DENIED. */
int rbr_exchange_check(struct rbr_exchange *exchange, const struct rbr_wish *wish) RBR_MUST_CHECK;

/* The scope as granted where it is less than the account asks for, else NULL. */
const char *rbr_exchange_narrower(const struct rbr_exchange *exchange);

/* What was left unfinished when CREDENTIAL was kept for WISH is done: nobody needs to take the long way for it any more. */
void rbr_exchange_settle(const struct rbr_wish *wish, const struct rbr_credential *credential);

/* Turns the token into an answer, and nothing else. RINGBEARER_E_MALFORMED_RESPONSE if it does not fit a line. */
int rbr_exchange_answer(const struct rbr_exchange *exchange, struct rbr_credential *ret_credential) RBR_MUST_CHECK;

/* Keeps the token for others and turns it into an answer. RINGBEARER_E_MALFORMED_RESPONSE if it does not fit a line. */
int rbr_exchange_publish(const struct rbr_exchange *exchange, const struct rbr_wish *wish,
	struct rbr_credential *ret_credential) RBR_MUST_CHECK;

#endif
