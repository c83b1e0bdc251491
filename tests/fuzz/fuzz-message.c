/* SPDX-License-Identifier: MIT */
/*
 * The message codec. The first byte chooses the dialect (`f`: file, else wire), the rest is the text. What was taken
 * must be writable, and must be the same when it is read again.
 */
#include "config.h"

#include "fuzz.h"
#include "protocol/message.h"

#define LOOKED_AT_MAX 40 /* entries of a message that are looked up among all */

static void
check_entries(const struct rbr_message *message)
{
	size_t i, cursor;

	FUZZ_EXPECT(message->count <= RBR_MESSAGE_ENTRIES_MAX);
	for (i = 0; i < message->count && i < LOOKED_AT_MAX; i++) {
		const char *key = rbr_message_key(message, i), *value = rbr_message_value(message, i), *each;
		size_t listed = 0;

		FUZZ_EXPECT(key[0] != '\0' && !strpbrk(key, "=\r\n") && !strpbrk(value, "\r\n"));
		FUZZ_EXPECT(strlen(key) + strlen(value) + 2 <= RBR_LINE_MAX);
		FUZZ_EXPECT(rbr_message_get(message, key) != NULL);
		for (cursor = 0; (each = rbr_message_next(message, key, &cursor)); listed++)
			FUZZ_EXPECT(each[0] != '\0' && (listed > 0 || rbr_message_has(message, key, each)));
		FUZZ_EXPECT(listed <= message->count);
		(void)rbr_message_get_number(message, key, 0);
	}
}

static void
check_round_trip(const struct rbr_message *message)
{
	struct rbr_message again = RBR_MESSAGE_EMPTY;
	struct ringbearer_secret first = RBR_SECRET_EMPTY, second = RBR_SECRET_EMPTY;
	struct rbr_error error = {0};
	size_t i;

	FUZZ_EXPECT(rbr_message_format(message, &first) == 0);
	FUZZ_EXPECT(rbr_message_parse(&again, rbr_secret_string(&first), first.size, RBR_DIALECT_WIRE, "it",
			    RINGBEARER_E_CONFIG, &error) == 0);
	FUZZ_EXPECT(again.count == message->count);
	for (i = 0; i < again.count; i++) {
		FUZZ_EXPECT(strcmp(rbr_message_key(&again, i), rbr_message_key(message, i)) == 0);
		FUZZ_EXPECT(strcmp(rbr_message_value(&again, i), rbr_message_value(message, i)) == 0);
	}
	rbr_message_wipe(&again);
	for (i = 0; i < message->count; i++)
		FUZZ_EXPECT(rbr_message_add(&again, rbr_message_key(message, i), rbr_message_value(message, i)) == 0);
	FUZZ_EXPECT(rbr_message_format(&again, &second) == 0);
	FUZZ_EXPECT(rbr_secret_equal(first.data, first.size, second.data, second.size));
	rbr_message_wipe(&again);
	rbr_secret_wipe(&first);
	rbr_secret_wipe(&second);
}

FUZZ_UP_TO(RBR_MESSAGE_MAX + RBR_LINE_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};
	enum rbr_dialect dialect;
	char *text;
	int rc;

	if (size == 0)
		return 0;
	dialect = data[0] == 'f' ? RBR_DIALECT_FILE : RBR_DIALECT_WIRE;
	text = malloc(size - 1 > 0 ? size - 1 : 1); /* no NUL behind it: the codec goes by the size */
	FUZZ_EXPECT(text != NULL);
	memcpy(text, data + 1, size - 1);
	rc = rbr_message_parse(&message, text, size - 1, dialect, "it", RINGBEARER_E_CONFIG, &error);
	FUZZ_EXPECT(rc == error.code && fuzz_is_printable(error.detail));
	check_entries(&message);
	check_round_trip(&message);
	rbr_message_wipe(&message);
	free(text);
	return 0;
}
