/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wish.h"

#include <string.h>

void
rbr_wish_wipe(struct rbr_wish *wish)
{
	rbr_cache_key_wipe(&wish->token_key);
	rbr_cache_key_wipe(&wish->verdict_key);
}

static int
make_key(struct rbr_cache_key *key, const char *kind, const struct rbr_wish *wish)
{
	const char *resource;
	size_t cursor = 0;
	int rc;

	rbr_cache_key_wipe(key);
	rc = rbr_cache_key_add(key, kind);
	if (rc == 0)
		rc = rbr_cache_key_add(key, wish->account);
	if (rc == 0)
		rc = rbr_cache_key_add(key, wish->located.stamp);
	if (rc == 0)
		rc = rbr_cache_key_add(key, wish->scope);
	while (rc == 0 && (resource = rbr_request_resource(wish->request, &cursor)))
		rc = rbr_cache_key_add(key, resource);
	return rc;
}

int
rbr_wish_make_token_key(struct rbr_wish *wish)
{
	return make_key(&wish->token_key, "token", wish);
}

int
rbr_wish_make_keys(struct rbr_wish *wish, struct rbr_error *error)
{
	int rc = rbr_wish_make_token_key(wish);

	if (rc == 0)
		rc = make_key(&wish->verdict_key, "verdict", wish);
	return rc < 0 ? rbr_fail_memory(error) : 0;
}

bool
rbr_wish_is_own(const struct rbr_wish *wish)
{
	size_t cursor = 0;

	return wish->scope[0] == '\0' && !rbr_request_resource(wish->request, &cursor);
}

bool
rbr_wish_refuses(const struct rbr_wish *wish, const struct rbr_credential *credential)
{
	return (wish->refused &&
		       (strcmp(wish->refused, credential->token) == 0 ||
			       (credential->id_token && strcmp(wish->refused, credential->id_token) == 0))) ||
		(wish->request->refused_ms != 0 && credential->obtained_ms <= wish->request->refused_ms);
}

/* Is the provider's file, of a kind that people write, what it was when the token was obtained? */
static bool
has_its_provider(const struct rbr_message *record)
{
	const char *path = rbr_message_get(record, "provider"), *then;
	char stamp[RBR_STAMP_MAX];

	if (!path)
		return true;
	then = rbr_message_get(record, "provider_stamp");
	(void)rbr_stamp(path, stamp);
	return then && strcmp(then, stamp) == 0;
}

bool
rbr_wish_takes(const struct rbr_context *context, const struct rbr_wish *wish, const struct rbr_credential *credential)
{
	bool newer = credential->obtained_ms >= context->started_ms;

	if (!rbr_credential_usable(credential, rbr_clock_now(), wish->request->min_valid))
		return false;
	if (rbr_wish_refuses(wish, credential))
		return newer && wish->urgency == RBR_SUSPECTED; /* the service has no other */
	if (wish->urgency == RBR_IF_NEEDED || newer)
		return true;
	return wish->urgency != RBR_FORCED && (wish->refused || wish->request->refused_ms != 0);
}

bool
rbr_wish_recall(const struct rbr_context *context, const struct rbr_wish *wish, struct rbr_credential *credential)
{
	long nowhere = 0;

	if (rbr_cache_read_again(&wish->token_key, wish->seen ? wish->seen : &nowhere, &credential->record) &&
		rbr_credential_from_record(credential) && has_its_provider(&credential->record) &&
		rbr_wish_takes(context, wish, credential))
		return true;
	rbr_credential_wipe(credential);
	return false;
}
