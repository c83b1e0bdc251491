/* SPDX-License-Identifier: MIT */
/* The query that a browser comes back with, and who sent it. */
#include "config.h"

#include "fake-host.h"
#include "fuzz.h"
#include "modules/grants/authorization-code/answer.h"

static struct rbr_callback *callback; /* a block of its own, so that a write behind it is seen */

static void
check_text(const char *text)
{
	FUZZ_EXPECT(!text || (text >= callback->text && text < callback->text + sizeof callback->text));
	FUZZ_EXPECT(!text || memchr(text, '\0', sizeof callback->text - (size_t)(text - callback->text)));
	FUZZ_EXPECT(!text || fuzz_is_printable(text));
}

static void
check_answer(void)
{
	static struct ringbearer_call call;
	struct rbr_oauth oauth = {fake_host(), &call, true};
	struct rbr_callback before = *callback;
	const char *iss = callback->iss ? before.text + (callback->iss - callback->text) : NULL;
	int rc;

	fake_call_start(&call);
	fake_set(&call, "authorization_endpoint", "https://login.example.com/auth");
	rc = rbr_answer_check(&oauth, callback);
	FUZZ_EXPECT(rc == call.code && call.failures == (rc < 0));
	FUZZ_EXPECT(rc < 0 || callback->code);
	FUZZ_EXPECT(!iss || rc < 0 || rbr_answer_same_origin(iss, "https://login.example.com"));
	if (iss && !rbr_answer_same_origin(iss, "https://login.example.com"))
		FUZZ_EXPECT(rc == RINGBEARER_E_ACCESS_DENIED && !callback->error && !callback->code);
	FUZZ_EXPECT(fake_secrets() == 0);
}

FUZZ_UP_TO(3 * RBR_CALLBACK_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *query = malloc(size + 1); /* nothing behind it: it is no string */
	bool whole;

	if (!callback)
		callback = malloc(sizeof *callback);
	FUZZ_EXPECT(query != NULL && callback != NULL);
	memcpy(query, data, size);
	whole = rbr_callback_parse(size > 0 ? query : "", size, callback);
	free(query);
	if (!whole)
		return 0;
	check_text(callback->code);
	check_text(callback->state);
	check_text(callback->iss);
	check_text(callback->error);
	check_text(callback->error_description);
	check_answer();
	return 0;
}
