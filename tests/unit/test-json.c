/* SPDX-License-Identifier: MIT */
/* JSON from a server: everything that json-c lets pass and that is refused here. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "modules/json/json.h"

static void
takes(const char *text)
{
	struct json_object *object = rbr_json_parse(text, strlen(text));

	if (!object)
		fail_msg("`%s` was refused", text);
	json_object_put(object);
}

static void
refuses_bytes(const char *text, size_t size)
{
	struct json_object *object = rbr_json_parse(text, size);

	if (object)
		fail_msg("`%s` was taken", text);
}

static void
refuses(const char *text)
{
	refuses_bytes(text, strlen(text));
}

static void
objects_are_taken(void **state)
{
	(void)state;
	takes("{}");
	takes(" \t\r\n{ \"a\" : 1 }\r\n ");
	takes("{\"a\":[1,-2.5e+3,true,false,null,{\"b\":\"c\"}],\"d\":\"\"}");
	takes("{\"a\":\"{[:,]}\",\"b\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"}");
	takes("{\"a\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91\"}");
	takes("{\"a:b\":1,\"c\":{\"d\":1,\"e\":2}}");
}

static void
only_an_object_counts(void **state)
{
	(void)state;
	refuses("");
	refuses(" ");
	refuses("[]");
	refuses("[{\"a\":1}]");
	refuses("\"text\"");
	refuses("1");
	refuses("true");
	refuses("null");
	refuses("<html></html>");
	refuses("access_token=x&token_type=bearer");
}

static void
broken_documents_are_refused(void **state)
{
	static const char whole[] = "{\"a\":[1,{\"b\":\"c\\\"d\"}],\"e\":2}";
	size_t size;

	(void)state;
	for (size = 0; size < sizeof whole - 1; size++)
		refuses_bytes(whole, size);
	takes(whole);
	refuses("{\"a\":1}}");
	refuses("{\"a\":1]");
	refuses("{\"a\"}");
	refuses("{\"a\" 1}");
	refuses("{a:1}");
	refuses("{\"a\":1,}");
	refuses("{\"a\":[1,]}");
	refuses("{,}");
	refuses("{\"a\":01}");
	refuses("{\"a\":1 2}");
	refuses("{\"a\":tru}");
	refuses("{\"a\":\"\\x\"}");
	refuses("{\"a\":\"\\u12\"}");
}

static void
nothing_may_follow(void **state)
{
	(void)state;
	refuses("{\"a\":1} x");
	refuses("{\"a\":1}{\"b\":2}");
	refuses("{\"a\":1},");
	refuses_bytes(UNIT_BYTES("{\"a\":1}\0garbage"));
	refuses_bytes(UNIT_BYTES("{\"a\":1}\0"));
	refuses_bytes(UNIT_BYTES("\0{\"a\":1}"));
	refuses("\xef\xbb\xbf");
	refuses("{\"a\":1}\xef\xbb\xbf");
}

static void
comments_are_refused(void **state)
{
	(void)state;
	refuses("{\"a\":1/* x */}");
	refuses("// x\n{\"a\":1}");
	refuses("{\"a\":1}// x");
}

static void
single_quotes_are_refused(void **state)
{
	(void)state;
	refuses("{'a':1}");
	refuses("{\"a\":'b'}");
	takes("{\"a\":\"it's\"}");
}

static void
numbers_that_are_none_are_refused(void **state)
{
	static const char *const words[] = {"NaN", "nan", "-NaN", "Infinity", "-Infinity", "infinity", "inf", "0x10",
		"TRUE", "True", "False", "NULL", "Null", "nUlL", "1_000"};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		strcpy(text, "{\"a\":");
		strcat(text, words[i]);
		strcat(text, "}");
		refuses(text);
	}
}

static void
raw_controls_in_strings_are_refused(void **state)
{
	char text[] = "{\"a\":\"x?y\"}";
	int c;

	(void)state;
	for (c = 0; c < 0x20; c++) {
		text[7] = (char)c;
		refuses_bytes(text, sizeof text - 1);
	}
	refuses("{\"a\nb\":1}");
	text[7] = 0x7f;
	takes(text);
}

static void
broken_utf8_is_refused(void **state)
{
	(void)state;
	refuses("{\"a\":\"\xff\"}");
	refuses("{\"a\":\"\x80\"}");
	refuses("{\"a\":\"\xc3\"}");
}

static void
repeated_members_are_refused(void **state)
{
	(void)state;
	refuses("{\"access_token\":\"a\",\"access_token\":\"b\"}");
	refuses("{\"a\":1,\"b\":2,\"a\":1}");
	refuses("{\"a\":1,\"\\u0061\":2}");
	refuses("{\"error\":null,\"error\":\"x\"}");
	refuses("{\"a\":{\"b\":1,\"b\":1}}");
	refuses("{\"a\":[[{\"b\":1,\"c\":{\"d\":1,\"d\":2}}]]}");
	takes("{\"a\":{\"a\":1},\"b\":{\"a\":1}}");
}

static void
depth_is_bounded(void **state)
{
	char *text = malloc(100001);
	size_t i;

	(void)state;
	assert_non_null(text);
	takes("{\"a\":[[[[[1]]]]]}");
	refuses("{\"a\":[[[[[[[[[[1]]]]]]]]]]}");
	memset(text, '[', 100000);
	text[100000] = '\0';
	refuses(text);
	for (i = 0; i < 50000; i++)
		text[50000 + i] = ']';
	refuses(text);
	free(text);
}

static void
texts_are_strings_without_nul(void **state)
{
	static const char text[] =
		"{\"s\":\"x y\",\"e\":\"\",\"n\":1,\"z\":null,\"o\":{},\"u\":\"a\\u0000b\",\"l\":\"a\\nb\"}";
	struct json_object *object = rbr_json_parse(text, sizeof text - 1);

	(void)state;
	assert_non_null(object);
	assert_string_equal(rbr_json_text(object, "s"), "x y");
	assert_string_equal(rbr_json_text(object, "e"), "");
	assert_string_equal(rbr_json_text(object, "l"), "a\nb");
	assert_null(rbr_json_text(object, "n"));
	assert_null(rbr_json_text(object, "z"));
	assert_null(rbr_json_text(object, "o"));
	assert_null(rbr_json_text(object, "u"));
	assert_null(rbr_json_text(object, "absent"));
	assert_true(rbr_json_has(object, "s"));
	assert_true(rbr_json_has(object, "n"));
	assert_true(rbr_json_has(object, "u"));
	assert_false(rbr_json_has(object, "z"));
	assert_false(rbr_json_has(object, "absent"));
	json_object_put(object);
}

/* The name of a member ends with a NUL for json-c: `"error\u0000x"` must not count as `error`. */
static void
names_with_a_nul_are_refused(void **state)
{
	(void)state;
	refuses("{\"access_token\\u0000x\":\"a\"}");
	refuses("{\"error\\u0000\":\"a\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_taken),
		cmocka_unit_test(only_an_object_counts),
		cmocka_unit_test(broken_documents_are_refused),
		cmocka_unit_test(nothing_may_follow),
		cmocka_unit_test(comments_are_refused),
		cmocka_unit_test(single_quotes_are_refused),
		cmocka_unit_test(numbers_that_are_none_are_refused),
		cmocka_unit_test(raw_controls_in_strings_are_refused),
		cmocka_unit_test(broken_utf8_is_refused),
		cmocka_unit_test(repeated_members_are_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(texts_are_strings_without_nul),
		cmocka_unit_test(names_with_a_nul_are_refused),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
