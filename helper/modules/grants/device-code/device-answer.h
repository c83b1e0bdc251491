/* SPDX-License-Identifier: MIT */
/* What a device authorization endpoint's answer says (RFC 8628 section 3.2), read with a token answer's leniency. */
#ifndef RBR_DEVICE_ANSWER_H
#define RBR_DEVICE_ANSWER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define RBR_DEVICE_TEXT_MAX 2048 /* of an address, with its NUL; a code is far shorter */
#define RBR_DEVICE_INTERVAL_DEFAULT 5 /* seconds (section 3.2) */
#define RBR_DEVICE_INTERVAL_MAX 300
#define RBR_DEVICE_EXPIRES_MAX 1800 /* seconds that a login waits at most, however long the code lives */

struct rbr_device_answer {
	const char *device_code; /* never shown; the texts belong to the object */
	const char *user_code;
	const char *uri;
	const char *complete; /* the address that has the code in it; NULL: none */
	int64_t interval;
	int64_t expires_in;
};

/* Fills RET_ANSWER from OBJECT. Addresses are https, or http to a loopback literal where PLAIN_HTTP, and made of a URL's characters
 * only: they go to a terminal and into a picture. False if there is no code, or no such address. Bytes of a stranger:
 * fuzz-device. */
bool rbr_device_answer_read(struct json_object *object, bool plain_http, struct rbr_device_answer *ret_answer);

#endif
