/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "refusal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "modules/json/json.h"

/* What etcd's codes (those of gRPC) and words mean; the first line that fits counts. */
static const struct {
	const char *words; /* that are in what it says; "": whatever it says */
	int code;
	enum rbr_etcd_refusal meaning;
} meanings[] = {
	{"no leader", 14, RBR_ETCD_LEADERLESS},
	{"", 14, RBR_ETCD_UNSURE}, /* request timed out, leader changed, server stopped, … */
	{"", 1, RBR_ETCD_UNSURE},
	{"", 2, RBR_ETCD_UNSURE},
	{"", 4, RBR_ETCD_UNSURE},
	{"", 10, RBR_ETCD_UNSURE},
	{"", 13, RBR_ETCD_UNSURE},
	{"too many requests", 8, RBR_ETCD_HURRIED},
	{"received message larger", 8, RBR_ETCD_LARGE},
	{"", 8, RBR_ETCD_FULL},
	{"", 7, RBR_ETCD_FORBIDDEN},
	{"", 16, RBR_ETCD_STALE},
	{"authentication failed", 3, RBR_ETCD_STRANGER},
	{"user name is empty", 3, RBR_ETCD_STRANGER},
	{"user name not found", 3, RBR_ETCD_STRANGER},
	{"revision of auth store is old", 3, RBR_ETCD_STALE},
	{"authentication is not enabled", 9, RBR_ETCD_OPEN},
	{"lease not found", 5, RBR_ETCD_LEASE_GONE},
	{"compacted", 11, RBR_ETCD_COMPACTED},
	{"too large", 3, RBR_ETCD_LARGE},
	{"user name not found", 9, RBR_ETCD_STRANGER},
};

static enum rbr_etcd_refusal
meaning_of(int64_t code, const char *said)
{
	size_t i;

	for (i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].code == code && strstr(said, meanings[i].words))
			return meanings[i].meaning;
	return RBR_ETCD_REFUSED;
}

enum rbr_etcd_refusal
rbr_etcd_refusal_read(long status, const char *body, size_t size, char ret_said[RBR_ETCD_SAID_MAX])
{
	struct json_object *object = rbr_json_parse(body, size);
	enum rbr_etcd_refusal meaning;
	const char *said;
	int64_t code = 0;

	ret_said[0] = '\0';
	if (!object)
		return RBR_ETCD_NO_GATEWAY;
	if (status == 200) {
		json_object_put(object);
		return RBR_ETCD_AGREED;
	}
	said = rbr_json_text(object, "message");
	if (!said)
		said = rbr_json_text(object, "error");
	if (said && rbr_json_number(object, "code", &code)) {
		(void)snprintf(ret_said, RBR_ETCD_SAID_MAX, "%s", said);
		meaning = meaning_of(code, said);
	} else {
		meaning = RBR_ETCD_NO_GATEWAY;
	}
	json_object_put(object);
	return meaning;
}
