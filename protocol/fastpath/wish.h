/* SPDX-License-Identifier: MIT */
/* What is wanted of an account, and whether the cache already has it. */
#ifndef RBR_WISH_H
#define RBR_WISH_H

#include "context.h"
#include "locate.h"
#include "protocol/cache.h"
#include "request.h"
#include "scope.h"

enum rbr_urgency {
	RBR_IF_NEEDED, /* a cached token will do */
	RBR_SUSPECTED, /* the caller may have been refused with the token it had: that stays, whatever comes of a renewal */
	RBR_REJECTED, /* the caller was refused with the token it had */
	RBR_FORCED, /* renew, whatever is cached, and ask the server even if it has just said no */
};

struct rbr_wish {
	const struct rbr_request *request;
	enum rbr_urgency urgency;
	bool interactive; /* may a person be asked? */
	const char
		*refused; /* the token that was, or may have been: it is not handed out; NULL: it is not known which */
	char account[RBR_ACCOUNT_NAME_MAX + 1];
	struct rbr_located located;
	char scope[RBR_SCOPE_MAX]; /* "": the account's own */
	/* What token and verdict are kept under: the account's file as it is now, the scope and the resources. */
	struct rbr_cache_key token_key;
	struct rbr_cache_key verdict_key;
	long *seen; /* where the caller was answered from the last time, see rbr_cache_read_again(); NULL: it asks once */
};

#define RBR_WISH_EMPTY ((struct rbr_wish){.request = NULL})

void rbr_wish_wipe(struct rbr_wish *wish);

/* Is it the account's own token, with nothing that a caller or a server has added? */
bool rbr_wish_is_own(const struct rbr_wish *wish);

/* Is CREDENTIAL the token that was refused? */
bool rbr_wish_refuses(const struct rbr_wish *wish, const struct rbr_credential *credential);

/* Is CREDENTIAL, which is this account's, what was wished for? */
bool rbr_wish_takes(
	const struct rbr_context *context, const struct rbr_wish *wish, const struct rbr_credential *credential);

/* Makes the token's key afresh, which is all that a hit needs. RINGBEARER_E_SYSTEM. */
int rbr_wish_make_token_key(struct rbr_wish *wish) RBR_MUST_CHECK;

/* Makes both keys afresh. RINGBEARER_E_SYSTEM. */
int rbr_wish_make_keys(struct rbr_wish *wish, struct rbr_error *error) RBR_MUST_CHECK;

/* Is there a cached token that will do? */
bool rbr_wish_recall(const struct rbr_context *context, const struct rbr_wish *wish, struct rbr_credential *credential);

#endif
