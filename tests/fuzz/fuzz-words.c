/* SPDX-License-Identifier: MIT */
/* What a browser is started with: BROWSER from the caller's environment, and behind a zero byte an address. */
#include "config.h"

#include "fuzz.h"
#include "person/words.h"
#include "protocol/url-characters.h"

#define URL "http://127.0.0.1:1/start/x"

FUZZ_UP_TO(2 * RBR_WORDS_BYTES_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = memchr(data, '\0', size);
	size_t command_size = zero ? (size_t)(zero - data) : size, i, url_size = size - command_size;
	char *command = malloc(command_size + 1), *url = fuzz_string(zero ? zero + 1 : data, zero ? url_size - 1 : 0);
	static struct rbr_words words;
	bool placed = false;

	FUZZ_EXPECT(command != NULL);
	memcpy(command, data, command_size);
	if (!rbr_has_url_characters(url)) {
		free(url);
		url = strdup(URL);
		FUZZ_EXPECT(url != NULL);
	}
	FUZZ_EXPECT(strpbrk(url, " \t\r\n\"\\<>^`{|}\x1b\x7f") == NULL && fuzz_is_printable(url));
	if (rbr_words_split(command, command_size, url, &words)) {
		FUZZ_EXPECT(words.count >= 1 && words.count <= RBR_WORDS_MAX && words.words[words.count] == NULL);
		for (i = 0; i < words.count; i++) {
			FUZZ_EXPECT(words.words[i] >= words.text && words.words[i] < words.text + sizeof words.text);
			FUZZ_EXPECT(memchr(
				words.words[i], '\0', (size_t)(words.text + sizeof words.text - words.words[i])));
			placed = placed || strstr(words.words[i], url);
		}
		FUZZ_EXPECT(placed && words.words[0][0] != '\0');
	}
	free(command);
	free(url);
	return 0;
}
