/* SPDX-License-Identifier: MIT */
/*
 * An account: what one name stands for. Its values come in layers, each above the one before: built-in defaults, what the
 * issuer says, the system's and the user's defaults for all accounts, the provider's file, the account's file, the request.
 */
#ifndef RBR_ACCOUNT_H
#define RBR_ACCOUNT_H

#include <limits.h>
#include <stdbool.h>

#include "cli/nearest.h"
#include "protocol/fastpath/locate.h"
#include "protocol/message.h"
#include "protocol/writer.h"

#define RBR_HINT_MAX 256
#define RBR_ISSUER_MAX 1024 /* bytes of an issuer identifier, with its NUL */
#define RBR_ACCOUNT_VALUES_MAX 128

enum rbr_key {
#define KEY(identifier, name, kind, repeats, initial, placeholder, help) RBR_KEY_##identifier,
#include "keys.def"
#undef KEY
	RBR_KEYS
};

struct rbr_key_info {
	const char *name;
	const char *kind;
	bool repeats;
	const char *initial;
	const char *placeholder;
	const char *help;
};

extern const struct rbr_key_info rbr_keys[RBR_KEYS];

/* The key called NAME, or -1. */
int rbr_key_find(const char *name);

/* Finds the known key that looks most like the wanted name. */
void rbr_key_nearest(struct rbr_nearest *nearest);

enum rbr_layer {
	RBR_LAYER_DEFAULT,
	RBR_LAYER_METADATA, /* what the issuer says of itself */
	RBR_LAYER_CONFIRMED, /* what of that a person confirmed at a login */
	RBR_LAYER_SYSTEM_DEFAULTS, /* the file `defaults` of the system, then the user's */
	RBR_LAYER_USER_DEFAULTS,
	RBR_LAYER_PROVIDER,
	RBR_LAYER_ACCOUNT,
	RBR_LAYER_REQUEST,
};

struct rbr_value {
	int key;
	enum rbr_layer layer;
	unsigned line; /* in the layer's file; 0 if it has none */
	char *text;
};

struct rbr_account {
	char name[RBR_ACCOUNT_NAME_MAX + 1];
	char path[PATH_MAX]; /* of the account's file; "" while there is none */
	char provider_path[PATH_MAX]; /* of the provider's file; "" if it has none */
	bool provider_shipped; /* it came with the program, and changes when that does */
	char issuer[RBR_ISSUER_MAX]; /* how the issuer writes itself, if not as the account does; "" otherwise */
	bool iss_required; /* the issuer says that it names itself in every authorization response */
	char denied_hint[RBR_HINT_MAX]; /* the provider's; "" if it has none */
	char rejected_hint[RBR_HINT_MAX];
	char needs[RBR_HINT_MAX]; /* keys that the provider wants for OAuth grants, separated by blanks */
	char grants[RBR_HINT_MAX]; /* those that its service is known to take, separated by blanks */
	struct rbr_value values[RBR_ACCOUNT_VALUES_MAX];
	size_t count;
};

#define RBR_ACCOUNT_EMPTY ((struct rbr_account){.count = 0})

void rbr_account_wipe(struct rbr_account *account);

/* Locates, reads and assembles the account NAME with all layers below the request. RET_ACCOUNT must be empty, and is
 * empty again after a failure.
 * RINGBEARER_E_NO_ACCOUNT, RINGBEARER_E_CONFIG. */
int rbr_account_load(const char *name, struct rbr_account *ret_account, struct rbr_error *error) RBR_MUST_CHECK;

/* The same from LINES (keys of the account's own layer) instead of a file; WHAT names their source. */
int rbr_account_assemble(const char *name, const struct rbr_message *lines, const char *what,
	struct rbr_account *ret_account, struct rbr_error *error) RBR_MUST_CHECK;

/* Puts a value of the issuer's metadata under what provider and account say. */
int rbr_account_learn(struct rbr_account *account, enum rbr_key key, const char *text, struct rbr_error *error)
	RBR_MUST_CHECK;

/* A person has confirmed TEXT, which metadata have for KEY. */
int rbr_account_confirm(struct rbr_account *account, enum rbr_key key, const char *text, struct rbr_error *error)
	RBR_MUST_CHECK;

/* Puts a value above all others, as a request does. */
int rbr_account_override(struct rbr_account *account, enum rbr_key key, const char *text, struct rbr_error *error)
	RBR_MUST_CHECK;

/* Takes those values away again. */
void rbr_account_plain(struct rbr_account *account);

/* The value of KEY that is in effect, or NULL. INDEX counts the values of a key that repeats, from 0. */
const struct rbr_value *rbr_account_value(const struct rbr_account *account, int key, size_t index);
const char *rbr_account_get(const struct rbr_account *account, enum rbr_key key);

/* Must KEY be set? RINGBEARER_E_CONFIG with a detail that says how to set it. */
int rbr_account_want(const struct rbr_account *account, enum rbr_key key, struct rbr_error *error) RBR_MUST_CHECK;

/* The value of a YES_NO key, and of a SECONDS key (-1: not set). */
bool rbr_account_yes(const struct rbr_account *account, enum rbr_key key);
int64_t rbr_account_seconds(const struct rbr_account *account, enum rbr_key key);

/* Writes all that says which store ACCOUNT has: two accounts of the same text have one. */
void rbr_account_write_store(const struct rbr_account *account, struct rbr_writer *out);

/* When a token of LIFETIME seconds should be renewed: so many seconds before its end (renew_ahead). */
int64_t rbr_account_renew_ahead(const struct rbr_account *account, int64_t lifetime);

/* RINGBEARER_E_NO_ACCOUNT, naming the account that may have been meant by NAME. */
int rbr_account_missing(const char *name, struct rbr_error *error);

/* Calls VISIT with the name of every account, each once, in no order, until it returns non-zero; returns that. */
typedef int (*rbr_account_visitor)(const char *name, void *data);
int rbr_account_visit(rbr_account_visitor visit, void *data, struct rbr_error *error);

#endif
