/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "value.h"

#include <string.h>

#define VALUE_PREFIX "ringbearer1:"
#define CONTENT_TYPE "text/plain"

static char *
encode(const struct ringbearer_host *host, const struct ringbearer_secret *secret, gsize *ret_size)
{
	gchar *base64 = g_base64_encode((const guchar *)host->secret_data(secret), host->secret_size(secret)), *p;
	gchar *value;

	for (p = base64; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	value = g_strconcat(VALUE_PREFIX, base64, NULL);
	explicit_bzero(base64, strlen(base64));
	g_free(base64);
	*ret_size = strlen(value);
	return value;
}

SecretValue *
rbr_value_encode(const struct rbr_work *work, const struct ringbearer_secret *secret)
{
	SecretValue *value;
	gsize size;
	char *text = encode(work->host, secret, &size);

	value = secret_value_new(text, (gssize)size, CONTENT_TYPE); /* copies into memory that is locked */
	explicit_bzero(text, size);
	g_free(text);
	return value;
}

static int
fail_foreign(struct rbr_work *work)
{
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring's item is not one that ringbearer wrote; remove it in the keyring's viewer and give the secret again");
}

/* g_base64_decode() passes over what it does not know: only what encode() would have written counts. */
int
rbr_value_decode(struct rbr_work *work, SecretValue *value, struct ringbearer_secret **ret_secret)
{
	const struct ringbearer_host *host = work->host;
	struct ringbearer_secret *secret;
	gsize size = 0, decoded_size = 0;
	const char *text = secret_value_get(value, &size);
	guchar *decoded;
	gsize again_size;
	gboolean same;
	char *base64, *again, *p;

	if (size < sizeof VALUE_PREFIX - 1 || strncmp(text, VALUE_PREFIX, sizeof VALUE_PREFIX - 1) != 0)
		return fail_foreign(work);
	base64 = g_strndup(text + sizeof VALUE_PREFIX - 1, size - (sizeof VALUE_PREFIX - 1));
	for (p = base64; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	decoded = g_base64_decode(base64, &decoded_size);
	secret = host->secret_new(decoded, decoded_size);
	explicit_bzero(base64, strlen(base64));
	explicit_bzero(decoded, decoded_size);
	g_free(base64);
	g_free(decoded);
	if (!secret)
		return host->fail(work->call, RINGBEARER_E_SYSTEM, "out of memory");
	again = encode(host, secret, &again_size);
	same = decoded_size > 0 && again_size == size && memcmp(again, text, size) == 0;
	explicit_bzero(again, again_size);
	g_free(again);
	if (!same) {
		host->secret_free(secret);
		return fail_foreign(work);
	}
	*ret_secret = secret;
	return 0;
}
