/* SPDX-License-Identifier: MIT */
/* A request to the listener, as it comes in pieces, and the query in it. The first byte says how long the pieces are. */
#include "config.h"

#include "fuzz.h"
#include "modules/grants/authorization-code/callback.h"
#include "modules/grants/authorization-code/head.h"

#define HOST "127.0.0.1:1"

static void
check_good(const char *text, size_t size, const struct rbr_head *head)
{
	static struct rbr_callback callback;

	FUZZ_EXPECT(memcmp(text, "GET ", 4) == 0 && strstr(text, HOST) && strstr(text, "\r\n\r\n"));
	FUZZ_EXPECT(head->path >= text + 4 && head->path + head->path_size <= text + size);
	FUZZ_EXPECT(!memchr(head->path, ' ', head->path_size) && !memchr(head->path, '\n', head->path_size));
	FUZZ_EXPECT(!memchr(head->path, '?', head->path_size));
	FUZZ_EXPECT(head->query || head->query_size == 0);
	FUZZ_EXPECT(!head->query || (head->query >= text && head->query + head->query_size <= text + size));
	(void)rbr_callback_parse(head->query ? head->query : "", head->query_size, &callback);
}

FUZZ_UP_TO(3 * RBR_HEAD_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum rbr_head_state state = RBR_HEAD_MORE;
	char *text = malloc(RBR_HEAD_MAX); /* as the listener has it */
	size_t used = 0, piece, taken = 1;
	struct rbr_head head;

	FUZZ_EXPECT(text != NULL);
	while (state == RBR_HEAD_MORE && taken < size) {
		piece = 1 + (size_t)data[0] * 64;
		if (piece > size - taken)
			piece = size - taken;
		if (piece > RBR_HEAD_MAX - 1 - used)
			piece = RBR_HEAD_MAX - 1 - used;
		FUZZ_EXPECT(piece > 0); /* or the listener would wait for bytes that it has no room for */
		memcpy(text + used, data + taken, piece);
		used += piece;
		taken += piece;
		text[used] = '\0';
		state = rbr_head_read(text, used, HOST, &head);
	}
	FUZZ_EXPECT(state != RBR_HEAD_MORE || !strstr(taken > 1 ? text : "", "\r\n\r\n"));
	if (state == RBR_HEAD_GOOD)
		check_good(text, used, &head);
	free(text);
	return 0;
}
