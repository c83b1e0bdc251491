/* SPDX-License-Identifier: MIT */
/* Records in the real kernel keyring; skipped where this process may not keep keys. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/cache.h"
#include "protocol/memory.h"

#define NAME_MAX_LENGTH 40

static struct rbr_cache_key key;

static int
make_key(void **state)
{
	char process[32];

	(void)state;
	(void)snprintf(process, sizeof process, "%ld", (long)getpid());
	key = RBR_CACHE_KEY_EMPTY;
	return rbr_cache_key_add(&key, "unit test") < 0 || rbr_cache_key_add(&key, process) < 0;
}

static int
drop_key(void **state)
{
	(void)state;
	rbr_cache_drop(&key);
	rbr_cache_key_wipe(&key);
	return 0;
}

static void
need_keyring(void)
{
	if (!unit_has_keyring())
		skip();
}

static void
need_memory(void)
{
	char path[RBR_MEMORY_PATH_MAX];

	if (!rbr_memory_folder(path))
		skip();
}

/* The name of the kernel's key for `key`. */
static const char *
key_name(void)
{
	static char name[NAME_MAX_LENGTH];

	(void)snprintf(
		name, sizeof name, "ringbearer:%llx", (unsigned long long)rbr_hash(key.text.data, key.text.size));
	return name;
}

static long
find_serial(void)
{
	return syscall(SYS_keyctl, KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING, "user", key_name(), 0);
}

/* The line of /proc/keys about `key`; "" if it is not there. */
static void
key_line(char *line, int size)
{
	FILE *file = fopen("/proc/keys", "re");

	line[0] = '\0';
	while (file && fgets(line, size, file))
		if (strstr(line, key_name()) && !strstr(line, "expd"))
			break;
	if (file && feof(file))
		line[0] = '\0';
	if (file)
		(void)fclose(file);
}

static bool
write_value(const char *value, int64_t seconds)
{
	struct rbr_message record = RBR_MESSAGE_EMPTY;
	bool done;

	assert_int_equal(rbr_message_add(&record, "value", value), 0);
	done = rbr_cache_write(&key, &record, seconds);
	rbr_message_wipe(&record);
	return done;
}

/* Is what was FOUND a record with VALUE? NULL: is it none? Wipes RECORD. */
static bool
is_right(bool found, struct rbr_message *record, const char *value)
{
	bool right =
		found ? value && strcmp(rbr_message_get(record, "value"), value) == 0 : !value && record->count == 0;

	rbr_message_wipe(record);
	return right;
}

/* Does the record of `key` have VALUE? NULL: is there none? */
static bool
holds(const char *value)
{
	struct rbr_message record = RBR_MESSAGE_EMPTY;
	bool found = rbr_cache_read(&key, &record);

	return is_right(found, &record, value);
}

/* The same for who was answered from the key *SEEN before. */
static bool
still_holds(long *seen, const char *value)
{
	struct rbr_message record = RBR_MESSAGE_EMPTY;
	bool found = rbr_cache_read_again(&key, seen, &record);

	return is_right(found, &record, value);
}

static void
what_was_written_is_read(void **state)
{
	(void)state;
	need_keyring();
	assert_true(holds(NULL));
	assert_true(write_value("one", 60));
	assert_true(holds("one"));
	assert_true(holds("one"));
}

static void
a_new_record_takes_the_place_of_the_old(void **state)
{
	long first;

	(void)state;
	need_keyring();
	assert_true(write_value("one", 60));
	first = find_serial();
	assert_true(write_value("two", 60));
	assert_true(holds("two"));
	assert_true(first != find_serial());
	rbr_cache_drop(&key);
	assert_true(holds(NULL)); /* the old one is not behind it */
}

static void
dropping_is_at_once_and_harmless(void **state)
{
	(void)state;
	need_keyring();
	rbr_cache_drop(&key);
	assert_true(write_value("one", 60));
	rbr_cache_drop(&key);
	assert_true(holds(NULL));
	rbr_cache_drop(&key);
	assert_true(write_value("two", 60));
	assert_true(holds("two"));
}

static void
who_comes_back_gets_what_is_there_now(void **state)
{
	static const char other[] = "for=something else\nvalue=stolen\n";
	long seen = 0, foreign;

	(void)state;
	need_keyring();
	assert_true(still_holds(&seen, NULL));
	assert_true(write_value("one", 60));
	assert_true(still_holds(&seen, "one"));
	assert_int_equal(seen, find_serial());
	assert_true(still_holds(&seen, "one"));
	assert_true(write_value("two", 60)); /* displaces the one that was seen */
	assert_true(still_holds(&seen, "two"));
	assert_int_equal(seen, find_serial());
	rbr_cache_drop(&key);
	assert_true(still_holds(&seen, NULL));
	assert_true(write_value("three", 60));
	foreign = syscall(
		SYS_add_key, "user", "ringbearer:foreign", other, sizeof other - 1, (long)KEY_SPEC_USER_KEYRING);
	assert_true(foreign > 0);
	seen = foreign;
	assert_true(still_holds(&seen, "three"));
	assert_int_equal(seen, find_serial());
	(void)syscall(SYS_keyctl, KEYCTL_INVALIDATE, foreign, 0, 0, 0);
}

static void
the_kernel_forgets_in_time(void **state)
{
	(void)state;
	need_keyring();
	assert_true(write_value("one", 1));
	assert_true(holds("one"));
	(void)usleep(2200000);
	assert_true(holds(NULL));
	assert_true(write_value("two", 60));
	assert_true(holds("two"));
}

/* A timeout of 0 would mean "for ever" to the kernel. */
static void
no_record_is_for_ever(void **state)
{
	char line[256];

	(void)state;
	need_keyring();
	assert_true(write_value("one", 0));
	(void)usleep(2200000);
	assert_true(holds(NULL));
	assert_true(write_value("two", -5));
	(void)usleep(2200000);
	assert_true(holds(NULL));
	assert_true(write_value("three", INT64_C(100) * 366 * 24 * 3600));
	key_line(line, sizeof line);
	if (line[0] == '\0')
		skip(); /* /proc/keys is not shown here */
	unit_assert_contains(line, " 1w "); /* ten days */
}

/* The payload is for those who possess the key; its owner sees that it is there, others nothing. */
static void
permissions_are_narrow(void **state)
{
	char text[256];
	long length;

	(void)state;
	need_keyring();
	assert_true(write_value("one", 60));
	length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, find_serial(), text, sizeof text, 0);
	assert_in_range(length, 1, sizeof text);
	unit_assert_contains(text, ";3f090000;ringbearer:");
	unit_assert_lacks(text, "unit test"); /* the name tells nothing */
}

static void
the_key_is_in_the_user_keyring_alone(void **state)
{
	long found;

	(void)state;
	need_keyring();
	assert_true(write_value("one", 60));
	found = syscall(SYS_keyctl, KEYCTL_SEARCH, (long)KEY_SPEC_PROCESS_KEYRING, "user", key_name(), 0);
	assert_int_equal(found, -1);
	assert_true(find_serial() > 0);
}

/* Two texts with the same hash: the record says whose it is. */
static void
a_record_for_something_else_is_not_taken(void **state)
{
	static const char other[] = "for=something else\nvalue=stolen\n";
	static const char none[] = "value=stolen\n";
	static const char junk[] = "no message\n";

	(void)state;
	need_keyring();
	assert_true(syscall(SYS_add_key, "user", key_name(), other, sizeof other - 1, (long)KEY_SPEC_USER_KEYRING) > 0);
	assert_true(holds(NULL));
	assert_true(syscall(SYS_add_key, "user", key_name(), none, sizeof none - 1, (long)KEY_SPEC_USER_KEYRING) > 0);
	assert_true(holds(NULL));
	assert_true(syscall(SYS_add_key, "user", key_name(), junk, sizeof junk - 1, (long)KEY_SPEC_USER_KEYRING) > 0);
	assert_true(holds(NULL));
	assert_true(write_value("own", 60));
	assert_true(holds("own"));
}

static void
long_records_are_kept_where_there_is_room(void **state)
{
	static const size_t sizes[] = {4090, 32000, 33000, 60000};
	char *value = malloc(RBR_LINE_MAX + 1);
	size_t i;

	(void)state;
	need_keyring();
	assert_non_null(value);
	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		memset(value, 'v', sizes[i]);
		value[sizes[i]] = '\0';
		assert_true(write_value(value, 60));
		assert_true(holds(value));
		if (geteuid() == 0) /* others have less room in the keyring, by kernel.keys.maxbytes */
			assert_int_equal(find_serial() < 0, sizes[i] > 32700); /* never in both */
	}
	assert_true(write_value("short", 60));
	assert_true(holds("short") && find_serial() > 0);
	free(value);
}

static void
keys_differ_by_their_components(void **state)
{
	struct rbr_cache_key a = RBR_CACHE_KEY_EMPTY, b = RBR_CACHE_KEY_EMPTY;

	(void)state;
	assert_int_equal(rbr_cache_key_add(&a, "x"), 0);
	assert_int_equal(rbr_cache_key_add(&a, "yz"), 0);
	assert_int_equal(rbr_cache_key_add(&b, "xy"), 0);
	assert_int_equal(rbr_cache_key_add(&b, "z"), 0);
	assert_string_not_equal(rbr_secret_string(&a.text), rbr_secret_string(&b.text));
	rbr_cache_key_wipe(&a);
	assert_int_equal(a.text.size, 0);
	assert_int_equal(rbr_cache_key_add(&a, "xy"), 0);
	assert_int_equal(rbr_cache_key_add(&a, ""), 0);
	assert_string_not_equal(rbr_secret_string(&a.text), "xy");
	rbr_cache_key_wipe(&a);
	rbr_cache_key_wipe(&b);
}

static void
make(struct rbr_cache_key *made, const char *const components[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		assert_int_equal(rbr_cache_key_add(made, components[i]), 0);
}

/* Whatever a component holds, a separator of ours included, it stays one component. */
static void
no_component_runs_into_the_next(void **state)
{
	static const struct {
		const char *components[3];
		size_t count;
	} lists[] = {
		{{"token", "x", "y"}, 3},
		{{"token", "x\x1fy"}, 2},
		{{"token", "x:y"}, 2},
		{{"token", "x1:y"}, 2},
		{{"token", "x", "1:y"}, 3},
		{{"token", "", "xy"}, 3},
		{{"token", "xy", ""}, 3},
		{{"token", "xy"}, 2},
		{{"", "token", "xy"}, 3},
		{{"5:token", "xy"}, 2},
		{{"token\x1f", "xy"}, 2},
		{{"token"}, 1},
		{{"token", ""}, 2},
		{{""}, 1},
		{{"", ""}, 2},
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < RBR_ARRAY_SIZE(lists); i++)
		for (j = 0; j < i; j++) {
			struct rbr_cache_key a = RBR_CACHE_KEY_EMPTY, b = RBR_CACHE_KEY_EMPTY;

			make(&a, lists[i].components, lists[i].count);
			make(&b, lists[j].components, lists[j].count);
			assert_string_not_equal(rbr_secret_string(&a.text), rbr_secret_string(&b.text));
			rbr_cache_key_wipe(&a);
			rbr_cache_key_wipe(&b);
		}
}

static void
the_kind_is_the_first_component_whole(void **state)
{
	struct rbr_message record = RBR_MESSAGE_EMPTY;

	(void)state;
	need_keyring();
	assert_true(write_value("one", 60));
	assert_true(rbr_cache_read(&key, &record));
	assert_true(rbr_cache_is_of_kind(&record, "unit test"));
	assert_false(rbr_cache_is_of_kind(&record, "unit"));
	assert_false(rbr_cache_is_of_kind(&record, "unit test "));
	assert_false(rbr_cache_is_of_kind(&record, ""));
	rbr_message_wipe(&record);
	assert_false(rbr_cache_is_of_kind(&record, "unit test"));
}

/* Vectors of the FNV authors. */
static void
the_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(rbr_hash("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(rbr_hash("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(rbr_hash("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

/* -- visiting -- */

struct visited {
	const char *value;
	size_t seen;
};

static bool
visit(const struct rbr_message *record, void *data)
{
	struct visited *visited = data;
	const char *value = rbr_message_get(record, "value"), *of = rbr_message_get(record, "for");

	if (!of || strcmp(of, rbr_secret_string(&key.text)) != 0)
		return false;
	visited->seen++;
	return value && visited->value && strcmp(value, visited->value) == 0;
}

static void
visiting_finds_and_drops(void **state)
{
	struct visited visited = {NULL, 0};

	(void)state;
	need_keyring();
	assert_true(write_value("one", 60));
	rbr_cache_visit(visit, &visited);
	assert_int_equal(visited.seen, 1);
	assert_true(holds("one"));
	visited.value = "two";
	rbr_cache_visit(visit, &visited);
	assert_int_equal(visited.seen, 2);
	assert_true(holds("one"));
	visited.value = "one";
	rbr_cache_visit(visit, &visited);
	assert_int_equal(visited.seen, 3);
	assert_true(holds(NULL));
	rbr_cache_visit(visit, &visited);
	assert_int_equal(visited.seen, 3);
}

/* -- other surroundings, each in a process of its own -- */

/* `keyctl session`, cron, a system service: the session keyring does not lead to the user keyring. */
static bool
private_session(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) > 0 && holds("outside") &&
		write_value("inside", 60) && holds("inside");
}

/* What leads to the records there must not keep one that others have displaced. */
static bool
private_session_again(void)
{
	long seen = 0;

	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) > 0 && holds("outside") &&
		still_holds(&seen, "outside") && still_holds(&seen, "outside") && write_value("inside", 60) &&
		still_holds(&seen, "inside");
}

static void
private_sessions_share_the_records(void **state)
{
	(void)state;
	need_keyring();
	assert_true(write_value("outside", 60));
	assert_true(unit_passes_elsewhere(private_session));
	assert_true(holds("inside"));
	assert_true(write_value("outside", 60));
	assert_true(unit_passes_elsewhere(private_session_again));
	assert_true(holds("inside"));
}

static int refusal;

static bool
second_tier_alone(void)
{
	struct visited visited = {NULL, 0};
	bool done;

	if (!unit_refuse_keys(refusal))
		return true; /* then there is nothing to see */
	done = !unit_has_keyring() && holds(NULL) && write_value("one", 60) && holds("one") && write_value("two", 60) &&
		holds("two");
	rbr_cache_visit(visit, &visited);
	rbr_cache_drop(&key);
	return done && visited.seen > 0 && holds(NULL);
}

/* A container that forbids the system calls, and a kernel that has none. */
static void
without_a_keyring_records_are_in_memory_all_the_same(void **state)
{
	(void)state;
	need_memory();
	refusal = EPERM;
	assert_true(unit_passes_elsewhere(second_tier_alone));
	refusal = ENOSYS;
	assert_true(unit_passes_elsewhere(second_tier_alone));
}

static bool
left_in_memory(void)
{
	return !unit_refuse_keys(EPERM) || write_value("in memory", 60);
}

/* Two runs, of which one has no keyring: each finds what the other has written, and the last that was written if it must. */
static void
tiers_agree_on_the_newest(void **state)
{
	struct rbr_message record = RBR_MESSAGE_EMPTY;
	bool found;

	(void)state;
	need_keyring();
	need_memory();
	assert_true(write_value("in the kernel", 60));
	assert_true(unit_passes_elsewhere(left_in_memory));
	assert_true(holds("in the kernel"));
	found = rbr_cache_read_newest(&key, &record);
	assert_true(is_right(found, &record, "in memory"));
	assert_true(write_value("at last", 60)); /* takes the other away */
	found = rbr_cache_read_newest(&key, &record);
	assert_true(is_right(found, &record, "at last"));
	rbr_cache_drop(&key);
	assert_true(holds(NULL));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_key, drop_key)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_read),
		TEST(a_new_record_takes_the_place_of_the_old),
		TEST(dropping_is_at_once_and_harmless),
		TEST(who_comes_back_gets_what_is_there_now),
		TEST(the_kernel_forgets_in_time),
		TEST(no_record_is_for_ever),
		TEST(permissions_are_narrow),
		TEST(the_key_is_in_the_user_keyring_alone),
		TEST(a_record_for_something_else_is_not_taken),
		TEST(long_records_are_kept_where_there_is_room),
		TEST(visiting_finds_and_drops),
		TEST(private_sessions_share_the_records),
		TEST(without_a_keyring_records_are_in_memory_all_the_same),
		TEST(tiers_agree_on_the_newest),
		cmocka_unit_test(keys_differ_by_their_components),
		cmocka_unit_test(no_component_runs_into_the_next),
		TEST(the_kind_is_the_first_component_whole),
		cmocka_unit_test(the_hash_is_fnv_1a),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
