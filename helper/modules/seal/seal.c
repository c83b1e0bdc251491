/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "seal.h"

#include <sodium.h>
#include <string.h>

#define MAGIC "RBS"
#define FORMAT_VERSION 1
#define START_SIZE 4
#define HEAD_SIZE (START_SIZE + RBR_SEAL_ID_SIZE)
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SUM_SIZE 16
#define ID_WORDS "ringbearer: who a key is"

_Static_assert(HEAD_SIZE + NONCE_SIZE + TAG_SIZE + SUM_SIZE == RBR_SEAL_OVERHEAD, "the overhead is what the parts are");
_Static_assert(RBR_SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key is a key");

bool
rbr_seal_start(void)
{
	return sodium_init() >= 0;
}

void
rbr_seal_take_key(const unsigned char bytes[RBR_SEAL_KEY_SIZE], struct rbr_seal_key *ret_key)
{
	memcpy(ret_key->bytes, bytes, RBR_SEAL_KEY_SIZE);
	(void)crypto_generichash(ret_key->id, sizeof ret_key->id, (const unsigned char *)ID_WORDS, sizeof ID_WORDS - 1,
		bytes, RBR_SEAL_KEY_SIZE);
}

void
rbr_seal_make_key(struct rbr_seal_key *ret_key)
{
	unsigned char bytes[RBR_SEAL_KEY_SIZE];

	randombytes_buf(bytes, sizeof bytes);
	rbr_seal_take_key(bytes, ret_key);
	explicit_bzero(bytes, sizeof bytes);
}

void
rbr_seal_bind(const struct ringbearer_item *item, struct rbr_writer *binding)
{
	rbr_write(binding, item->account, strlen(item->account) + 1);
	rbr_write(binding, item->kind, strlen(item->kind) + 1);
	rbr_write(binding, item->client_id, strlen(item->client_id) + 1);
	rbr_write(binding, item->endpoint, strlen(item->endpoint) + 1);
}

/* The head, which stands in the clear, and the binding, which does not stand there at all. */
static size_t
additional(const unsigned char *head, const struct rbr_writer *binding,
	unsigned char data[HEAD_SIZE + RBR_SEAL_BINDING_MAX])
{
	size_t size = binding->used < RBR_SEAL_BINDING_MAX ? binding->used : RBR_SEAL_BINDING_MAX;

	memcpy(data, head, HEAD_SIZE);
	memcpy(data + HEAD_SIZE, binding->text, size);
	return HEAD_SIZE + size;
}

static void
sum_up(const unsigned char *sealed, size_t size, unsigned char sum[SUM_SIZE])
{
	(void)crypto_generichash(sum, SUM_SIZE, sealed, size, NULL, 0);
}

void
rbr_seal(const struct rbr_seal_key *key, const struct rbr_writer *binding, const void *value, size_t size,
	unsigned char *ret_sealed)
{
	unsigned char data[HEAD_SIZE + RBR_SEAL_BINDING_MAX];
	unsigned char *nonce = ret_sealed + HEAD_SIZE, *text = nonce + NONCE_SIZE;
	size_t data_size;

	memcpy(ret_sealed, MAGIC, START_SIZE - 1);
	ret_sealed[START_SIZE - 1] = FORMAT_VERSION;
	memcpy(ret_sealed + START_SIZE, key->id, RBR_SEAL_ID_SIZE);
	data_size = additional(ret_sealed, binding, data);
	randombytes_buf(nonce, NONCE_SIZE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		text, NULL, value, size, data, data_size, NULL, nonce, key->bytes);
	sum_up(ret_sealed, size + RBR_SEAL_OVERHEAD - SUM_SIZE, text + size + TAG_SIZE);
}

bool
rbr_seal_is_of(const struct rbr_seal_key *key, const unsigned char *sealed)
{
	return memcmp(sealed + START_SIZE, key->id, RBR_SEAL_ID_SIZE) == 0;
}

enum rbr_seal_state
rbr_seal_open(const struct rbr_seal_key *key, const struct rbr_writer *binding, const unsigned char *sealed,
	size_t size, unsigned char *ret_value)
{
	unsigned char data[HEAD_SIZE + RBR_SEAL_BINDING_MAX], sum[SUM_SIZE];
	size_t data_size, value_size;

	if (size < RBR_SEAL_OVERHEAD || memcmp(sealed, MAGIC, START_SIZE - 1) != 0)
		return RBR_SEAL_DAMAGED;
	sum_up(sealed, size - SUM_SIZE, sum);
	if (memcmp(sum, sealed + size - SUM_SIZE, SUM_SIZE) != 0)
		return sealed[START_SIZE - 1] > FORMAT_VERSION ? RBR_SEAL_LATER : RBR_SEAL_DAMAGED;
	if (sealed[START_SIZE - 1] != FORMAT_VERSION)
		return RBR_SEAL_LATER;
	if (!key)
		return RBR_SEAL_SOUND;
	if (!rbr_seal_is_of(key, sealed))
		return RBR_SEAL_OTHER_KEY;
	data_size = additional(sealed, binding, data);
	value_size = size - RBR_SEAL_OVERHEAD;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(ret_value, NULL, NULL, sealed + HEAD_SIZE + NONCE_SIZE,
		    value_size + TAG_SIZE, data, data_size, sealed + HEAD_SIZE, key->bytes) == 0)
		return RBR_SEAL_SOUND;
	explicit_bzero(ret_value, value_size);
	return RBR_SEAL_MOVED;
}
