/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "verdict.h"

#include "person/log.h"

/* For how many seconds CODE counts for callers who come later; 0: not at all. */
static int64_t
shared_seconds(const struct rbr_error *error)
{
	switch (error->code) {
	case RINGBEARER_E_LOGIN_REQUIRED:
	case RINGBEARER_E_CLIENT_REJECTED:
	case RINGBEARER_E_ACCESS_DENIED:
	case RINGBEARER_E_INSUFFICIENT_SCOPE:
	case RINGBEARER_E_FORBIDDEN:
	case RINGBEARER_E_CONFIG:
		return RBR_VERDICT_SECONDS;
	case RINGBEARER_E_TEMPORARILY_UNAVAILABLE:
		return error->retry_after;
	default:
		return 0;
	}
}

void
rbr_verdict_share(
	const struct rbr_context *context, const struct rbr_cache_key *key, const char *account, bool everybodys)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	const struct rbr_error *error = &context->error;
	int64_t now = rbr_now_ms(), shared = everybodys ? shared_seconds(error) : 0;

	if (rbr_message_add(&record, "account", account) == 0 &&
		rbr_message_add(&record, "error", ringbearer_error_name(error->code)) == 0 &&
		rbr_message_add(&record, "detail", error->detail) == 0 &&
		rbr_message_add_number(&record, "retry_after", error->retry_after) == 0 &&
		rbr_message_add_number(&record, "at_ms", now) == 0 &&
		rbr_message_add_number(&record, "until_ms", now + shared * 1000) == 0)
		(void)rbr_cache_write(key, &record, shared > RBR_VERDICT_SECONDS ? shared : RBR_VERDICT_SECONDS);
}

int
rbr_verdict_recall(struct rbr_context *context, const struct rbr_cache_key *key, int64_t since_ms, bool everybodys)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	int64_t now = rbr_now_ms(), at, until;
	const char *name, *detail;

	if (!rbr_cache_read(key, &record))
		return 0;
	name = rbr_message_get(&record, "error");
	detail = rbr_message_get(&record, "detail");
	at = rbr_message_get_number(&record, "at_ms", 0);
	until = rbr_message_get_number(&record, "until_ms", 0);
	if (!name || !detail || at > now || !(at >= since_ms || (everybodys && now < until)))
		return 0;
	(void)rbr_fail(&context->error, rbr_error_from_name(name), "%s", detail);
	context->error.retry_after = (long)rbr_message_get_number(&record, "retry_after", 0);
	if (context->error.retry_after > 0) {
		int64_t left = at + (int64_t)context->error.retry_after * 1000 - now;

		context->error.retry_after = left > 0 ? (long)((left + 999) / 1000) : 0;
	}
	rbr_trace(context, "another process was told this %lld ms ago: %s", (long long)(now - at), name);
	return context->error.code;
}
