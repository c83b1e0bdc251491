/* SPDX-License-Identifier: MIT */
/*
 * What etcd says, read strictly: 64-bit numbers are strings, members that would be zero, false or empty are left out, keys and
 * values are base64.
 */
#ifndef RBR_ETCD_ANSWER_H
#define RBR_ETCD_ANSWER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RBR_ETCD_KEYS_MAX 100000 /* in an answer */

struct rbr_etcd_answer {
	struct json_object *object;
	struct json_object *pairs; /* of the range, or the last range in a transaction; NULL: nothing was found */
	int64_t revision; /* of the store, as it answered; 0: not said */
	bool succeeded; /* a transaction's conditions are met */
};

/* A key with its value. */
struct rbr_etcd_pair {
	char *key; /* with a NUL behind; none inside */
	unsigned char *value;
	size_t value_size;
	int64_t changed; /* the revision that wrote it */
	int64_t lease; /* 0: none */
};

/* Reads SIZE bytes of TEXT. False if that is nothing that etcd would say. */
bool rbr_etcd_answer_read(const char *text, size_t size, struct rbr_etcd_answer *ret_answer);
void rbr_etcd_answer_wipe(struct rbr_etcd_answer *answer);

/* What a transaction has found by its response INDEX, which ANSWER has for its own. False if that is no range. */
bool rbr_etcd_answer_part(const struct rbr_etcd_answer *answer, size_t index, struct rbr_etcd_answer *ret_part);

/* How many pairs there are. */
size_t rbr_etcd_pair_count(const struct rbr_etcd_answer *answer);

/* The pair INDEX. False if it is malformed, or memory is short. */
bool rbr_etcd_pair_read(const struct rbr_etcd_answer *answer, size_t index, struct rbr_etcd_pair *ret_pair);
void rbr_etcd_pair_wipe(struct rbr_etcd_pair *pair);

/* A number that may be left out. False if it is there and none, or less than 0. */
bool rbr_etcd_number(struct json_object *object, const char *name, int64_t *ret_number);

/* What a line of a watch says. */
enum rbr_etcd_news {
	RBR_ETCD_NEWS_NONE, /* it has begun, or is still there */
	RBR_ETCD_NEWS_CHANGE,
	RBR_ETCD_NEWS_OVER, /* the watch has ended: what it asked for is gone, or its node has no leader */
	RBR_ETCD_NEWS_DENIED,
	RBR_ETCD_NEWS_NONSENSE,
};

/* Reads a line of a watch. */
enum rbr_etcd_news rbr_etcd_news_read(const char *line, size_t size);

#endif
