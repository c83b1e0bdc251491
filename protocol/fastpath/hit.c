/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "hit.h"

#include <string.h>

#include "index.h"

/* Which account, if the request names it or the index knows it without doubt, and where its file is. */
static bool
find_account(struct rbr_context *context, const struct rbr_request *request, struct rbr_wish *wish)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	struct rbr_choice choice = RBR_CHOICE_EMPTY;
	bool settled;

	if (request->account) {
		/* One that is named together with a URL must be read to know whether it answers for it. */
		if (request->has_url || strlen(request->account) > RBR_ACCOUNT_NAME_MAX)
			return false;
		memcpy(wish->account, request->account, strlen(request->account) + 1);
		return rbr_account_locate(wish->account, &wish->located, NULL) == 0;
	}
	if (rbr_index_key(context, &request->url, &key, &settled) < 0 ||
		!rbr_index_choose(&key, &request->url, request->username, &choice) || choice.account[0] == '\0' ||
		choice.rival[0] != '\0')
		return false;
	memcpy(wish->account, choice.account, strlen(choice.account) + 1);
	return rbr_account_locate(wish->account, &wish->located, NULL) == 0 &&
		strcmp(wish->located.stamp, choice.stamp) == 0;
}

bool
rbr_hit(struct rbr_context *context, const struct rbr_request *request, enum rbr_urgency urgency, struct rbr_wish *wish,
	struct rbr_credential *ret_credential)
{
	wish->request = request;
	wish->urgency = request->rejected && urgency == RBR_IF_NEEDED ? RBR_REJECTED : urgency;
	wish->interactive = request->interactive;
	wish->refused = request->refused;
	if (request->scope && strlen(request->scope) >= sizeof wish->scope)
		return false;
	if (request->scope)
		memcpy(wish->scope, request->scope, strlen(request->scope) + 1);
	return find_account(context, request, wish) && rbr_wish_make_token_key(wish) == 0 && !request->wanted_scope &&
		rbr_wish_recall(context, wish, ret_credential);
}
