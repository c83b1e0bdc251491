/* SPDX-License-Identifier: MIT */
/*
 * A store that is elsewhere, or says so: each value is a file below $RINGBEARER_TEST_STORE whose first line is the key that it was
 * "sealed" with, and can be read with that key only. Good enough for a test and for nothing else. It has the shared journal
 * in name, so that ringbearer takes it for one that many machines share, and of it what the files "view" and "describe" say; not with
 * -DLONELY. -DNAME=TEXT is its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ringbearer/module.h>

#ifndef NAME
#define NAME "store-elsewhere"
#endif

#define PATH_SIZE 4096
#define VALUE_MAX 65536

static const struct ringbearer_host *host;

static int
path_of(struct ringbearer_call *call, const struct ringbearer_item *item, char path[PATH_SIZE])
{
	const char *folder = getenv("RINGBEARER_TEST_STORE");
	int length = folder ? snprintf(path, PATH_SIZE, "%s/%s.%s", folder, item->account, item->kind) : -1;

	if (length < 0 || length >= PATH_SIZE)
		return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "there is no folder for values");
	return 0;
}

/* The key, and what such a store would do besides: ask for it in the middle of something, twice, and talk too much. */
static int
get_key(struct ringbearer_call *call, struct ringbearer_secret **ret_key)
{
	const char *state = host->config(call, "state_folder", 0);
	struct ringbearer_secret *password = NULL;
	char before[PATH_SIZE];
	int rc;

	(void)snprintf(before, sizeof before, "%s", state);
	rc = host->local_secret(call, RINGBEARER_LOCAL_SEAL, ret_key);
	if (rc == 0 && strcmp(state, before) != 0)
		return host->fail(call, RINGBEARER_E_SYSTEM, "the folder has changed from %s to %s", before, state);
	if (rc == 0 && host->config(call, "store_user", 0))
		rc = host->local_secret(call, RINGBEARER_LOCAL_PASSWORD, &password);
	if (rc == 0)
		host->log(call, RINGBEARER_LOG_WARNING, "elsewhere: key %s, password %s", host->secret_data(*ret_key),
			password ? host->secret_data(password) : "none");
	host->secret_free(password);
	return rc;
}

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	struct ringbearer_secret *key = NULL;
	char path[PATH_SIZE], value[VALUE_MAX];
	FILE *file;
	size_t size, first;
	int rc = path_of(call, item, path);

	if (rc == 0)
		rc = get_key(call, &key);
	file = rc == 0 ? fopen(path, "re") : NULL;
	if (rc == 0 && !file)
		rc = RINGBEARER_E_NO_SECRET;
	if (rc == 0) {
		size = fread(value, 1, sizeof value, file);
		(void)fclose(file);
		first = host->secret_size(key);
		if (size <= first || memcmp(value, host->secret_data(key), first) != 0)
			rc = host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "sealed with another key");
		else
			*ret_value = host->secret_new(value + first, size - first);
	}
	host->secret_free(key);
	return rc;
}

static int
store(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_secret *value)
{
	struct ringbearer_secret *key = NULL;
	char path[PATH_SIZE];
	FILE *file;
	int rc = path_of(call, item, path);

	if (rc == 0)
		rc = get_key(call, &key);
	if (rc < 0) {
		host->secret_free(key);
		return rc;
	}
	file = fopen(path, "we");
	if (!file || fputs(host->secret_data(key), file) < 0 || fputs(host->secret_data(value), file) < 0)
		rc = RINGBEARER_E_STORE_UNAVAILABLE;
	if (file && fclose(file) != 0)
		rc = RINGBEARER_E_STORE_UNAVAILABLE;
	host->secret_free(key);
	return rc;
}

static int
erase(struct ringbearer_call *call, const struct ringbearer_item *item)
{
	char path[PATH_SIZE];
	int rc = path_of(call, item, path);

	if (rc < 0)
		return rc;
	return unlink(path) == 0 || errno == ENOENT ? 0 : RINGBEARER_E_STORE_UNAVAILABLE;
}

/* -- the shared journal, of which there is only what people are told -- */

#ifndef LONELY
/* Calls TAKE with the two words of each line "NAME TEXT" of the file NAME in the folder, if it is there. */
static void
read_lines(const char *name, void (*take)(const char *word, const char *rest, void *data), void *data)
{
	const char *folder = getenv("RINGBEARER_TEST_STORE");
	char path[PATH_SIZE], line[VALUE_MAX], *rest;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "", name);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		rest = strchr(line, ' ');
		if (rest)
			*rest++ = '\0';
		take(line, rest ? rest : "", data);
	}
	if (file)
		(void)fclose(file);
}

/* "version 7", "lease 9", "holder TEXT", "mark TEXT", "token-x TEXT": in texts, "|" is a newline. */
static void
take_view(const char *word, const char *rest, void *data)
{
	struct ringbearer_view *view = data;
	char text[VALUE_MAX], *p;
	struct ringbearer_secret *value;
	struct ringbearer_record *record = &view->records[view->record_count];

	(void)snprintf(text, sizeof text, "%s", rest);
	for (p = text; *p; p++)
		*p = *p == '|' ? '\n' : *p;
	if (strcmp(word, "version") == 0)
		view->version = atoi(rest);
	if (strcmp(word, "lease") == 0)
		view->lease = atoi(rest);
	if (strcmp(word, "lease") == 0)
		return;
	value = host->secret_new(text, strlen(text));
	if (strcmp(word, "version") == 0) {
		view->value = value;
	} else if (strcmp(word, "holder") == 0) {
		view->holder = value;
	} else {
		(void)snprintf(view->names[view->record_count], sizeof view->names[0], "%s", word);
		record->name = view->names[view->record_count];
		record->value = value;
		view->record_count++;
	}
}

/* With a file "silent" there, nothing answers until the call's time is over. */
static int
answer(struct ringbearer_call *call)
{
	const char *folder = getenv("RINGBEARER_TEST_STORE");
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof path, "%s/silent", folder ? folder : "");
	if (access(path, F_OK) < 0)
		return 0;
	while (host->remaining_ms(call) > 0)
		(void)usleep(10000);
	return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "nobody answers; start it");
}

static int
view(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_view *ret_view)
{
	int rc = answer(call);

	(void)item;
	if (rc == 0)
		read_lines("view", take_view, ret_view);
	return rc;
}

static int
acquire(struct ringbearer_call *call, const struct ringbearer_item *item, const char *holder, int64_t seconds,
	int64_t displaces, const char *const *unless, struct ringbearer_view *ret_view)
{
	(void)holder, (void)seconds, (void)displaces, (void)unless;
	return view(call, item, ret_view) < 0 ? RINGBEARER_E_STORE_UNAVAILABLE : RINGBEARER_E_BUSY;
}

static int
keep(struct ringbearer_call *call, const struct ringbearer_item *item, int64_t lease)
{
	(void)call, (void)item, (void)lease;
	return RINGBEARER_E_BUSY;
}

static int
store_if(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_change *change,
	int64_t *ret_version)
{
	(void)call, (void)item, (void)change, (void)ret_version;
	return RINGBEARER_E_BUSY;
}

static int
wait_for(struct ringbearer_call *call, const struct ringbearer_item *item, int64_t revision, int64_t milliseconds)
{
	(void)call, (void)item, (void)revision, (void)milliseconds;
	return 0;
}

struct told {
	ringbearer_store_teller tell;
	void *data;
};

static void
tell_line(const char *word, const char *rest, void *data)
{
	const struct told *told = data;

	told->tell(word, rest, told->data);
}

static int
describe(struct ringbearer_call *call, ringbearer_store_teller tell, void *data)
{
	struct told told = {tell, data};

	read_lines("describe", tell_line, &told);
	return answer(call);
}

static int
list(struct ringbearer_call *call, const char *account, ringbearer_item_visitor visit, void *data)
{
	(void)account, (void)visit, (void)data;
	return answer(call);
}
#endif

static const struct ringbearer_store operations = {
	.size = sizeof operations,
	.lookup = lookup,
	.store = store,
	.erase = erase,
#ifndef LONELY
	.list = list,
	.view = view,
	.acquire = acquire,
	.keep = keep,
	.store_if = store_if,
	.wait = wait_for,
	.describe = describe,
#endif
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = NAME,
	.family = "store",
	.operations = &operations,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
