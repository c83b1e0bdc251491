/* SPDX-License-Identifier: MIT */
/*
 * A record as it comes out of the kernel's keyring or a file in memory, where any program of the same user can have put
 * it. What is handed out of one is a token that can be written into a line, and its times make no sum run over.
 *
 * link: -Wl,--wrap=rbr_keyring_search -Wl,--wrap=rbr_keyring_read -Wl,--wrap=rbr_memory_read
 */
#include "config.h"

#include "fuzz.h"
#include "protocol/cache.h"
#include "protocol/credential.h"
#include "protocol/keyring.h"
#include "protocol/memory.h"

static const uint8_t *record_data;
static size_t record_size;

long __wrap_rbr_keyring_search(uint64_t name);
bool __wrap_rbr_keyring_read(long serial, struct ringbearer_secret *payload);
bool __wrap_rbr_memory_read(uint64_t name, struct ringbearer_secret *payload);

long
__wrap_rbr_keyring_search(uint64_t name)
{
	return name ? 7 : -1;
}

bool
__wrap_rbr_keyring_read(long serial, struct ringbearer_secret *payload)
{
	(void)serial;
	return record_size <= RBR_KEYRING_PAYLOAD_MAX && rbr_secret_append(payload, record_data, record_size) == 0;
}

bool
__wrap_rbr_memory_read(uint64_t name, struct ringbearer_secret *payload)
{
	(void)name;
	return record_size <= RBR_MEMORY_PAYLOAD_MAX && rbr_secret_append(payload, record_data, record_size) == 0;
}

static void
check_credential(const struct rbr_credential *credential)
{
	static const struct rbr_clock clocks[] = {{0, 0}, {1700000000, 1000}, {INT64_C(999999999999), 999999999}};
	const char *p;
	size_t i;

	FUZZ_EXPECT(credential->type && credential->account && credential->token[0] != '\0');
	for (p = credential->token; *p; p++)
		FUZZ_EXPECT(*p >= 0x21 && *p <= 0x7e);
	for (i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
		int64_t left = rbr_credential_remaining(credential, clocks[i]);

		FUZZ_EXPECT(left >= 0);
		FUZZ_EXPECT(left > 0 || !rbr_credential_usable(credential, clocks[i], 1));
		(void)rbr_credential_usable(credential, clocks[i], -1);
		(void)rbr_credential_ageing(credential, clocks[i]);
	}
}

FUZZ_UP_TO(RBR_MEMORY_PAYLOAD_MAX + RBR_LINE_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	struct rbr_message newest = RBR_MESSAGE_EMPTY;

	record_data = data;
	record_size = size;
	FUZZ_EXPECT(rbr_secret_append_string(&key.text, "x") == 0);
	if (rbr_cache_read(&key, &credential.record)) {
		FUZZ_EXPECT(strcmp(rbr_message_get(&credential.record, "for"), "x") == 0);
		(void)rbr_cache_is_of_kind(&credential.record, "token");
		if (rbr_credential_from_record(&credential))
			check_credential(&credential);
	} else {
		FUZZ_EXPECT(credential.record.count == 0);
	}
	if (rbr_cache_read_newest(&key, &newest))
		FUZZ_EXPECT(strcmp(rbr_message_get(&newest, "for"), "x") == 0);
	rbr_message_wipe(&newest);
	rbr_credential_wipe(&credential);
	rbr_cache_key_wipe(&key);
	return 0;
}
