/* SPDX-License-Identifier: MIT */
/* A token endpoint's answer. The first byte chooses the status, the rest is the body. */
#include "config.h"

#include "fake-host.h"
#include "fuzz.h"
#include "modules/oauth/token_response.h"

static const long statuses[] = {200, 200, 200, 201, 302, 400, 400, 401, 403, 404, 429, 500, 503};

static void
check_tokens(const struct rbr_oauth *oauth, const struct ringbearer_tokens *tokens)
{
	const char *p;

	FUZZ_EXPECT(tokens->access_token && oauth->host->secret_size(tokens->access_token) > 0);
	for (p = oauth->host->secret_data(tokens->access_token); *p; p++)
		FUZZ_EXPECT(*p >= 0x21 && *p <= 0x7e);
	FUZZ_EXPECT((size_t)(p - oauth->host->secret_data(tokens->access_token)) ==
		oauth->host->secret_size(tokens->access_token));
	for (p = tokens->id_token ? oauth->host->secret_data(tokens->id_token) : ""; *p; p++)
		FUZZ_EXPECT(*p >= 0x21 && *p <= 0x7e);
	FUZZ_EXPECT(tokens->id_expires >= 0);
	FUZZ_EXPECT(strcmp(tokens->token_type, "Bearer") == 0);
	FUZZ_EXPECT(tokens->expires_in >= RINGBEARER_EXPIRES_UNKNOWN && tokens->expires_in <= RBR_EXPIRES_IN_MAX);
	for (p = tokens->scope ? oauth->host->secret_data(tokens->scope) : ""; *p; p++)
		FUZZ_EXPECT(*p >= 0x20 && *p <= 0x7e);
}

FUZZ_UP_TO(2 * RBR_HTTP_BODY_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ringbearer_call call;
	struct rbr_oauth oauth = {.host = fake_host(), .call = &call, .standing = true, .refreshing = true};
	struct ringbearer_tokens tokens = {.size = sizeof tokens, .expires_in = RINGBEARER_EXPIRES_UNKNOWN};
	struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;
	const char *p;
	int rc;

	if (size == 0)
		return 0;
	fake_call_start(&call);
	fake_set(&call, "token", "id_token");
	answer.status = statuses[data[0] % (sizeof statuses / sizeof statuses[0])];
	answer.body = oauth.host->secret_new(data + 1, size - 1);
	rc = rbr_token_response(&oauth, &answer, &tokens);
	FUZZ_EXPECT(rc == call.code && call.failures == (rc < 0));
	FUZZ_EXPECT(fuzz_is_printable(call.detail));
	if (rc == 0) {
		FUZZ_EXPECT(answer.status >= 200 && answer.status < 300);
		check_tokens(&oauth, &tokens);
	} else {
		/* A refresh token is kept whatever is wrong with the rest of the answer; it is clean all the same. */
		FUZZ_EXPECT(!tokens.access_token && !tokens.scope);
		rbr_token_salvage(&oauth, answer.body, &tokens);
		for (p = tokens.refresh_token ? oauth.host->secret_data(tokens.refresh_token) : ""; *p; p++)
			FUZZ_EXPECT(*p >= 0x20 && *p <= 0x7e);
	}
	oauth.host->secret_free(tokens.access_token);
	oauth.host->secret_free(tokens.refresh_token);
	oauth.host->secret_free(tokens.scope);
	oauth.host->secret_free(tokens.user);
	oauth.host->secret_free(tokens.id_token);
	oauth.host->secret_free(answer.body);
	FUZZ_EXPECT(fake_secrets() == 0);
	return 0;
}
