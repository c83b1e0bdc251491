/* SPDX-License-Identifier: MIT */
/*
 * Who has logged in: the first byte says whether the rest is base64url, or a token endpoint's answer with an ID token in it.
 * The name that comes out is short and can be shown.
 */
#include "config.h"

#include "fake-host.h"
#include "fuzz.h"
#include "modules/json/json.h"
#include "modules/oauth/identity.h"

#define DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static void
check_name(const struct rbr_oauth *oauth, struct json_object *answer)
{
	struct ringbearer_secret *name = answer ? rbr_identity(oauth, answer) : NULL;

	FUZZ_EXPECT(!name || (oauth->host->secret_size(name) > 0 && oauth->host->secret_size(name) < RBR_IDENTITY_MAX));
	FUZZ_EXPECT(!name || fuzz_is_printable(oauth->host->secret_data(name)));
	oauth->host->secret_free(name);
}

/* The rest as the claims of an ID token. */
static void
check_claims(const struct rbr_oauth *oauth, const char *claims)
{
	char *text = malloc(strlen(claims) + sizeof "{\"id_token\":\"h..s\"}");
	struct json_object *answer;

	FUZZ_EXPECT(text != NULL);
	(void)sprintf(text, "{\"id_token\":\"h.%s.s\"}", claims);
	answer = rbr_json_parse(text, strlen(text));
	check_name(oauth, answer);
	if (answer && rbr_json_text(answer, "id_token")) {
		int64_t expires = rbr_id_token_expires(oauth, rbr_json_text(answer, "id_token"));

		FUZZ_EXPECT(expires >= 0 && expires <= RBR_ID_EXPIRES_MAX);
	}
	json_object_put(answer);
	free(text);
}

FUZZ_UP_TO(RBR_ID_TOKEN_MAX + RBR_ID_TOKEN_MAX / 2)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ringbearer_call call;
	struct rbr_oauth oauth = {.host = fake_host(), .call = &call, .standing = true};
	struct ringbearer_secret *decoded;
	struct json_object *answer;
	char *text;

	if (size == 0)
		return 0;
	fake_call_start(&call);
	text = fuzz_string(data + 1, size - 1);
	if (data[0] & 1) {
		decoded = rbr_base64url_decode(&oauth, text, size - 1);
		FUZZ_EXPECT((decoded != NULL) == (strspn(text, DIGITS) == size - 1 && (size - 1) % 4 != 1));
		FUZZ_EXPECT(!decoded || oauth.host->secret_size(decoded) == (size - 1) * 6 / 8);
		oauth.host->secret_free(decoded);
		check_claims(&oauth, text);
	} else {
		answer = rbr_json_parse(text, size - 1);
		check_name(&oauth, answer);
		json_object_put(answer);
	}
	FUZZ_EXPECT(fake_secrets() == 0);
	free(text);
	return 0;
}
