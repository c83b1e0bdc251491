/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "protocol/secret.h"

#define RETRY_AFTER_MAX 86400
/* Text is blotted before it is cut, so that no half of a secret stays at the end. */
#define TEXT_MAX 8192

void
rbr_call_start(
	struct ringbearer_call *call, struct rbr_context *context, const struct rbr_account *account, bool interactive)
{
	memset(call, 0, sizeof *call);
	call->context = context;
	call->account = account;
	call->interactive = interactive;
	call->deadline_ms = rbr_now_ms() + rbr_account_seconds(account, RBR_KEY_TIMEOUT) * 1000;
}

void
rbr_call_hide(struct ringbearer_call *call, const struct ringbearer_secret *secret)
{
	size_t i;

	for (i = 0; i < RBR_CALL_SECRETS_MAX; i++)
		if (!call->secrets[i]) {
			call->secrets[i] = secret;
			return;
		}
}

static void
redact(const struct ringbearer_call *call, char *text)
{
	size_t i;

	for (i = 0; i < RBR_CALL_SECRETS_MAX; i++)
		rbr_redact(text, call->secrets[i]);
}

static void
host_blot(struct ringbearer_call *call, char *text)
{
	redact(call, text);
}

static void host_log(struct ringbearer_call *call, enum ringbearer_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
host_log(struct ringbearer_call *call, enum ringbearer_log_level level, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	if (level == RINGBEARER_LOG_TRACE && !call->context->trace)
		return;
	va_start(arguments, format);
	if (vsnprintf(text, sizeof text, format, arguments) < 0)
		text[0] = '\0';
	va_end(arguments);
	redact(call, text);
	if (level == RINGBEARER_LOG_TRACE)
		rbr_trace(call->context, "%s", text);
	else
		rbr_warn(call->context, call->account->name, "%s", text);
}

static int host_fail(struct ringbearer_call *call, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int
host_fail(struct ringbearer_call *call, int code, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(text, sizeof text, format, arguments) < 0)
		text[0] = '\0';
	va_end(arguments);
	redact(call, text);
	return rbr_fail(&call->context->error, code, "%s", text);
}

static void
host_retry_after(struct ringbearer_call *call, long seconds)
{
	if (seconds < 0)
		seconds = 0;
	call->context->error.retry_after = seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds;
}

static const char *
host_config(struct ringbearer_call *call, const char *key, size_t index)
{
	const struct rbr_value *value = rbr_account_value(call->account, rbr_key_find(key), index);

	if (strcmp(key, "account") == 0)
		return index == 0 ? call->account->name : NULL;
	return value ? value->text : NULL;
}

static int64_t
host_remaining_ms(struct ringbearer_call *call)
{
	int64_t left = call->deadline_ms - rbr_now_ms();

	return left > 0 ? left : 0;
}

static bool
host_interactive(struct ringbearer_call *call)
{
	return call->interactive;
}

static const char *
host_secret_data(const struct ringbearer_secret *secret)
{
	return rbr_secret_string(secret);
}

static size_t
host_secret_size(const struct ringbearer_secret *secret)
{
	return secret->size;
}

const struct ringbearer_host *
rbr_host(void)
{
	static const struct ringbearer_host host = {
		.abi = RINGBEARER_MODULE_ABI,
		.size = sizeof host,
		.log = host_log,
		.fail = host_fail,
		.blot = host_blot,
		.retry_after = host_retry_after,
		.config = host_config,
		.remaining_ms = host_remaining_ms,
		.interactive = host_interactive,
		.secret_new = rbr_secret_new,
		.secret_append = rbr_secret_append,
		.secret_data = host_secret_data,
		.secret_size = host_secret_size,
		.secret_free = rbr_secret_free,
	};

	return &host;
}
