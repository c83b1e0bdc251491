/* SPDX-License-Identifier: MIT */
/*
 * What etcd says, or whoever answers in its place. The first byte chooses: an answer with its pairs, a refusal, a line of a watch, or
 * the name of a key, whose item must be the one that has this key.
 *
 *    with: stores/etcd/etcd.c
 */
#include "config.h"

#include "fake-host.h"
#include "fuzz.h"
#include "modules/stores/etcd/answer.h"
#include "modules/stores/etcd/item.h"
#include "modules/stores/etcd/refusal.h"

#define PREFIX "/ringbearer/"

FUZZ_UP_TO(65536)

static const long statuses[] = {200, 400, 403, 404, 412, 429, 500, 503};

static void
try_answer(const char *text, size_t size)
{
	struct rbr_etcd_answer answer;
	struct rbr_etcd_pair pair;
	size_t i;

	if (!rbr_etcd_answer_read(text, size, &answer)) {
		FUZZ_EXPECT(!answer.object && !answer.pairs);
		return;
	}
	FUZZ_EXPECT(answer.object && answer.revision >= 0 && rbr_etcd_pair_count(&answer) <= RBR_ETCD_KEYS_MAX);
	for (i = 0; i < rbr_etcd_pair_count(&answer); i++) {
		if (!rbr_etcd_pair_read(&answer, i, &pair)) {
			FUZZ_EXPECT(!pair.key && !pair.value);
			continue;
		}
		FUZZ_EXPECT(pair.key && pair.key[0] != '\0' && pair.value && pair.changed > 0 && pair.lease >= 0);
		FUZZ_EXPECT(pair.value[pair.value_size] == '\0' && pair.value_size <= size);
		rbr_etcd_pair_wipe(&pair);
	}
	rbr_etcd_answer_wipe(&answer);
}

static void
try_refusal(uint8_t choice, const char *text, size_t size)
{
	const long status = statuses[choice / 4 % (sizeof statuses / sizeof *statuses)];
	char said[RBR_ETCD_SAID_MAX];
	enum rbr_etcd_refusal refusal = rbr_etcd_refusal_read(status, text, size, said);

	FUZZ_EXPECT(refusal <= RBR_ETCD_NO_GATEWAY && memchr(said, '\0', sizeof said));
	FUZZ_EXPECT(refusal != RBR_ETCD_AGREED || (status == 200 && said[0] == '\0'));
}

static void
try_key(char *text)
{
	static struct ringbearer_call call;
	static struct rbr_etcd etcd;
	static struct rbr_etcd_item again;
	char *key = fuzz_string((const uint8_t *)text, strlen(text));
	struct ringbearer_item item;

	fake_call_start(&call);
	fake_add(&call, "store_endpoint", "http://127.0.0.1:1");
	FUZZ_EXPECT(rbr_etcd_begin(&etcd, fake_host(), &call) == 0 && strcmp(etcd.prefix, PREFIX) == 0);
	if (rbr_etcd_item_unpack(&etcd, key, &item) && rbr_etcd_item_start(&etcd, &item, &again) == 0) {
		FUZZ_EXPECT(strncmp(again.base, text, again.size) == 0);
		FUZZ_EXPECT(strcmp(text + again.size, RBR_ETCD_VALUE) == 0);
	}
	free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum rbr_etcd_news news;
	char *text;

	if (size == 0)
		return 0;
	text = fuzz_string(data + 1, size - 1);
	switch (data[0] & 3) {
	case 0:
		try_answer(text, size - 1);
		break;
	case 1:
		try_refusal(data[0], text, size - 1);
		break;
	case 2:
		news = rbr_etcd_news_read(text, size - 1);
		FUZZ_EXPECT(news <= RBR_ETCD_NEWS_NONSENSE);
		break;
	default:
		try_key(text);
	}
	free(text);
	return 0;
}
