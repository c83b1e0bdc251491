/* SPDX-License-Identifier: MIT */
/*
 * driver MODULE KEY=VALUE …: a store's operations, called as they are, by a test that plays several machines.
 *
 * The host is a small one: KEY=VALUE are the account's, but for `seal_key` and `store_password`, which this machine keeps, and
 * `remaining_ms`. Reads one operation a line, all of them about one item, words with blanks between; answers each with a line of
 * JSON, {"code": 0 or an error's number, "why": …} and what the operation brought.
 *
 *     lookup · store VALUE · erase · list · view · describe
 *     acquire HOLDER SECONDS DISPLACES [UNLESS] · keep LEASE · wait REVISION MILLISECONDS
 *     store_if LEASE VERSION VALUE release|hold [NAME=VALUE SECONDS] …
 *
 * VALUE: a text, "-" for none, or TEXT*COUNT. `item ACCOUNT KIND` chooses another item; `config KEY=VALUE` sets a key.
 */
#include "config.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake-host.h"
#include "protocol/module.h"
#include "protocol/secret.h"

#define LINE_MAX_SIZE 65536
#define WORDS_MAX 300

static struct ringbearer_host host;
static struct ringbearer_call call;
static struct ringbearer_store store;
static char account[256] = "acme", kind[64] = "refresh_token";
static struct ringbearer_item item = {.size = sizeof item,
	.account = account,
	.kind = kind,
	.client_id = "suite",
	.endpoint = "https://login.example.test/token",
	.label = "a trial"};

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t deadline_ms;

static int64_t
remaining_ms(struct ringbearer_call *unused)
{
	int64_t left = deadline_ms - now_ms();

	(void)unused;
	return left > 0 ? left : 0;
}

static int
local_secret(struct ringbearer_call *of, const char *what, struct ringbearer_secret **ret_value)
{
	const char *value = host.config(of, what, 0);

	if (!value)
		return host.fail(of, RINGBEARER_E_STORE_UNAVAILABLE, "this machine has no %s; give it one", what);
	*ret_value = host.secret_new(value, strlen(value));
	return *ret_value ? 0 : RINGBEARER_E_SYSTEM;
}

static void
hide(struct ringbearer_call *of, const char *data, size_t size)
{
	(void)of;
	(void)data;
	(void)size;
}

static void
print_text(const char *name, const char *text)
{
	printf(",\"%s\":\"", name);
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	putchar('"');
}

static void
print_code(int code)
{
	printf("{\"code\":%d,\"ms\":%" PRId64, code, now_ms());
	print_text("why", code < 0 && call.code == code ? call.detail : "");
}

/* A value as it is written on a line; NULL for "-". */
static struct ringbearer_secret *
value_of(char *word)
{
	char *star = strrchr(word, '*');
	struct ringbearer_secret *value;
	long count = star ? strtol(star + 1, NULL, 10) : 1;

	if (strcmp(word, "-") == 0)
		return NULL;
	if (star)
		*star = '\0';
	value = host.secret_new("", 0);
	for (; count > 0; count--)
		(void)host.secret_append(value, word, strlen(word));
	return value;
}

static void
print_value(const char *name, const struct ringbearer_secret *value)
{
	if (value)
		print_text(name, host.secret_data(value));
}

static void
print_view(const struct ringbearer_view *view)
{
	size_t i;

	printf(",\"revision\":%" PRId64 ",\"version\":%" PRId64 ",\"lease\":%" PRId64, view->revision, view->version,
		view->lease);
	print_value("value", view->value);
	print_value("holder", view->holder);
	printf(",\"records\":{\"\":null");
	for (i = 0; i < view->record_count; i++) {
		printf(",\"%s\":{\"version\":%" PRId64, view->records[i].name, view->records[i].version);
		print_value("value", view->records[i].value);
		printf("}");
	}
	printf("}");
}

static void
free_value(struct ringbearer_secret *value)
{
	host.secret_free(value);
}

static void
free_view(struct ringbearer_view *view)
{
	size_t i;

	free_value(view->value);
	free_value(view->holder);
	for (i = 0; i < view->record_count; i++)
		free_value(view->records[i].value);
}

static int
count_item(const struct ringbearer_item *found, void *data)
{
	char text[1024];

	(void)snprintf(
		text, sizeof text, "%s %s %s %s", found->account, found->kind, found->client_id, found->endpoint);
	printf("%s", *(bool *)data ? "[\"" : ",\"");
	*(bool *)data = false;
	printf("%s\"", text);
	return 0;
}

static void
tell_line(const char *name, const char *text, void *data)
{
	(void)data;
	print_text(name, text);
}

static void
change(char **words, int count)
{
	static struct ringbearer_record records[RINGBEARER_RECORDS_MAX + 1];
	struct ringbearer_change what = {.size = sizeof what, .records = records};
	int64_t version = 0;
	int i, rc;

	memset(records, 0, sizeof records);
	what.if_lease = strtoll(words[1], NULL, 10);
	what.if_version = strtoll(words[2], NULL, 10);
	what.value = value_of(words[3]);
	what.release = strcmp(words[4], "release") == 0;
	for (i = 5; i + 1 < count && what.record_count <= RINGBEARER_RECORDS_MAX; i += 2) {
		char *equals = strchr(words[i], '=');

		*equals = '\0';
		records[what.record_count++] = (struct ringbearer_record){
			.name = words[i], .value = value_of(equals + 1), .seconds = strtoll(words[i + 1], NULL, 10)};
	}
	rc = store.store_if(&call, &item, &what, &version);
	print_code(rc);
	printf(",\"version\":%" PRId64, version);
	free_value(what.value);
	for (i = 0; i < (int)what.record_count; i++)
		free_value(records[i].value);
}

static void
plain(char **words)
{
	struct ringbearer_secret *value = NULL;
	int rc;

	if (strcmp(words[0], "store") == 0) {
		value = value_of(words[1]);
		print_code(store.store(&call, &item, value));
	} else if (strcmp(words[0], "erase") == 0) {
		print_code(store.erase(&call, &item));
	} else {
		rc = store.lookup(&call, &item, &value);
		print_code(rc);
		print_value("value", value);
	}
	host.secret_free(value);
}

static void
journal(char **words, int count)
{
	struct ringbearer_view view;
	bool empty = true;
	int rc;

	memset(&view, 0, sizeof view);
	view.size = sizeof view;
	if (strcmp(words[0], "view") == 0) {
		rc = store.view(&call, &item, &view);
		print_code(rc);
		print_view(&view);
	} else if (strcmp(words[0], "acquire") == 0) {
		const char *unless[] = {count > 4 ? words[4] : NULL, NULL};

		rc = store.acquire(&call, &item, words[1], strtoll(words[2], NULL, 10), strtoll(words[3], NULL, 10),
			unless, &view);
		print_code(rc);
		print_view(&view);
	} else if (strcmp(words[0], "keep") == 0) {
		print_code(store.keep(&call, &item, strtoll(words[1], NULL, 10)));
	} else if (strcmp(words[0], "wait") == 0) {
		print_code(store.wait(&call, &item, strtoll(words[1], NULL, 10), strtoll(words[2], NULL, 10)));
	} else if (strcmp(words[0], "store_if") == 0) {
		change(words, count);
	} else if (strcmp(words[0], "list") == 0) {
		printf("{\"items\":");
		rc = store.list(&call, strcmp(words[1], "all") == 0 ? NULL : account, count_item, &empty);
		printf("%s,\"code\":%d", empty ? "[]" : "]", rc);
		print_text("why", rc < 0 ? call.detail : "");
	} else {
		printf("{\"\":null");
		rc = store.describe(&call, tell_line, NULL);
		printf(",\"code\":%d", rc);
		print_text("why", rc < 0 ? call.detail : "");
	}
	free_view(&view);
}

static void
set(char *pair)
{
	char *equals = strchr(pair, '='), *copy = strdup(pair);

	if (!equals || !copy)
		abort();
	copy[equals - pair] = '\0';
	fake_set(&call, copy, equals[1] != '\0' ? copy + (equals - pair) + 1 : NULL); /* kept until the end */
}

static void
operate(char *line)
{
	char *words[WORDS_MAX] = {NULL}, *rest = NULL, *word;
	const char *patience = host.config(&call, "remaining_ms", 0);
	int count = 0;

	for (word = strtok_r(line, " \n", &rest); word && count < WORDS_MAX - 2; word = strtok_r(NULL, " \n", &rest))
		words[count++] = word;
	if (count == 0)
		return;
	call.code = 0;
	deadline_ms = now_ms() + (patience ? strtoll(patience, NULL, 10) : 30000);
	if (strcmp(words[0], "item") == 0) {
		(void)snprintf(account, sizeof account, "%s", words[1]);
		(void)snprintf(kind, sizeof kind, "%s", words[2]);
		printf("{\"code\":0");
	} else if (strcmp(words[0], "config") == 0) {
		set(words[1]);
		printf("{\"code\":0");
	} else if (strcmp(words[0], "lookup") == 0 || strcmp(words[0], "store") == 0 ||
		strcmp(words[0], "erase") == 0) {
		plain(words);
	} else {
		journal(words, count);
	}
	printf("}\n");
	(void)fflush(stdout);
}

static void
load(const char *path)
{
	const struct ringbearer_module *(*init)(uint32_t, const struct ringbearer_host *);
	const struct ringbearer_module *module;
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	uint32_t size;

	if (!object) {
		(void)fprintf(stderr, "driver: %s\n", dlerror());
		exit(1);
	}
	*(void **)&init = dlsym(object, "ringbearer_module_init");
	host = *fake_host();
	host.remaining_ms = remaining_ms;
	host.local_secret = local_secret;
	host.hide = hide;
	module = init(RINGBEARER_MODULE_ABI, &host);
	if (!module)
		exit(1);
	size = *(const uint32_t *)module->operations;
	memcpy(&store, module->operations, size < sizeof store ? size : sizeof store);
}

int
main(int argc, char **argv)
{
	static char line[LINE_MAX_SIZE];
	int i;

	if (argc < 2)
		return 2;
	load(argv[1]);
	fake_call_start(&call);
	memset(call.config, 0, sizeof call.config);
	for (i = 2; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (!equals)
			return 2;
		*equals = '\0';
		fake_add(&call, argv[i], equals + 1);
	}
	printf("READY %s\n", store.view ? "journal" : "plain");
	(void)fflush(stdout);
	while (fgets(line, sizeof line, stdin))
		operate(line);
	return 0;
}
