/* SPDX-License-Identifier: MIT */
/*
 * The device grant's answers: the input is the one with the code, a line `---`, and the one to the first question for the
 * token; the first byte chooses both statuses. What a person is shown to open and to type is nothing but that.
 *
 * with: oauth/grant.c grants/device-code/device-code.c
 * link: -Wl,--wrap=rbr_http_post -Wl,--wrap=rbr_oauth_now_ms -Wl,--wrap=nanosleep
 */
#include "config.h"

#include "fake-host.h"
#include "fuzz.h"
#include "modules/oauth/http.h"

#include <time.h>

#define FENCE "\n---\n"

static const long statuses[] = {200, 201, 400, 401, 403, 429, 500, 302};
static const char refused[] = "{\"error\":\"access_denied\"}";

static struct ringbearer_host table;
static const char *answers[2];
static size_t sizes[2];
static long status[2];
static unsigned asked;
static int64_t now;

int __wrap_rbr_http_post(const struct rbr_oauth *oauth, const char *key, const struct ringbearer_secret *body,
	const struct ringbearer_secret *authorization, enum rbr_replay replay, struct rbr_http_answer *ret_answer);
int64_t __wrap_rbr_oauth_now_ms(void);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

int
__wrap_rbr_http_post(const struct rbr_oauth *oauth, const char *key, const struct ringbearer_secret *body,
	const struct ringbearer_secret *authorization, enum rbr_replay replay, struct rbr_http_answer *ret_answer)
{
	unsigned turn = asked++;

	(void)authorization;
	(void)replay;
	FUZZ_EXPECT(key && body);
	ret_answer->status = turn < 2 ? status[turn] : 400;
	ret_answer->body = turn < 2 ? oauth->host->secret_new(answers[turn], sizes[turn])
				    : oauth->host->secret_new(refused, sizeof refused - 1);
	FUZZ_EXPECT(ret_answer->body != NULL);
	return 0;
}

int64_t
__wrap_rbr_oauth_now_ms(void)
{
	return now += 5000;
}

int
__wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)wanted;
	(void)left;
	return 0;
}

/* Lines of our own around one address and one code. */
static void
tell(struct ringbearer_call *call, const char *format, ...)
{
	char text[4096];
	va_list arguments;
	const char *p;

	(void)call;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	for (p = text; *p; p++)
		FUZZ_EXPECT(*p == '\n' || (unsigned char)*p >= 0x80 || (*p >= 0x20 && *p <= 0x7e));
}

static void
progress(struct ringbearer_call *call, const char *text)
{
	(void)call;
	FUZZ_EXPECT(fuzz_is_printable(text));
}

static void
hide(struct ringbearer_call *call, const void *data, size_t size)
{
	(void)call;
	FUZZ_EXPECT(memchr(data, '\0', size) == NULL);
}

FUZZ_UP_TO(RBR_HTTP_BODY_MAX / 2)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ringbearer_call call;
	static const struct ringbearer_grant *grant;
	struct ringbearer_grant_input input = {.size = sizeof input};
	struct ringbearer_tokens tokens = {.size = sizeof tokens};
	const char *fence;
	char *text;
	int rc;

	if (size == 0)
		return 0;
	if (!grant) {
		table = *fake_host();
		table.tell = tell;
		table.progress = progress;
		table.hide = hide;
		grant = ringbearer_module_init(RINGBEARER_MODULE_ABI, &table)->operations;
	}
	text = fuzz_string(data + 1, size - 1);
	fence = memmem(text, size - 1, FENCE, sizeof FENCE - 1);
	answers[0] = text;
	sizes[0] = fence ? (size_t)(fence - text) : size - 1;
	answers[1] = fence ? fence + sizeof FENCE - 1 : text + size - 1;
	sizes[1] = size - 1 - (size_t)(answers[1] - text);
	status[0] = statuses[data[0] % 8];
	status[1] = statuses[data[0] / 8 % 8];
	asked = 0;
	now = 0;
	fake_call_start(&call);
	fake_set(&call, "client_auth", "none");
	fake_add(&call, "client_id", "id");
	fake_add(&call, "token_endpoint", "https://login.example.com/token");
	fake_add(&call, "device_authorization_endpoint", "https://login.example.com/device");
	rc = grant->authorize(&call, &input, &tokens);
	FUZZ_EXPECT(rc == call.code && fuzz_is_printable(call.detail));
	FUZZ_EXPECT((rc == 0) == (tokens.access_token != NULL));
	table.secret_free(tokens.access_token);
	table.secret_free(tokens.refresh_token);
	table.secret_free(tokens.scope);
	table.secret_free(tokens.user);
	FUZZ_EXPECT(fake_secrets() == 0);
	free(text);
	return 0;
}
