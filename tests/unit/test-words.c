/* SPDX-License-Identifier: MIT */
/* The words of a command in BROWSER. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "person/words.h"

#define URL "http://127.0.0.1:1/start/x"

static void
splits(const char *command, const char *expected)
{
	struct rbr_words words;
	char joined[2 * RBR_WORDS_BYTES_MAX] = "";
	size_t i;

	if (!rbr_words_split(command, strlen(command), URL, &words)) {
		assert_null(expected);
		return;
	}
	for (i = 0; i < words.count; i++) {
		strcat(joined, i > 0 ? "|" : "");
		strcat(joined, words.words[i]);
	}
	assert_null(words.words[words.count]);
	if (!expected)
		fail_msg("`%s` became `%s`", command, joined);
	assert_string_equal(joined, expected);
}

static void
as_a_shell_would(void **state)
{
	(void)state;
	splits("firefox", "firefox|" URL);
	splits("  firefox  --new-window ", "firefox|--new-window|" URL);
	splits("firefox %s --new-window", "firefox|" URL "|--new-window");
	splits("sh -c 'exec \"$0\"' %s", "sh|-c|exec \"$0\"|" URL);
	splits("open --url=%s", "open|--url=" URL);
	splits("open \"%s\" '%s'", "open|" URL "|" URL);
	splits("\"C:\\\\a b\\\"c\" x", "C:\\a b\"c|x|" URL);
	splits("my\\ browser", "my browser|" URL);
	splits("a''b \"\"", "ab||" URL);
	splits("100% \\%s", "100%|%s|" URL);
	splits("firefox &", "firefox|" URL);
	splits("firefox & x", "firefox|&|x|" URL);
	splits("firefox; touch injected", "firefox;|touch|injected|" URL);
	splits("$(touch injected)", "$(touch|injected)|" URL);
}

static void
what_is_no_command(void **state)
{
	(void)state;
	splits("", NULL);
	splits(" \t", NULL);
	splits("&", NULL);
	splits("'firefox", NULL);
	splits("\"firefox", NULL);
	splits("''", NULL);
}

static void
only_so_many_words_and_bytes(void **state)
{
	static struct rbr_words words;
	char *long_one = malloc(4 * RBR_WORDS_BYTES_MAX);
	size_t i;

	(void)state;
	assert_non_null(long_one);
	for (i = 0; i < RBR_WORDS_MAX; i++)
		memcpy(long_one + 2 * i, "a ", 2);
	assert_true(rbr_words_split(long_one, 2 * (RBR_WORDS_MAX - 1), URL, &words));
	assert_int_equal(words.count, RBR_WORDS_MAX);
	assert_false(rbr_words_split(long_one, 2 * RBR_WORDS_MAX, URL, &words));
	memset(long_one, 'a', 4 * RBR_WORDS_BYTES_MAX);
	assert_false(rbr_words_split(long_one, RBR_WORDS_BYTES_MAX, URL, &words));
	assert_false(rbr_words_split(long_one, RBR_WORDS_BYTES_MAX - sizeof URL, URL, &words));
	assert_true(rbr_words_split(long_one, RBR_WORDS_BYTES_MAX - sizeof URL - 1, URL, &words));
	for (i = 0; i < 2 * RBR_WORDS_BYTES_MAX; i += 2)
		memcpy(long_one + i, "%s", 2);
	assert_false(rbr_words_split(long_one, 4 * RBR_WORDS_BYTES_MAX, URL, &words));
	free(long_one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_shell_would),
		cmocka_unit_test(what_is_no_command),
		cmocka_unit_test(only_so_many_words_and_bytes),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
