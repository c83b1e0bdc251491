/* SPDX-License-Identifier: MIT */
/*
 * A sealed file that anybody may have damaged or made up: what it holds is found as it was sealed, or an error is said. The first
 * byte of an input chooses: the rest is a file, or it is what happens to a sound one, offsets in two bytes and what goes there.
 *
 *    with: stores/file/file.c
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "fake-host.h"
#include "fuzz.h"
#include "modules/stores/file/folder.h"

#define CONTENT_MAX (RBR_FILE_MAX + 4096)
#define VALUE "what was sealed"

FUZZ_UP_TO(CONTENT_MAX)

static const struct ringbearer_item item = {
	.size = sizeof item, .account = "acme", .kind = "api_key", .client_id = "none", .endpoint = "https://a.test/"};
static const struct ringbearer_store *store;
static char folder[] = "/tmp/fuzz-sealed-XXXXXX";
static char key[64], path[128];
static uint8_t sound[4096];
static size_t sound_size;

static void
put(const char *name, const void *bytes, size_t size)
{
	int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_EXPECT(file >= 0 && write(file, bytes, size) == (ssize_t)size && close(file) == 0);
}

static void
begin(struct ringbearer_call *call)
{
	fake_call_start(call);
	fake_add(call, "store_folder", folder);
	fake_add(call, "store_key_file", key);
}

/* Makes the sound file, once. */
static void
prepare(struct ringbearer_call *call)
{
	static const char bytes[32] = {7};
	struct ringbearer_secret *value = fake_host()->secret_new(VALUE, sizeof VALUE - 1);
	struct dirent *entry;
	DIR *all;
	int file;

	FUZZ_EXPECT(mkdtemp(folder) != NULL);
	(void)snprintf(key, sizeof key, "%s/key", folder);
	put(key, bytes, sizeof bytes);
	store = ringbearer_module_init(RINGBEARER_MODULE_ABI, fake_host())->operations;
	begin(call);
	FUZZ_EXPECT(store->store(call, &item, value) == 0);
	fake_host()->secret_free(value);
	all = opendir(folder);
	while (all && (entry = readdir(all)))
		if (strstr(entry->d_name, ".sealed"))
			(void)snprintf(path, sizeof path, "%s/%.64s", folder, entry->d_name);
	(void)closedir(all);
	file = open(path, O_RDONLY | O_CLOEXEC);
	sound_size = (size_t)read(file, sound, sizeof sound);
	(void)close(file);
}

static int
count(const struct ringbearer_item *found, void *data)
{
	FUZZ_EXPECT(strcmp(found->account, item.account) == 0 && strcmp(found->endpoint, item.endpoint) == 0);
	++*(unsigned *)data;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ringbearer_call call;
	struct ringbearer_secret *value = NULL;
	uint8_t content[sizeof sound];
	unsigned found = 0;
	size_t i;
	int rc;

	if (!store)
		prepare(&call);
	if (size == 0)
		return 0;
	memcpy(content, sound, sizeof content);
	for (i = 1; !(data[0] & 1) && i + 2 < size; i += 3)
		content[((size_t)data[i] << 8 | data[i + 1]) % sound_size] = data[i + 2];
	if (data[0] & 1)
		put(path, data + 1, size - 1);
	else
		put(path, content, sound_size);
	begin(&call);
	rc = store->lookup(&call, &item, &value);
	FUZZ_EXPECT(
		rc == 0 || (rc == RINGBEARER_E_STORE_UNAVAILABLE && rc == call.code && fuzz_is_printable(call.detail)));
	FUZZ_EXPECT((rc == 0) == (value != NULL));
	if (rc == 0) {
		FUZZ_EXPECT(!(data[0] & 1) && memcmp(content, sound, sound_size) == 0);
		FUZZ_EXPECT(strcmp(fake_host()->secret_data(value), VALUE) == 0);
		fake_host()->secret_free(value);
	}
	FUZZ_EXPECT(fake_secrets() == 0);
	begin(&call);
	rc = store->list(&call, NULL, count, &found);
	FUZZ_EXPECT(rc == 0 ? found == 1 : rc == RINGBEARER_E_STORE_UNAVAILABLE && found == 0);
	return 0;
}
