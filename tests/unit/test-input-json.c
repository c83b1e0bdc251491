/* SPDX-License-Identifier: MIT */
/* JSON from a caller becomes lines. What is no JSON at all: test-json.c. */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-host.h"

static const struct ringbearer_input *input;
static struct ringbearer_call call;

static int
start(void **state)
{
	const struct ringbearer_module *module = ringbearer_module_init(RINGBEARER_MODULE_ABI, fake_host());

	(void)state;
	if (!module || strcmp(module->name, "input-json") != 0 || strcmp(module->family, "input") != 0)
		return -1;
	input = module->operations;
	return input->flatten ? 0 : -1;
}

static void
becomes(const char *text, const char *lines)
{
	struct ringbearer_secret *message = NULL;

	fake_call_start(&call);
	assert_int_equal(input->flatten(&call, text, strlen(text), &message), 0);
	assert_string_equal(fake_host()->secret_data(message), lines);
	fake_host()->secret_free(message);
	assert_int_equal(fake_secrets(), 0);
}

static void
refuses(const char *text, const char *why)
{
	struct ringbearer_secret *message = NULL;

	fake_call_start(&call);
	assert_int_equal(input->flatten(&call, text, strlen(text), &message), RINGBEARER_E_MALFORMED_REQUEST);
	assert_null(message);
	assert_int_equal(call.failures, 1);
	unit_assert_contains(call.detail, why);
	unit_assert_contains(call.detail, "; ");
	assert_int_equal(fake_secrets(), 0);
}

static void
values_keep_their_place_in_the_name(void **state)
{
	(void)state;
	becomes("{}", "");
	becomes("{\"v\":1,\"kind\":\"get\",\"registry\":{\"index-url\":\"sparse+https://a/\",\"name\":\"b\"},\"x\":2}",
		"v=1\nkind=get\nregistry.index-url=sparse+https://a/\nregistry.name=b\nx=2\n");
	becomes("{\"a\":{\"b\":{\"c\":true},\"d\":false},\"e\":-1.50,\"f\":\"\"}",
		"a.b.c=true\na.d=false\ne=-1.50\nf=\n");
	becomes("{\"t\":\"q\\\"b\\\\=s\\u00e4\"}", "t=q\"b\\=s\xc3\xa4\n");
}

static void
lists_repeat(void **state)
{
	(void)state;
	becomes("{\"a\":[\"b\",2,null,\"\",{\"c\":\"d\"},[\"e\"]],\"f\":[]}", "a[]=b\na[]=2\na[].c=d\na[][]=e\n");
}

static void
what_has_no_sound_name_is_left_out(void **state)
{
	(void)state;
	becomes("{\"a.b\":\"c\",\"\":\"d\",\"e=f\":\"g\",\"h[]\":\"i\",\"a.example/x\":{\"j\":\"k\"},\"l\":null,\"m\":1}",
		"m=1\n");
	becomes("{\"a\":{\"b.c\":{\"d\":1},\"e\":2}}", "a.e=2\n");
}

static void
documents_that_could_be_read_in_two_ways_are_refused(void **state)
{
	(void)state;
	refuses("", "no JSON object");
	refuses("[]", "no JSON object");
	refuses("{\"a\":1,\"a\":1}", "member twice");
	refuses("{\"a\":{\"b\":1,\"\\u0062\":1}}", "member twice");
	refuses("{\"a\":[{\"b\":1},{\"b\":1,\"b\":2}]}", "member twice");
}

static void
control_characters_are_refused(void **state)
{
	(void)state;
	refuses("{\"a\":{\"b\":\"c\\nd\"}}", "a.b has a control character");
	refuses("{\"a\":[\"c\\u0000d\"]}", "a[] has a control character");
	refuses("{\"a\":\"\\u001b[m\"}", "a has a control character");
	refuses("{\"a\":\"\\u007f\"}", "a has a control character");
	refuses("{\"a\":\"b\nc\"}", "no JSON object");
}

static void
limits_hold(void **state)
{
	size_t size = 128 * 1024;
	char *text = malloc(size + 2), *p = text;
	int i;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', size);
	text[size] = text[size + 1] = '\0';
	memcpy(text, "{\"a\":1}", 7);
	becomes(text, "a=1\n");
	text[size] = ' ';
	refuses(text, "too long");
	p += sprintf(p, "{\"a\":[1");
	for (i = 1; i < 512; i++)
		p += sprintf(p, ",1");
	(void)sprintf(p, "],\"b\":1}");
	refuses(text, "b is one value too many");
	refuses("{\"a\":[[[[[[[[1]]]]]]]]}", "too deep");
	becomes("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":1}}}}}}", "a.b.c.d.e.f=1\n");
	free(text);
}

static void
memory_may_be_short(void **state)
{
	struct ringbearer_secret *message = NULL;

	(void)state;
	fake_call_start(&call);
	fake_fail_secret(0);
	assert_int_equal(input->flatten(&call, UNIT_BYTES("{}"), &message), RINGBEARER_E_SYSTEM);
	fake_fail_secret(-1);
	assert_int_equal(fake_secrets(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_keep_their_place_in_the_name),
		cmocka_unit_test(lists_repeat),
		cmocka_unit_test(what_has_no_sound_name_is_left_out),
		cmocka_unit_test(documents_that_could_be_read_in_two_ways_are_refused),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(memory_may_be_short),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
