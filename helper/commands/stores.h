/* SPDX-License-Identifier: MIT */
/* Choosing a store, and seeing to one. */
#ifndef RBR_STORES_H
#define RBR_STORES_H

#include "accounts/account.h"
#include "cli/options.h"
#include "protocol/fastpath/context.h"

/* How many options of a command line say something of a store, and these options (the last has no name); each has the
 * value of its key, plus 1. */
#define RBR_STORE_OPTIONS 6
extern const struct option rbr_store_options[RBR_STORE_OPTIONS + 1];

/* Is WORD something that can be done to a store: init, unlock, lock? */
bool rbr_stores_knows(const char *word);

/* Does it: ARGV[0] is that word. */
int rbr_stores_see_to(struct rbr_context *context, int argc, char **argv) RBR_MUST_CHECK;

/* How the secrets of an account that is to be made are kept. */
struct rbr_choice_of_store {
	const char *kind; /* what a person has to give; NULL: nothing */
	bool login; /* and it needs a login */
	bool may_ask; /* a person may be asked which store */
	char chosen[64]; /* the store that a person has chosen; "" if they have not */
	bool given; /* others have put the secret there already: nobody need give it */
};

/*
 * Tries the store of ACCOUNT before anybody is asked for a secret. Where nobody has chosen one and there is no keyring service, a
 * person is asked for another, and is told which there are otherwise. RINGBEARER_E_STORE_…, RINGBEARER_E_CONFIG if the account
 * has secrets to keep that this store cannot.
 */
int rbr_stores_choose(struct rbr_context *context, struct rbr_account *account, struct rbr_choice_of_store *choice)
	RBR_MUST_CHECK;

#endif
