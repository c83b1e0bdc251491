/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "spent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "protocol/cache.h"
#include "protocol/fastpath/context.h"

/* Who hands a token back asks for another at once; after that the other machines have that, too. */
#define SPENT_SECONDS 300
#define HASH_MAX 20

static int
make_key(struct rbr_cache_key *key, const char *account, const char *token)
{
	char hash[HASH_MAX] = "*";

	if (token)
		(void)snprintf(hash, sizeof hash, "%016" PRIx64, rbr_hash(token, strlen(token)));
	if (rbr_cache_key_add(key, "spent") < 0 || rbr_cache_key_add(key, account) < 0)
		return -1;
	return rbr_cache_key_add(key, hash);
}

void
rbr_spent_note(const char *account, const char *token)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	if (make_key(&key, account, token) == 0 && rbr_message_add(&record, "account", account) == 0 &&
		rbr_message_add_number(&record, "at_ms", rbr_now_ms()) == 0)
		(void)rbr_cache_write(&key, &record, SPENT_SECONDS);
}

bool
rbr_spent_has(const char *account, const char *token, int64_t obtained_ms)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key one = RBR_CACHE_KEY_EMPTY, all = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	if (make_key(&one, account, token) == 0 && rbr_cache_read(&one, &record))
		return true;
	return make_key(&all, account, NULL) == 0 && rbr_cache_read(&all, &record) &&
		obtained_ms <= rbr_message_get_number(&record, "at_ms", 0);
}
