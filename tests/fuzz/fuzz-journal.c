/* SPDX-License-Identifier: MIT */
/*
 * What runs leave for each other, as any program of the same user can have put it into the cache: the index of an origin, the
 * verdict that is shared, an answer that is parked, what a mark says. What is believed of it fits where it goes.
 *
 * link: -Wl,--wrap=rbr_cache_read -Wl,--wrap=rbr_cache_read_newest
 */
#include "config.h"

#include "fuzz.h"
#include "journal/rotation.h"
#include "journal/verdict.h"
#include "protocol/cache.h"
#include "protocol/fastpath/index.h"

static const uint8_t *record_data;
static size_t record_size;

bool __wrap_rbr_cache_read(const struct rbr_cache_key *key, struct rbr_message *record);
bool __wrap_rbr_cache_read_newest(const struct rbr_cache_key *key, struct rbr_message *record);

bool
__wrap_rbr_cache_read(const struct rbr_cache_key *key, struct rbr_message *record)
{
	(void)key;
	if (rbr_message_parse(record, (const char *)record_data, record_size, RBR_DIALECT_WIRE, "it",
		    RINGBEARER_E_SYSTEM, NULL) == 0)
		return true;
	rbr_message_wipe(record);
	return false;
}

bool
__wrap_rbr_cache_read_newest(const struct rbr_cache_key *key, struct rbr_message *record)
{
	return __wrap_rbr_cache_read(key, record);
}

static void
check_index(const struct rbr_cache_key *key)
{
	struct rbr_choice choice = RBR_CHOICE_EMPTY;
	struct rbr_url url;

	FUZZ_EXPECT(rbr_url_parse(&url, "https://example.com/a/b", "it", NULL) == 0);
	if (!rbr_index_choose(key, &url, "jane", &choice))
		return;
	FUZZ_EXPECT(memchr(choice.account, '\0', sizeof choice.account) != NULL);
	FUZZ_EXPECT(memchr(choice.stamp, '\0', sizeof choice.stamp) != NULL);
	FUZZ_EXPECT(memchr(choice.rival, '\0', sizeof choice.rival) != NULL);
	FUZZ_EXPECT(strchr(choice.account, '\x1f') == NULL && strchr(choice.stamp, '\x1f') == NULL);
}

static void
check_verdict(const struct rbr_cache_key *key)
{
	struct rbr_context context;
	int rc;

	memset(&context, 0, sizeof context);
	rc = rbr_verdict_recall(&context, key, 0, true);
	FUZZ_EXPECT(rc <= 0 && rc == context.error.code);
	FUZZ_EXPECT(fuzz_is_printable(context.error.detail));
	FUZZ_EXPECT(context.error.retry_after >= 0);
}

static void
check_rotation(void)
{
	static struct rbr_account account = {.name = "acme"};
	struct ringbearer_secret token = RBR_SECRET_EMPTY;
	struct rbr_message record = RBR_MESSAGE_EMPTY;
	struct rbr_rotation rotation;
	struct rbr_context context;
	struct rbr_clock sent;
	int64_t sent_ms;

	memset(&context, 0, sizeof context);
	FUZZ_EXPECT(rbr_secret_append_string(&token, "refresh") == 0);
	FUZZ_EXPECT(rbr_rotation_start(&rotation, &context, &account, "https://example.com/token") == 0);
	rbr_rotation_wish(&rotation, "5:token4:acme");
	rbr_rotation_use(&rotation, &token);
	FUZZ_EXPECT(rbr_rotation_uncertain_ms(&rotation) >= -1);
	if (rbr_rotation_recall(&rotation, &record, &sent, &sent_ms)) {
		FUZZ_EXPECT(rbr_message_get(&record, "bytes") != NULL);
		if (rbr_rotation_is_wished(&rotation, &record))
			FUZZ_EXPECT(strcmp(rbr_message_get(&record, "wish"), "5:token4:acme") == 0);
		(void)rbr_rotation_was_sent(&record, &token);
	}
	(void)rbr_rotation_is_dead(&rotation);
	rbr_message_wipe(&record);
	rbr_rotation_end(&rotation);
	rbr_secret_wipe(&token);
}

FUZZ_UP_TO(2 * RBR_LINE_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;

	record_data = data;
	record_size = size;
	FUZZ_EXPECT(rbr_cache_key_add(&key, "it") == 0);
	check_index(&key);
	check_verdict(&key);
	check_rotation();
	rbr_cache_key_wipe(&key);
	return 0;
}
