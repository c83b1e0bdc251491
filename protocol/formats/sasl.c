/* SPDX-License-Identifier: MIT */
/*
 * The client's first message of two SASL mechanisms, in base64 on one line, for mail programs and scripts that speak
 * AUTH and AUTHENTICATE themselves: XOAUTH2, and OAUTHBEARER (RFC 7628 section 3.1).
 */
#include "config.h"

#include "formats.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define END "\x01" /* closes each key=value pair, and the message */

/* RFC 4648 section 4. */
static int
append_base64(struct ringbearer_secret *out, const char *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int rc = 0;

	for (; rc == 0 && size > 0; data += 3) {
		unsigned char bytes[3] = {0};
		char text[4];

		memcpy(bytes, data, size < 3 ? size : 3);
		text[0] = digits[bytes[0] >> 2];
		text[1] = digits[(bytes[0] & 3) << 4 | bytes[1] >> 4];
		text[2] = size > 1 ? digits[(bytes[1] & 15) << 2 | bytes[2] >> 6] : '=';
		text[3] = size > 2 ? digits[bytes[2] & 63] : '=';
		rc = rbr_secret_append(out, text, sizeof text);
		size -= size < 3 ? size : 3;
		explicit_bzero(bytes, sizeof bytes);
		explicit_bzero(text, sizeof text);
	}
	return rc;
}

/* Whose mailbox: the account's user name, else the one that was asked for. NULL: none that such a message can hold. */
static const char *
user_of(const struct rbr_answer *answer)
{
	const char *user = answer->credential->username ? answer->credential->username : answer->username, *p;

	for (p = user; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
	return user && *user ? user : NULL;
}

/* An authorization identity: "," and "=" have meanings of their own (RFC 5801 section 4). */
static int
append_saslname(struct ringbearer_secret *out, const char *name)
{
	int rc = 0;

	while (rc == 0 && *name) {
		size_t plain = strcspn(name, ",=");

		rc = rbr_secret_append(out, name, plain);
		name += plain;
		if (rc == 0 && *name)
			rc = rbr_secret_append_string(out, *name++ == ',' ? "=2C" : "=3D");
	}
	return rc;
}

/* auth=Bearer TOKEN, what closes the message, and all of it as base64. */
static int
finish(const struct rbr_answer *answer, struct ringbearer_secret *message, struct ringbearer_secret *out)
{
	int rc = rbr_secret_append_string(message, "auth=");

	if (rc == 0)
		rc = rbr_append_authorization(message, answer->credential);
	if (rc == 0)
		rc = rbr_secret_append_string(message, END END);
	if (rc == 0)
		rc = append_base64(out, message->data, message->size);
	return rc < 0 ? rc : rbr_secret_append(out, "\n", 1);
}

int
rbr_format_xoauth2(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret message = RBR_SECRET_EMPTY;
	const char *user = user_of(answer);
	int rc = user ? rbr_secret_append_string(&message, "user=") : RINGBEARER_E_CONFIG;

	if (rc == 0)
		rc = rbr_secret_append_string(&message, user);
	if (rc == 0)
		rc = rbr_secret_append_string(&message, END);
	return rc < 0 ? rc : finish(answer, &message, out);
}

int
rbr_format_oauthbearer(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret message = RBR_SECRET_EMPTY;
	const char *user = user_of(answer);
	char port[32];
	int rc = user ? rbr_secret_append_string(&message, "n,a=") : RINGBEARER_E_CONFIG;

	if (rc == 0)
		rc = append_saslname(&message, user);
	if (rc == 0)
		rc = rbr_secret_append_string(&message, "," END);
	if (rc == 0 && answer->host)
		rc = rbr_secret_append_string(&message, "host=");
	if (rc == 0 && answer->host)
		rc = rbr_secret_append_string(&message, answer->host);
	if (rc == 0 && answer->host)
		rc = rbr_secret_append_string(&message, END);
	(void)snprintf(port, sizeof port, "port=%u" END, answer->port);
	if (rc == 0 && answer->port != 0)
		rc = rbr_secret_append_string(&message, port);
	return rc < 0 ? rc : finish(answer, &message, out);
}
