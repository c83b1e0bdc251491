/* SPDX-License-Identifier: MIT */
/* What a keyring's item holds, which any program of the same user can have written. What is taken is what would be written. */
#include "config.h"

#include "fake-host.h"
#include "fuzz.h"
#include "modules/stores/secret-service/value.h"

FUZZ_UP_TO(2 * 65536)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ringbearer_call call;
	struct rbr_work work = {.host = fake_host(), .call = &call};
	struct ringbearer_secret *secret = NULL;
	SecretValue *value, *again;
	gsize again_size = 0;
	int rc;

	fake_call_start(&call);
	value = secret_value_new((const char *)data, (gssize)size, "text/plain");
	rc = rbr_value_decode(&work, value, &secret);
	FUZZ_EXPECT(rc == call.code && (secret == NULL) == (rc < 0) && fuzz_is_printable(call.detail));
	if (rc == 0) {
		again = rbr_value_encode(&work, secret);
		FUZZ_EXPECT(memcmp(secret_value_get(again, &again_size), data, size) == 0 && again_size == size);
		secret_value_unref(again);
		work.host->secret_free(secret);
	}
	FUZZ_EXPECT(fake_secrets() == 0);
	secret_value_unref(value);
	return 0;
}
