/* SPDX-License-Identifier: MIT */
/* The query that a browser comes back with: whatever it is, it stays within its room. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/grants/authorization-code/callback.h"

/* What lies behind the callback in memory, and must be what it was. */
struct guarded {
	struct rbr_callback callback;
	char behind[4 * RBR_CALLBACK_MAX];
};

static struct guarded here;

static bool
parses(const char *query, size_t size)
{
	char *own = malloc(size + 1); /* of its exact size, for the sanitizers and valgrind */
	size_t i;
	bool whole;

	assert_non_null(own);
	memcpy(own, query, size);
	memset(here.behind, '#', sizeof here.behind);
	whole = rbr_callback_parse(own, size, &here.callback);
	free(own);
	for (i = 0; i < sizeof here.behind; i++)
		assert_int_equal(here.behind[i], '#');
	return whole;
}

static bool
parses_text(const char *query)
{
	return parses(query, strlen(query));
}

static void
all_that_may_come(void **state)
{
	(void)state;
	assert_true(parses_text("code=a%20b&state=c+d&iss=https%3a%2F%2fe&error=f&error_description=g%0Ah&x=y&x=y&z"));
	assert_string_equal(here.callback.code, "a b");
	assert_string_equal(here.callback.state, "c d");
	assert_string_equal(here.callback.iss, "https://e");
	assert_string_equal(here.callback.error, "f");
	assert_string_equal(here.callback.error_description, "g h");
	assert_true(parses_text("code&state="));
	assert_string_equal(here.callback.code, "");
	assert_string_equal(here.callback.state, "");
	assert_null(here.callback.iss);
	assert_true(parses_text(""));
	assert_null(here.callback.code);
}

static void
what_is_broken_is_refused(void **state)
{
	static const char *const cases[] = {"code=a&code=b", "code=a&%63ode=a", "code&code", "code=%", "code=%0",
		"code=%zz", "code=%00", "code=%0a", "x=%7f", "%=x", "%0ax=y", "error_description=%00"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (parses_text(cases[i]))
			fail_msg("taken: %s", cases[i]);
}

/* A parameter without `=` is the shortest there is: more of them than bytes of room. */
static void
a_query_of_any_length_stays_within_its_room(void **state)
{
	static const char *const pieces[] = {"&", "a&", "=&", "a=&", "code&", "x=y&", "%41&", "+&", "%41=%41&", "a",
		"=", "%41", "error_description=%41"};
	size_t i, j, size;

	(void)state;
	for (i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
		for (size = RBR_CALLBACK_MAX / 2 - 3; size < 3 * RBR_CALLBACK_MAX;
			size += size < RBR_CALLBACK_MAX - 8 || size > RBR_CALLBACK_MAX + 8 ? 509 : 1) {
			char *query = malloc(size + strlen(pieces[i]));

			assert_non_null(query);
			for (j = 0; j < size; j += strlen(pieces[i]))
				memcpy(query + j, pieces[i], strlen(pieces[i]));
			(void)parses(query, size);
			free(query);
		}
}

static void
many_parameters_do_not_hide_the_ones_that_count(void **state)
{
	char query[RBR_CALLBACK_MAX];

	(void)state;
	memset(query, '&', sizeof query);
	memcpy(query + sizeof query - 15, "code=a&state=bc", 15);
	assert_true(parses(query, sizeof query));
	assert_string_equal(here.callback.code, "a");
	assert_string_equal(here.callback.state, "bc");
}

static void
a_value_that_has_no_room_is_refused(void **state)
{
	static const char name[] = "code=";
	char query[sizeof name - 1 + RBR_CALLBACK_MAX];

	(void)state;
	memset(query, 'a', sizeof query);
	memcpy(query, name, sizeof name - 1);
	assert_false(parses(query, sizeof query));
	assert_false(parses(query, sizeof query - 1));
	assert_true(parses(query, sizeof query - 2));
	assert_int_equal(strlen(here.callback.code), RBR_CALLBACK_MAX - 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_may_come),
		cmocka_unit_test(what_is_broken_is_refused),
		cmocka_unit_test(a_query_of_any_length_stays_within_its_room),
		cmocka_unit_test(many_parameters_do_not_hide_the_ones_that_count),
		cmocka_unit_test(a_value_that_has_no_room_is_refused),
	};

	return cmocka_run_group_tests_name("callback", tests, NULL, NULL);
}
