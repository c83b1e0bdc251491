/* SPDX-License-Identifier: MIT */
/* A caller's request as it comes on standard input, its challenges included, and what is kept of it if git stores it. */
#include "config.h"

#include "fuzz.h"
#include "protocol/fastpath/challenge.h"
#include "protocol/fastpath/request.h"
#include "vault/password.h"

#define GUARD 0x5a

static void
check_challenge(const char *challenge)
{
	static const char *const names[] = {"error", "scope", "realm", ""};
	char value[32];
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		memset(value, GUARD, sizeof value);
		if (rbr_challenge_parameter(challenge, names[i], value, sizeof value - 1))
			FUZZ_EXPECT(memchr(value, '\0', sizeof value - 1) != NULL);
		FUZZ_EXPECT(value[sizeof value - 1] == GUARD);
	}
}

static void
check_request(const struct rbr_request *request)
{
	size_t cursor = 0;
	const char *resource;

	FUZZ_EXPECT(request->account || request->has_url);
	FUZZ_EXPECT(request->format != NULL);
	FUZZ_EXPECT(request->min_valid >= -1);
	FUZZ_EXPECT(!request->scope || (request->scope[0] != '\0' && fuzz_is_printable(request->scope)));
	while ((resource = rbr_request_resource(request, &cursor)))
		FUZZ_EXPECT(fuzz_is_printable(resource));
	(void)rbr_request_named_token(request);
}

/* What is kept is understood when it is asked for. */
static void
check_storage(const struct rbr_message *message)
{
	struct ringbearer_secret value = RBR_SECRET_EMPTY, out = RBR_SECRET_EMPTY;
	struct rbr_error error = {0};
	enum rbr_answerable fit;

	if (rbr_password_pack(message, 1, &value) == 0) {
		FUZZ_EXPECT(rbr_password_unpack(
				    &value, rbr_message_get(message, "username"), true, 1, &out, &fit, &error) == 0);
		FUZZ_EXPECT(fit == RBR_ANSWERS && out.size > 0);
	}
	rbr_secret_wipe(&value);
	rbr_secret_wipe(&out);
}

FUZZ_UP_TO(3 * RBR_LINE_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_request request = RBR_REQUEST_EMPTY;
	struct rbr_error error = {0};
	char *text = fuzz_string(data, size);
	const char *challenge;
	size_t cursor = 0;
	int rc = rbr_message_parse(
		&request.message, text, size, RBR_DIALECT_WIRE, "it", RINGBEARER_E_MALFORMED_REQUEST, &error);

	if (rc == 0)
		rc = rbr_request_understand(&request, &error);
	FUZZ_EXPECT(rc == error.code && fuzz_is_printable(error.detail));
	FUZZ_EXPECT(rc == 0 || rc == RINGBEARER_E_MALFORMED_REQUEST);
	if (rc == 0)
		check_request(&request);
	check_storage(&request.message);
	while ((challenge = rbr_message_next(&request.message, "wwwauth[]", &cursor)))
		check_challenge(challenge);
	check_challenge(text);
	rbr_request_wipe(&request);
	free(text);
	return 0;
}
