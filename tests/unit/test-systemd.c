/* SPDX-License-Identifier: MIT */
/* The address by which a service manager says which unit wants which credential, and which units may. */
#include "config.h"

#include "unit.h"

#include <string.h>
#include <sys/un.h>

#include "callers/systemd.h"

static bool
parse(const char *text, size_t size, struct rbr_unit_request *request)
{
	/* On the heap and not one byte longer: reading past the end shows. */
	char *address = test_malloc(size > 0 ? size : 1);
	bool fits;

	memcpy(address, text, size);
	fits = rbr_unit_request_parse(address, size, request);
	test_free(address);
	return fits;
}

static void
takes(const char *text, size_t size, const char *unit, const char *credential)
{
	struct rbr_unit_request request;

	assert_true(parse(text, size, &request));
	assert_string_equal(request.unit, unit);
	assert_string_equal(request.credential, credential);
}

#define TAKES(text, unit, credential) takes(text, sizeof(text) - 1, unit, credential)
#define REFUSES(text) assert_false(parse(text, sizeof(text) - 1, &request))

static void
a_manager_names_unit_and_credential(void **state)
{
	char longest[sizeof((struct sockaddr_un *)0)->sun_path], unit[sizeof longest - 9] = "";

	(void)state;
	TAKES("\000adf9d86b6eda275e/unit/foobar.service/credx", "foobar.service", "credx");
	TAKES("\0000/unit/a@b\\x2dc:d.e_f-1.service/acme", "a@b\\x2dc:d.e_f-1.service", "acme");
	TAKES("\0001f/unit/x.mount/jane@example.com", "x.mount", "jane@example.com");
	memset(longest, 'u', sizeof longest);
	memset(unit, 'u', sizeof unit - 1);
	memcpy(longest, "\0001/unit/", 8);
	memcpy(longest + sizeof longest - 2, "/c", 2);
	takes(longest, sizeof longest, unit, "c");
}

static void
anything_else_is_refused(void **state)
{
	struct rbr_unit_request request;

	(void)state;
	REFUSES("");
	REFUSES("\0");
	REFUSES("/run/x.sock");
	REFUSES("adf9d86b6eda275e/unit/foobar.service/credx");
	REFUSES("\0/unit/a.service/c");
	REFUSES("\000adf9d86b6eda275e0/unit/a.service/c"); /* more digits than 64 bits have */
	REFUSES("\0001G/unit/a.service/c");
	REFUSES("\0001F/unit/a.service/c");
	REFUSES("\0001/units/a.service/c");
	REFUSES("\0001/unit//c");
	REFUSES("\0001/unit/a.service");
	REFUSES("\0001/unit/a.service/");
	REFUSES("\0001/unit/a.service/c/d");
	REFUSES("\0001/unit/a b.service/c");
	REFUSES("\0001/unit/a.service\0/c");
	REFUSES("\0001/unit/a.service/c\0");
	REFUSES("\0001/unit/a\xc3\xa4.service/c");
}

static void
units_are_allowed_by_name_or_template(void **state)
{
	(void)state;
	assert_true(rbr_unit_is_allowed("a.service", "a.service"));
	assert_true(rbr_unit_is_allowed("a@.service", "a@x.service"));
	assert_true(rbr_unit_is_allowed("a@.service", "a@x.y@z.service"));
	assert_true(rbr_unit_is_allowed("a@x.service", "a@x.service"));
	assert_false(rbr_unit_is_allowed("a.service", "b.service"));
	assert_false(rbr_unit_is_allowed("a.service", "a.socket"));
	assert_false(rbr_unit_is_allowed("a.service", "a.servic"));
	assert_false(rbr_unit_is_allowed("a@.service", "a.service"));
	assert_false(rbr_unit_is_allowed("a@.service", "ab@x.service"));
	assert_false(rbr_unit_is_allowed("a@.service", "a@x.socket"));
	assert_false(rbr_unit_is_allowed("a@x.service", "a@y.service"));
	assert_false(rbr_unit_is_allowed("a@x.service", "a@.service"));
	assert_false(rbr_unit_is_allowed("*.service", "a.service"));
	assert_false(rbr_unit_is_allowed("a@.service", "a@x"));
	assert_false(rbr_unit_is_allowed("a.b@", "a.b@x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manager_names_unit_and_credential),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(units_are_allowed_by_name_or_template),
	};

	return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
