/* SPDX-License-Identifier: MIT */
/*
 * An account file and the provider file that it names: the input is the one, a line `---`, and the other. The provider is loaded
 * from here. Every value that gets through must suit its key.
 *
 * link: -Wl,--wrap=rbr_provider_load
 */
#include "config.h"

#include "accounts/keys.h"
#include "accounts/provider.h"
#include "fuzz.h"
#include "protocol/fastpath/url.h"

#define FENCE "\n---\n"

static const char *provider_text;
static size_t provider_size;

int __wrap_rbr_provider_load(const char *name, struct rbr_provider *ret_provider, struct rbr_error *error);

int
__wrap_rbr_provider_load(const char *name, struct rbr_provider *ret_provider, struct rbr_error *error)
{
	(void)name;
	strcpy(ret_provider->path, "provider");
	return rbr_message_parse(&ret_provider->lines, provider_text, provider_size, RBR_DIALECT_FILE, "provider",
		RINGBEARER_E_CONFIG, error);
}

static void
check_account(const struct rbr_account *account)
{
	static const enum rbr_key endpoints[] = {RBR_KEY_TOKEN_ENDPOINT, RBR_KEY_AUTHORIZATION_ENDPOINT,
		RBR_KEY_REVOCATION_ENDPOINT, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT, RBR_KEY_ISSUER};
	struct rbr_url url;
	size_t i;

	FUZZ_EXPECT(strcmp(account->name, "fuzzed") == 0);
	FUZZ_EXPECT(rbr_account_get(account, RBR_KEY_GRANT) != NULL);
	FUZZ_EXPECT(rbr_account_seconds(account, RBR_KEY_TIMEOUT) >= 1);
	FUZZ_EXPECT(rbr_account_renew_ahead(account, 3600) >= 0);
	for (i = 0; i < account->count; i++) {
		const struct rbr_value *value = &account->values[i];
		struct rbr_error error = {0};

		FUZZ_EXPECT(value->key >= 0 && value->key < RBR_KEYS);
		FUZZ_EXPECT(rbr_key_check(&rbr_keys[value->key], value->text, "here", &error) == 0);
		FUZZ_EXPECT(rbr_account_value(account, value->key, 0) != NULL);
	}
	for (i = 0; i < RBR_ARRAY_SIZE(endpoints); i++) {
		const char *text = rbr_account_get(account, endpoints[i]);

		FUZZ_EXPECT(!text || (rbr_url_parse(&url, text, "it", NULL) == 0 && rbr_url_is_safe(&url)));
	}
}

FUZZ_UP_TO(3 * RBR_MESSAGE_FILE_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_message lines = RBR_MESSAGE_EMPTY;
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_error error = {0};
	char *text = fuzz_string(data, size);
	const char *fence = memmem(text, size, FENCE, sizeof FENCE - 1);
	size_t account_size = fence ? (size_t)(fence - text) : size;
	int rc;

	provider_text = fence ? fence + sizeof FENCE - 1 : text + size;
	provider_size = size - (size_t)(provider_text - text);
	rc = rbr_message_parse(&lines, text, account_size, RBR_DIALECT_FILE, "it", RINGBEARER_E_CONFIG, &error);
	if (rc == 0)
		rc = rbr_account_assemble("fuzzed", &lines, "it", &account, &error);
	FUZZ_EXPECT(rc == error.code && fuzz_is_printable(error.detail));
	FUZZ_EXPECT(rc == 0 || rc == RINGBEARER_E_CONFIG);
	FUZZ_EXPECT(rc == 0 || error.detail[0] != '\0');
	if (rc == 0)
		check_account(&account);
	else
		FUZZ_EXPECT(account.count == 0);
	rbr_account_wipe(&account);
	rbr_message_wipe(&lines);
	free(text);
	return 0;
}
