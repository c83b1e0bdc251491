/* SPDX-License-Identifier: MIT */
/*
 * What a caller writes as JSON. What was taken is a message, with nothing in it that a message cannot have.
 *
 * with: inputs/json.c
 */
#include "config.h"

#include "fake-host.h"
#include "fuzz.h"
#include "host/document.h"
#include "protocol/message.h"

static void
check_lines(const char *lines, size_t size)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	size_t i, written = 0;

	FUZZ_EXPECT(strlen(lines) == size);
	for (i = 0; i < size; i++)
		written += lines[i] == '\n';
	/* A line can be too long for a message, but then it is refused and not cut. */
	if (rbr_message_parse(&message, lines, size, RBR_DIALECT_WIRE, "it", RINGBEARER_E_MALFORMED_REQUEST, NULL) == 0)
		FUZZ_EXPECT(message.count == written);
	for (i = 0; i < message.count; i++) {
		FUZZ_EXPECT(rbr_message_key(&message, i)[0] != '.');
		FUZZ_EXPECT(fuzz_is_printable(rbr_message_key(&message, i)));
		FUZZ_EXPECT(fuzz_is_printable(rbr_message_value(&message, i)));
	}
	rbr_message_wipe(&message);
}

FUZZ_UP_TO(2 * RBR_DOCUMENT_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ringbearer_call call;
	const struct ringbearer_host *host = fake_host();
	const struct ringbearer_module *module = ringbearer_module_init(RINGBEARER_MODULE_ABI, host);
	const struct ringbearer_input *input;
	struct ringbearer_secret *message = NULL;
	char *text = fuzz_string(data, size);
	int rc;

	FUZZ_EXPECT(module != NULL);
	input = module->operations;
	fake_call_start(&call);
	rc = input->flatten(&call, text, size, &message);
	FUZZ_EXPECT(rc == call.code && call.failures == (rc < 0) && (message == NULL) == (rc < 0));
	FUZZ_EXPECT(fuzz_is_printable(call.detail));
	if (rc == 0)
		check_lines(host->secret_data(message), host->secret_size(message));
	host->secret_free(message);
	FUZZ_EXPECT(fake_secrets() == 0);
	free(text);
	return 0;
}
