/* SPDX-License-Identifier: MIT */
/*
 * What a machine keeps for a store that is elsewhere: the key that values are sealed with before they leave the machine, and the
 * password of the machine's user there. Both rest in a store of this machine, `store_local`, in one item each for all accounts of the
 * store that is elsewhere:
 *
 *   account    store:NAME, which can be no account's name
 *   kind       RINGBEARER_LOCAL_SEAL or RINGBEARER_LOCAL_PASSWORD
 *   client_id  "none" for the key, `store_user` for the password
 *   endpoint   `store_prefix` for the key: what is below it is sealed with it. All of `store_endpoint`, sorted, for the
 *              password: it is sent nowhere else
 */
#ifndef RBR_LOCAL_H
#define RBR_LOCAL_H

#include "host.h"
#include "loader.h"

#define RBR_LOCAL_KEY_SIZE 64 /* hexadecimal digits */
#define RBR_LOCAL_ACCOUNT_MAX 96
#define RBR_LOCAL_ENDPOINT_MAX 4096

struct rbr_local {
	struct ringbearer_call *call;
	struct rbr_store store; /* the local one */
	const char *store_name;
	struct ringbearer_item item;
	char account[RBR_LOCAL_ACCOUNT_MAX];
	char endpoint[RBR_LOCAL_ENDPOINT_MAX];
	char label[RBR_LOCAL_ACCOUNT_MAX + 64];
};

/* Opens the local store of CALL's account for what is of KIND. RINGBEARER_E_CONFIG if that store is none of this machine, or no
 * `store_user` is set for a password; RINGBEARER_E_MODULE. */
int rbr_local_open(struct ringbearer_call *call, const char *kind, struct rbr_local *ret_local) RBR_MUST_CHECK;

/* RINGBEARER_E_NO_SECRET, naming the commands that bring it here; RINGBEARER_E_STORE_… */
int rbr_local_lookup(struct rbr_local *local, struct ringbearer_secret **ret_value) RBR_MUST_CHECK;

/* Keeps VALUE, reads it back and compares. RINGBEARER_E_CONFIG if that store is only read, RINGBEARER_E_STORE_… */
int rbr_local_keep(struct rbr_local *local, const struct ringbearer_secret *value) RBR_MUST_CHECK;

/* May VALUE be what is of KIND? A key gets small digits. RINGBEARER_E_MALFORMED_REQUEST. */
int rbr_local_check(const char *kind, struct ringbearer_secret *value, struct rbr_error *error) RBR_MUST_CHECK;

/* What people call what is of KIND. */
const char *rbr_local_label(const char *kind);

/* What people call the local store: "the keyring", "the store `file`". */
#define RBR_LOCAL_NAME_MAX 80
const char *rbr_local_name(const struct rbr_local *local, char name[RBR_LOCAL_NAME_MAX]);

/* The command of a person that does WORD ("import", …) for this very store, for messages. */
#define RBR_LOCAL_COMMAND_MAX 512
const char *rbr_local_command(const struct rbr_account *account, const char *word, char text[RBR_LOCAL_COMMAND_MAX]);

#endif
