/* SPDX-License-Identifier: MIT */
/*
 * Where an item is in etcd, and how its values are kept there.
 *
 *     PREFIX ACCOUNT / KIND / CLIENT_ID / ENDPOINT / value         the value
 *                                                  / lease         who has the lease; gone with etcd's lease of its seconds
 *                                                  / record/NAME   a record; gone with etcd's lease of its seconds, if it has any
 *
 * The four members stand there percent-encoded, so that etcd's operators can give rights by account, and `list` needs no key.
 * All values are sealed (seal.h), and bound to the item, to which of these they are, and to the prefix.
 */
#ifndef RBR_ETCD_ITEM_H
#define RBR_ETCD_ITEM_H

#include "body.h"
#include "etcd.h"

#define RBR_ETCD_KEY_MAX 16384 /* bytes, with the NUL */
#define RBR_ETCD_VALUE "value"
#define RBR_ETCD_LEASE "lease"
#define RBR_ETCD_RECORD "record/"
#define RBR_ETCD_NAME_MAX 64 /* of one of these, with the NUL */

struct rbr_etcd_item {
	const struct ringbearer_item *item;
	char base[RBR_ETCD_KEY_MAX]; /* up to the last slash */
	size_t size; /* of it */
};

/* Sealed bytes. */
struct rbr_etcd_sealed {
	unsigned char *bytes;
	size_t size;
};

/* RINGBEARER_E_CONFIG if its names are too long. */
int rbr_etcd_item_start(const struct rbr_etcd *etcd, const struct ringbearer_item *item, struct rbr_etcd_item *ret_item)
	__attribute__((warn_unused_result));

/* "key": and the key NAME of the item; and "key": …, "range_end": … for all keys that begin with NAME. */
void rbr_etcd_add_key(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name);
void rbr_etcd_add_range(struct rbr_etcd_body *body, const struct rbr_etcd_item *item, const char *name);

/* The same for all keys that begin with TEXT, which is not empty and ends with a slash. */
void rbr_etcd_add_prefix(struct rbr_etcd_body *body, const char *text);

/* PREFIX and ACCOUNT with the slash behind, in KEY; all accounts if it is NULL. */
int rbr_etcd_account_key(const struct rbr_etcd *etcd, const char *account, char key[RBR_ETCD_KEY_MAX])
	__attribute__((warn_unused_result));

/* Takes the four members out of the KEY of a value, in place. False if it is none of ours. */
bool rbr_etcd_item_unpack(const struct rbr_etcd *etcd, char *key, struct ringbearer_item *ret_item);

/* The machine's key for sealed values, once it was asked for. RINGBEARER_E_STORE_… */
int rbr_etcd_find_key(const struct rbr_etcd *etcd) __attribute__((warn_unused_result));

/* Seals VALUE, bound to NAME of the item. */
int rbr_etcd_seal(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const char *name, const void *value,
	size_t size, struct rbr_etcd_sealed *ret_sealed) __attribute__((warn_unused_result));
void rbr_etcd_sealed_wipe(struct rbr_etcd_sealed *sealed);

/* Opens it. */
int rbr_etcd_open(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const char *name,
	const unsigned char *sealed, size_t size, struct ringbearer_secret **ret_value)
	__attribute__((warn_unused_result));

/* May what is sealed there be replaced? Not if another key, or a later version, can open it. */
int rbr_etcd_spare(const struct rbr_etcd *etcd, const struct rbr_etcd_item *item, const unsigned char *sealed,
	size_t size) __attribute__((warn_unused_result));

#endif
