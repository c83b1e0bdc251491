/* SPDX-License-Identifier: MIT */
/*
 * A store module as somebody else would write it: with the installed headers alone. It keeps each value in a file of its
 * own below $RINGBEARER_TEST_STORE, unprotected, which is good enough for a test and for nothing else.
 *
 * Compiled with -DVARIANT=NAME it is wrong in one way or another; see modules.test.mjs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ringbearer/module.h>

#define PATH_SIZE 4096
#define VALUE_MAX 65536

/* The preprocessor has to know them. */
#define SOUND 0
#define OTHER_MAJOR 1
#define LATER_MINOR 2
#define UNDEFINED_SYMBOL 3
#define NO_INIT 4
#define WRONG_NAME 5
#define NO_NAME 6
#define ONLY_LOOKUP 7 /* a vtable that ends behind lookup: from before there were store, erase and list */
#define TOO_SMALL 8
#define LARGER 9
#define REFUSES 10
#define ODD_CODE 11 /* answers with a number that is no code */
#define NOTHING 12 /* says that it found something and hands over nothing */
#define SAYS_LOCKED 13 /* fails without saying why */
#define OTHER_FAMILY 14 /* says that it is a grant */
#define NO_OPERATIONS 15

#ifndef VARIANT
#define VARIANT SOUND
#endif

#if VARIANT == UNDEFINED_SYMBOL
extern int nobody_has_this_function(void);
#endif

static const struct ringbearer_host *host;

static int
path_of(struct ringbearer_call *call, const struct ringbearer_item *item, char path[PATH_SIZE])
{
	const char *folder = getenv("RINGBEARER_TEST_STORE");
	int length = folder ? snprintf(path, PATH_SIZE, "%s/%s.%s", folder, item->account, item->kind) : -1;

	if (length < 0 || length >= PATH_SIZE)
		return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
			"there is no folder for values; set RINGBEARER_TEST_STORE");
	return 0;
}

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	char path[PATH_SIZE], value[VALUE_MAX];
	FILE *file;
	size_t size;
	int rc = path_of(call, item, path);

	if (rc < 0)
		return rc;
	if (VARIANT == ODD_CODE)
		return 42;
	if (VARIANT == NOTHING)
		return 0;
	if (VARIANT == SAYS_LOCKED)
		return RINGBEARER_E_STORE_LOCKED;
	host->log(call, RINGBEARER_LOG_TRACE, "sample: looking for the %s of %s", item->kind,
		host->config(call, "account", 0));
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT
			? RINGBEARER_E_NO_SECRET
			: host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
				  "the sample store cannot be read: %s; see RINGBEARER_TEST_STORE", strerror(errno));
	size = fread(value, 1, sizeof value, file);
	(void)fclose(file);
	*ret_value = host->secret_new(value, size);
	return *ret_value ? 0 : host->fail(call, RINGBEARER_E_SYSTEM, "out of memory");
}

static int
store(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_secret *value)
{
	char path[PATH_SIZE];
	FILE *file;
	size_t size = host->secret_size(value), written;
	int rc = path_of(call, item, path);

	if (rc < 0)
		return rc;
	file = fopen(path, "we");
	if (!file)
		return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the sample store cannot be written: %s; see RINGBEARER_TEST_STORE", strerror(errno));
	written = fwrite(host->secret_data(value), 1, size, file);
	return fclose(file) == 0 && written == size ? 0 : RINGBEARER_E_STORE_UNAVAILABLE;
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

static struct {
	struct ringbearer_store store;
	void (*later)(void); /* what a later minor might append */
} operations = {
	.store =
		{
			.size = VARIANT == LARGER        ? (uint32_t)sizeof operations
				: VARIANT == ONLY_LOOKUP ? (uint32_t)offsetof(struct ringbearer_store, store)
							 : (uint32_t)sizeof operations.store,
			.lookup = lookup,
			.store = store,
			.erase = erase,
		},
};

static const struct ringbearer_module module = {
	.abi = VARIANT == OTHER_MAJOR    ? (RINGBEARER_MODULE_ABI_MAJOR + 1) << 16
		: VARIANT == LATER_MINOR ? RINGBEARER_MODULE_ABI + 7
					 : RINGBEARER_MODULE_ABI,
	.size = VARIANT == TOO_SMALL ? (uint32_t)offsetof(struct ringbearer_module, operations)
				     : (uint32_t)sizeof module,
	.name = VARIANT == NO_NAME      ? NULL
		: VARIANT == WRONG_NAME ? "store-other"
					: "store-sample",
	.family = VARIANT == OTHER_FAMILY ? "grant" : "store",
	.operations = VARIANT == NO_OPERATIONS ? NULL : &operations,
};

#if VARIANT != NO_INIT
const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (VARIANT == REFUSES || host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
#if VARIANT == UNDEFINED_SYMBOL
	(void)nobody_has_this_function();
#endif
	return &module;
}
#endif
