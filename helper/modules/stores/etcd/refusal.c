/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "refusal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "modules/json/json.h"

/* What etcd's codes (those of gRPC) and words mean; the first line that fits counts. */
static const struct {
	int code;
	const char *words; /* that are in what it says; "": whatever it says */
	enum rbr_etcd_refusal meaning;
} meanings[] = {
	{14, "no leader", RBR_ETCD_LEADERLESS},
	{14, "", RBR_ETCD_UNSURE}, /* request timed out, leader changed, server stopped, … */
	{1, "", RBR_ETCD_UNSURE},
	{2, "", RBR_ETCD_UNSURE},
	{4, "", RBR_ETCD_UNSURE},
	{10, "", RBR_ETCD_UNSURE},
	{13, "", RBR_ETCD_UNSURE},
	{8, "too many requests", RBR_ETCD_HURRIED},
	{8, "received message larger", RBR_ETCD_LARGE},
	{8, "", RBR_ETCD_FULL},
	{7, "", RBR_ETCD_FORBIDDEN},
	{16, "", RBR_ETCD_STALE},
	{3, "authentication failed", RBR_ETCD_STRANGER},
	{3, "user name is empty", RBR_ETCD_STRANGER},
	{3, "user name not found", RBR_ETCD_STRANGER},
	{9, "authentication is not enabled", RBR_ETCD_OPEN},
	{5, "lease not found", RBR_ETCD_LEASE_GONE},
	{11, "compacted", RBR_ETCD_COMPACTED},
	{3, "too large", RBR_ETCD_LARGE},
	{9, "user name not found", RBR_ETCD_STRANGER},
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
