/* SPDX-License-Identifier: MIT */
/*
 * A store that is elsewhere, or says so: each value is a file below $RINGBEARER_TEST_STORE whose first line is the key that it was
 * "sealed" with, and can be read with that key only. Good enough for a test and for nothing else. It has the shared journal
 * in name, so that ringbearer takes it for one that many machines share; not with -DLONELY. -DNAME=TEXT is its name.
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
	if (rc < 0)
		return rc;
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

#ifndef LONELY
static int
view(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_view *ret_view)
{
	(void)item;
	(void)ret_view;
	return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "there is nothing to see");
}
#endif

static const struct ringbearer_store operations = {
	.size = sizeof operations,
	.lookup = lookup,
	.store = store,
	.erase = erase,
#ifndef LONELY
	.view = view,
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
