/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "fake-host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/secret.h"

struct ringbearer_call fake_call;
struct rbr_oauth fake_oauth;

static int secrets;
static int fails_at = -1;

static void fake_log(struct ringbearer_call *call, enum ringbearer_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
fake_log(struct ringbearer_call *call, enum ringbearer_log_level level, const char *format, ...)
{
	char text[FAKE_DETAIL_MAX];
	va_list arguments;

	(void)level;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	call->logs++;
}

static int fake_fail(struct ringbearer_call *call, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int
fake_fail(struct ringbearer_call *call, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(call->detail, sizeof call->detail, format, arguments);
	va_end(arguments);
	call->code = code;
	call->failures++;
	return code;
}

static void
fake_blot(struct ringbearer_call *call, char *text)
{
	(void)call;
	(void)text;
}

static void
fake_clean(struct ringbearer_call *call, char *text)
{
	(void)call;
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

static void
fake_retry_after(struct ringbearer_call *call, long seconds)
{
	call->retry_after = seconds;
}

static const char *
fake_config(struct ringbearer_call *call, const char *key, size_t index)
{
	size_t i;

	for (i = 0; i < FAKE_CONFIG_MAX; i++)
		if (call->config[i].key && strcmp(call->config[i].key, key) == 0 && index-- == 0)
			return call->config[i].value;
	return NULL;
}

static int
fake_endpoint(struct ringbearer_call *call, const char *key, const char **ret_url)
{
	*ret_url = fake_config(call, key, 0);
	return 0;
}

static int
fake_trust(struct ringbearer_call *call, const char *path)
{
	(void)call;
	(void)path;
	return 0;
}

static int64_t
fake_remaining_ms(struct ringbearer_call *call)
{
	(void)call;
	return 30000;
}

static bool
fake_interactive(struct ringbearer_call *call)
{
	(void)call;
	return false;
}

static struct ringbearer_secret *
fake_secret_new(const void *data, size_t size)
{
	struct ringbearer_secret *secret;

	if (fails_at >= 0 && fails_at-- == 0)
		return NULL;
	secret = rbr_secret_new(data, size);
	secrets += secret != NULL;
	return secret;
}

static const char *
fake_secret_data(const struct ringbearer_secret *secret)
{
	return rbr_secret_string(secret);
}

static size_t
fake_secret_size(const struct ringbearer_secret *secret)
{
	return secret->size;
}

static void
fake_secret_free(struct ringbearer_secret *secret)
{
	secrets -= secret != NULL;
	rbr_secret_free(secret);
}

const struct ringbearer_host *
fake_host(void)
{
	static const struct ringbearer_host host = {
		.abi = RINGBEARER_MODULE_ABI,
		.size = sizeof host,
		.log = fake_log,
		.fail = fake_fail,
		.blot = fake_blot,
		.clean = fake_clean,
		.retry_after = fake_retry_after,
		.config = fake_config,
		.endpoint = fake_endpoint,
		.trust = fake_trust,
		.remaining_ms = fake_remaining_ms,
		.interactive = fake_interactive,
		.secret_new = fake_secret_new,
		.secret_append = rbr_secret_append,
		.secret_data = fake_secret_data,
		.secret_size = fake_secret_size,
		.secret_free = fake_secret_free,
	};

	return &host;
}

void
fake_call_start(struct ringbearer_call *call)
{
	secrets = 0;
	memset(call, 0, sizeof *call);
	call->retry_after = -1;
	fake_add(call, "account", "acme");
	fake_add(call, "client_auth", "client_secret_basic");
	fake_add(call, "basic_encoding", "rfc");
	fake_add(call, "token_type_required", "yes");
}

void
fake_add(struct ringbearer_call *call, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < FAKE_CONFIG_MAX; i++)
		if (!call->config[i].key) {
			call->config[i].key = key;
			call->config[i].value = value;
			return;
		}
	abort();
}

void
fake_set(struct ringbearer_call *call, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < FAKE_CONFIG_MAX; i++)
		if (call->config[i].key && strcmp(call->config[i].key, key) == 0) {
			call->config[i].key = value ? key : NULL;
			call->config[i].value = value;
			return;
		}
	if (value)
		fake_add(call, key, value);
}

int
fake_secrets(void)
{
	return secrets;
}

void
fake_fail_secret(int count)
{
	fails_at = count;
}

int
fake_enter(void **state)
{
	(void)state;
	fake_call_start(&fake_call);
	fake_oauth = (struct rbr_oauth){.host = fake_host(), .call = &fake_call};
	return 0;
}

int
fake_leave(void **state)
{
	(void)state;
	fake_fail_secret(-1);
	return fake_secrets();
}
