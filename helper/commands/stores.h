/* SPDX-License-Identifier: MIT */
/* Choosing a store, and seeing to one. */
#ifndef RBR_STORES_H
#define RBR_STORES_H

#include "accounts/keys.h"
#include "cli/options.h"
#include "protocol/fastpath/context.h"

/* Options that say something of a store: one for each key that does, with the key plus 1 as its value. */
struct rbr_store_options {
	struct option list[RBR_KEYS + 2];
	char names[RBR_KEYS][RBR_KEY_OPTION_MAX];
};

/* Fills OPTIONS, with MORE as well, unless it is NULL; for rbr_option(). */
const struct option *rbr_store_options(struct rbr_store_options *options, const struct option *more);

/* What a command line says with them. */
#define RBR_STORE_SETTINGS_MAX 32
struct rbr_store_settings {
	struct {
		enum rbr_key key;
		const char *text;
	} list[RBR_STORE_SETTINGS_MAX];
	size_t count;
};

/* Notes TEXT for KEY; in the place of what was there, unless the key repeats. RINGBEARER_E_USAGE. */
int rbr_store_settings_add(struct rbr_context *context, enum rbr_key key, const char *text,
	struct rbr_store_settings *settings) RBR_MUST_CHECK;

/* What was noted for KEY; NULL: nothing. */
const char *rbr_store_settings_get(const struct rbr_store_settings *settings, enum rbr_key key);

/*
 * The account that a command line goes by that sees to a store: the one that is named behind the options, else one that stands for
 * all and has what the files of defaults say; with SETTINGS above it, and as much time as a person takes. Where nobody has
 * chosen a store, it is the one called OTHERWISE. RET_ACCOUNT must be empty.
 */
int rbr_stores_account(struct rbr_context *context, int argc, char **argv, struct rbr_store_settings *settings,
	const char *otherwise, struct rbr_account *ret_account) RBR_MUST_CHECK;

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
