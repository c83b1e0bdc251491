/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "form.h"

#include <string.h>

static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

int
rbr_form_encode(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *value, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i, plain;
	int rc = 0;

	for (i = 0; rc == 0 && i < size; i++) {
		unsigned char c = (unsigned char)value[i];
		const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

		for (plain = 0; i + plain < size && value[i + plain] && strchr(unreserved, value[i + plain]); plain++)
			;
		if (plain > 0)
			rc = oauth->host->secret_append(out, value + i, plain);
		else if (c == ' ')
			rc = oauth->host->secret_append(out, "+", 1);
		else
			rc = oauth->host->secret_append(out, escape, sizeof escape);
		i += plain > 0 ? plain - 1 : 0;
	}
	return rc;
}

static int
add(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *name, const char *value, size_t size)
{
	int rc = oauth->host->secret_size(out) > 0 ? oauth->host->secret_append(out, "&", 1) : 0;

	if (rc == 0)
		rc = rbr_form_encode(oauth, out, name, strlen(name));
	if (rc == 0)
		rc = oauth->host->secret_append(out, "=", 1);
	return rc < 0 ? rc : rbr_form_encode(oauth, out, value, size);
}

int
rbr_form_add(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *name, const char *value)
{
	return value && *value ? add(oauth, out, name, value, strlen(value)) : 0;
}

int
rbr_form_add_secret(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *name,
	const struct ringbearer_secret *value)
{
	if (!value || oauth->host->secret_size(value) == 0)
		return 0;
	return add(oauth, out, name, oauth->host->secret_data(value), oauth->host->secret_size(value));
}

int
rbr_base64(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *value, size_t size)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char quad[4];
	size_t i, j;
	int rc = 0;

	for (i = 0; rc == 0 && i < size; i += 3) {
		unsigned bits = 0;

		for (j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < size ? (unsigned char)value[i + j] : 0);
		for (j = 0; j < 4; j++)
			quad[j] = i + j > size ? '=' : alphabet[bits >> (18 - 6 * j) & 63];
		rc = oauth->host->secret_append(out, quad, sizeof quad);
	}
	explicit_bzero(quad, sizeof quad);
	return rc;
}
