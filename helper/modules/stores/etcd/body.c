/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "body.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define CHUNK 3072 /* bytes that are written in base64 at a time: no padding between them */

struct rbr_etcd_body
rbr_etcd_body_start(const struct rbr_etcd *etcd)
{
	struct rbr_etcd_body body = {.etcd = etcd, .text = etcd->host->secret_new("", 0)};

	body.failed = !body.text;
	return body;
}

void
rbr_etcd_body_wipe(struct rbr_etcd_body *body)
{
	body->etcd->host->secret_free(body->text);
	body->text = NULL;
}

int
rbr_etcd_body_check(const struct rbr_etcd_body *body)
{
	return body->failed ? rbr_etcd_no_memory(body->etcd) : 0;
}

static void
add(struct rbr_etcd_body *body, const char *text, size_t size)
{
	if (!body->failed && body->etcd->host->secret_append(body->text, text, size) < 0)
		body->failed = true;
}

void
rbr_etcd_add(struct rbr_etcd_body *body, const char *text)
{
	add(body, text, strlen(text));
}

void
rbr_etcd_add_bytes(struct rbr_etcd_body *body, const void *bytes, size_t size)
{
	char text[sodium_base64_ENCODED_LEN(CHUNK, sodium_base64_VARIANT_ORIGINAL)];
	const unsigned char *from = bytes;
	size_t part;

	add(body, "\"", 1);
	for (; size > 0; from += part, size -= part) {
		part = size < CHUNK ? size : CHUNK;
		(void)sodium_bin2base64(text, sizeof text, from, part, sodium_base64_VARIANT_ORIGINAL);
		add(body, text, strlen(text));
	}
	add(body, "\"", 1);
}

void
rbr_etcd_add_text(struct rbr_etcd_body *body, const char *text, size_t size)
{
	char escaped[8];
	size_t i;

	add(body, "\"", 1);
	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == '"' || c == '\\') {
			(void)snprintf(escaped, sizeof escaped, "\\u%04x", c);
			add(body, escaped, strlen(escaped));
		} else {
			add(body, text + i, 1);
		}
	}
	explicit_bzero(escaped, sizeof escaped);
	add(body, "\"", 1);
}

void
rbr_etcd_add_number(struct rbr_etcd_body *body, int64_t number)
{
	char text[32];
	int size = snprintf(text, sizeof text, "\"%" PRId64 "\"", number);

	add(body, text, (size_t)size);
}
