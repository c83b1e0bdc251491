/* SPDX-License-Identifier: MIT */
/*
 * An answer's header lines, each up to its newline as libcurl hands them over. They are bounded together, and of a redirect nothing
 * is kept but a host.
 */
#include "config.h"

#include "fuzz.h"
#include "modules/oauth/headers.h"

FUZZ_UP_TO(2 * RBR_HTTP_HEADER_BYTES_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_headers headers = {.bytes = 0};
	const uint8_t *end = data + size, *next;
	size_t taken = 0;
	const char *p;

	for (; data < end; data = next) {
		char *line;
		bool fits;

		next = memchr(data, '\n', (size_t)(end - data));
		next = next ? next + 1 : end;
		line = malloc((size_t)(next - data)); /* without a NUL behind it */
		FUZZ_EXPECT(line != NULL);
		memcpy(line, data, (size_t)(next - data));
		fits = rbr_headers_take(&headers, line, (size_t)(next - data));
		free(line);
		if (!fits) {
			FUZZ_EXPECT(taken + (size_t)(next - data) > RBR_HTTP_HEADER_BYTES_MAX ||
				headers.answers > RBR_HTTP_ANSWERS_MAX);
			return 0;
		}
		taken += (size_t)(next - data);
		FUZZ_EXPECT(taken == headers.bytes && taken <= RBR_HTTP_HEADER_BYTES_MAX);
		FUZZ_EXPECT(headers.answers <= RBR_HTTP_ANSWERS_MAX);
		FUZZ_EXPECT(memchr(headers.location_host, '\0', sizeof headers.location_host) != NULL);
		for (p = headers.location_host; *p; p++)
			FUZZ_EXPECT(!strchr("/?#@ \r\n", *p));
	}
	return 0;
}
