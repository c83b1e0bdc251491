/* SPDX-License-Identifier: MIT */
/*
 * What is wanted of an account, and how it is renewed when the cache has nothing that will do.
 */
#ifndef RBR_RENEWAL_H
#define RBR_RENEWAL_H

#include "account.h"
#include "context.h"
#include "protocol/cache.h"
#include "request.h"

#define RBR_SCOPE_MAX 4096 /* bytes of a list of scopes, with its NUL */

enum rbr_urgency {
	RBR_IF_NEEDED, /* a cached token will do */
	RBR_REJECTED, /* the caller was refused with the token it had */
	RBR_FORCED, /* renew, whatever is cached, and ask the server even if it has just said no */
};

struct rbr_wish {
	const struct rbr_request *request;
	enum rbr_urgency urgency;
	bool interactive; /* may a person be asked? */
	char account[RBR_ACCOUNT_NAME_MAX + 1];
	struct rbr_located located;
	char scope[RBR_SCOPE_MAX]; /* "": the account's own */
	/* What token and verdict are kept under: the account's file as it is now, the scope and the resources. */
	struct rbr_cache_key token_key;
	struct rbr_cache_key verdict_key;
};

#define RBR_WISH_EMPTY ((struct rbr_wish){.request = NULL})

void rbr_wish_wipe(struct rbr_wish *wish);

/* Makes both keys afresh. RINGBEARER_E_SYSTEM. */
int rbr_wish_make_keys(struct rbr_wish *wish, struct rbr_error *error) RBR_MUST_CHECK;

/* Is there a cached token that will do? */
bool rbr_wish_recall(const struct rbr_context *context, const struct rbr_wish *wish, struct rbr_credential *credential);

/*
 * Renews under the lock of the account's binding, unless another process is just doing that: then waits for what it
 * finds out. Publishes the token, or the verdict. Fills RET_CREDENTIAL. ACCOUNT takes up the request's layer.
 */
int rbr_renewal_run(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account,
	struct rbr_credential *ret_credential) RBR_MUST_CHECK;

/* Starts a renewal in a detached child, unless one is under way or has just failed. The run's own answer must have
 * been written before. */
void rbr_renewal_detach(struct rbr_context *context, const struct rbr_wish *wish, struct rbr_account *account);

/* Is WORD one of the words of LIST (separated by blanks)? */
bool rbr_scope_has(const char *list, const char *word, size_t size);

/* Appends the scopes of MORE that LIST lacks. False if they do not fit. */
bool rbr_scope_join(char list[RBR_SCOPE_MAX], const char *more);

#endif
