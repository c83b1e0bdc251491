/* SPDX-License-Identifier: MIT */
/*
 * Secrets in sealed files, for machines without a keyring service: `store = file`.
 *
 * One file for each secret. Its name is a hash of what names the secret, so that a lookup is one open, says nothing of the
 * secret, and finds "absent" without a key. In the file are two sealed values (seal.h): what it is, bound to the file's name, for
 * those who list; and the secret, bound to what it is:
 *
 *     "ringbearer sealed 1\n"
 *     4 bytes, the size of the first
 *     the first, the second
 *
 * A secret that was sealed with another key is never written over: the key may come back. It can be erased, with any key.
 */
#include "config.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "modules/seal/key.h"
#include "modules/seal/seal.h"

#define FIRST_LINE "ringbearer sealed 1\n"
#define FIRST_LINE_SIZE (sizeof FIRST_LINE - 1)
#define LENGTH_SIZE 4
#define HEAD_SIZE (FIRST_LINE_SIZE + LENGTH_SIZE)
#define SUFFIX RBR_SEAL_SUFFIX
#define NAME_HASH_SIZE 16
#define LABEL_MAX 1024
#define SECRET_MAX 131072 /* bytes */

static const struct ringbearer_host *host;

/* An operation at work. */
struct work {
	struct rbr_folder folder;
	struct rbr_seal_key_use use;
	struct rbr_seal_key key;
	bool has_key;
	bool trial; /* no account's: whether the store can be written */
	char bound[RBR_SEAL_BINDING_MAX]; /* what the item is, with NULs between */
	struct rbr_writer binding;
	rbr_file_name name;
};

/* The two parts of a file's content. */
struct parts {
	const unsigned char *what;
	size_t what_size;
	const unsigned char *secret;
	size_t secret_size;
};

static int
fail(const struct work *work, const char *name, const char *what)
{
	return host->fail(work->folder.call, RINGBEARER_E_STORE_UNAVAILABLE, "the sealed file %s/%s %s",
		work->folder.path, name, what);
}

static int
no_memory(const struct work *work)
{
	return host->fail(work->folder.call, RINGBEARER_E_SYSTEM, "out of memory");
}

/* -- names -- */

static int
begin(struct work *work, struct ringbearer_call *call)
{
	const char *named = host->config(call, "store_folder", 0), *state;
	int length;

	memset(work, 0, sizeof *work);
	work->folder = (struct rbr_folder){.host = host, .call = call, .named = named != NULL, .descriptor = -1};
	state = named ? named : host->config(call, "state_folder", 0);
	if (!state)
		return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
			"there is no home folder for the store; set HOME, or `store_folder`");
	length = snprintf(work->folder.path, sizeof work->folder.path, "%s%s", state, named ? "" : "/secrets");
	if (length < 0 || (size_t)length >= sizeof work->folder.path)
		return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "the path of the store's folder is too long");
	work->use = (struct rbr_seal_key_use){host, call, work->folder.path};
	return 0;
}

static int
end(struct work *work, int rc)
{
	rbr_folder_close(&work->folder);
	explicit_bzero(work, sizeof *work);
	return rc;
}

static int
name_item(struct work *work, const struct ringbearer_item *item)
{
	unsigned char hash[NAME_HASH_SIZE];
	char hex[2 * NAME_HASH_SIZE + 1];

	work->trial = strcmp(item->kind, "probe") == 0;
	work->binding = rbr_writer_start(work->bound, sizeof work->bound);
	rbr_seal_bind(item, &work->binding);
	if (!rbr_writer_fits(&work->binding))
		return host->fail(work->folder.call, RINGBEARER_E_CONFIG,
			"what the secret is bound to is too long; use fewer or shorter `match` values");
	(void)crypto_generichash(hash, sizeof hash, (const unsigned char *)work->bound, work->binding.used, NULL, 0);
	(void)sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	(void)snprintf(work->name, sizeof work->name, "%s" SUFFIX, hex);
	return 0;
}

static int
find_key(struct work *work)
{
	int rc = work->has_key ? 0 : rbr_seal_key_find(&work->use, &work->key);

	work->has_key = rc == 0;
	return rc;
}

/* -- content -- */

static bool
take_apart(const struct ringbearer_secret *content, struct parts *parts)
{
	const unsigned char *bytes = (const unsigned char *)host->secret_data(content);
	size_t size = host->secret_size(content);

	if (size < HEAD_SIZE + 2 * RBR_SEAL_OVERHEAD || memcmp(bytes, FIRST_LINE, FIRST_LINE_SIZE) != 0)
		return false;
	bytes += FIRST_LINE_SIZE;
	parts->what_size = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
	parts->what = bytes + LENGTH_SIZE;
	size -= HEAD_SIZE;
	if (parts->what_size < RBR_SEAL_OVERHEAD || parts->what_size > size - RBR_SEAL_OVERHEAD)
		return false;
	parts->secret = parts->what + parts->what_size;
	parts->secret_size = size - parts->what_size;
	return true;
}

static int
explain(const struct work *work, const char *name, enum rbr_seal_state state)
{
	char key[PATH_MAX + 32];

	switch (state) {
	case RBR_SEAL_LATER:
		return fail(work, name, "was written by a later version of ringbearer; install that one");
	case RBR_SEAL_OTHER_KEY:
		if (work->trial)
			return host->fail(work->folder.call, RINGBEARER_E_STORE_UNAVAILABLE,
				"what is in %s was sealed with another key than %s; put the right key back, or if it is lost, move the "
				"files *" SUFFIX
				" away from there and give the secrets again with `ringbearer secret ACCOUNT`",
				work->folder.path, rbr_seal_key_name(&work->use, key));
		return host->fail(work->folder.call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the sealed file %s/%s was sealed with another key than %s; put the right key back, or remove the file and give the secret again",
			work->folder.path, name, rbr_seal_key_name(&work->use, key));
	case RBR_SEAL_MOVED:
		return fail(work, name,
			"is not what was kept under this name; put it back from a backup, or remove it and give the secret again");
	case RBR_SEAL_SOUND:
	case RBR_SEAL_DAMAGED:
		break;
	}
	return fail(work, name, "is damaged; put it back from a backup, or give the secret again");
}

/* What is a file that begins in another way? */
static int
explain_head(const struct work *work, const char *name, const struct ringbearer_secret *content)
{
	size_t same = FIRST_LINE_SIZE - 2; /* up to the version */

	if (host->secret_size(content) > FIRST_LINE_SIZE && memcmp(host->secret_data(content), FIRST_LINE, same) == 0 &&
		host->secret_data(content)[same] > '1' && host->secret_data(content)[same] <= '9' &&
		host->secret_data(content)[same + 1] == '\n')
		return explain(work, name, RBR_SEAL_LATER);
	return explain(work, name, RBR_SEAL_DAMAGED);
}

/* Opens SIZE bytes at SEALED into a new secret. */
static int
open_part(const struct work *work, const char *name, const struct rbr_writer *binding, const unsigned char *sealed,
	size_t size, struct ringbearer_secret **ret_value)
{
	size_t value_size = size - RBR_SEAL_OVERHEAD;
	unsigned char *value = malloc(value_size + 1);
	enum rbr_seal_state state;
	int rc = 0;

	if (!value)
		return no_memory(work);
	state = rbr_seal_open(&work->key, binding, sealed, size, value);
	if (state != RBR_SEAL_SOUND)
		rc = explain(work, name, state);
	else if (!(*ret_value = host->secret_new(value, value_size)))
		rc = no_memory(work);
	explicit_bzero(value, value_size + 1);
	free(value);
	return rc;
}

/* -- the operations -- */

static int
open_secret(struct work *work, const struct ringbearer_secret *content, struct ringbearer_secret **ret_value)
{
	enum rbr_seal_state state;
	struct parts parts;
	int rc;

	if (!take_apart(content, &parts))
		return explain_head(work, work->name, content);
	/* Damage first: it is damage with any key. */
	state = rbr_seal_open(NULL, NULL, parts.what, parts.what_size, NULL);
	if (state == RBR_SEAL_SOUND)
		state = rbr_seal_open(NULL, NULL, parts.secret, parts.secret_size, NULL);
	if (state != RBR_SEAL_SOUND)
		return explain(work, work->name, state);
	rc = find_key(work);
	return rc < 0 ? rc : open_part(work, work->name, &work->binding, parts.secret, parts.secret_size, ret_value);
}

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	struct ringbearer_secret *content = NULL;
	struct work work;
	int rc = begin(&work, call);

	if (rc == 0)
		rc = name_item(&work, item);
	if (rc == 0)
		rc = rbr_folder_open(&work.folder, false);
	if (rc == 0)
		rc = rbr_folder_read(&work.folder, work.name, &content);
	if (rc == 0)
		rc = open_secret(&work, content, ret_value);
	host->secret_free(content);
	return end(&work, rc);
}

/* Is there a secret of another key, or one that a later version understands? It would be lost. */
static int
spare(const struct work *work)
{
	struct ringbearer_secret *content = NULL;
	struct parts parts;
	enum rbr_seal_state state = RBR_SEAL_DAMAGED;
	int rc = rbr_folder_read(&work->folder, work->name, &content);

	if (rc < 0)
		return rc == RINGBEARER_E_NO_SECRET ? 0 : rc;
	if (take_apart(content, &parts))
		state = rbr_seal_open(NULL, NULL, parts.secret, parts.secret_size, NULL);
	if (state == RBR_SEAL_SOUND && !rbr_seal_is_of(&work->key, parts.secret))
		state = RBR_SEAL_OTHER_KEY;
	if (state == RBR_SEAL_OTHER_KEY || state == RBR_SEAL_LATER)
		rc = explain(work, work->name, state);
	host->secret_free(content);
	return rc;
}

/* The file's content, of SIZE bytes. */
static int
seal(struct work *work, const struct ringbearer_item *item, const struct ringbearer_secret *value,
	unsigned char **ret_content, size_t *ret_size)
{
	char text[RBR_SEAL_BINDING_MAX + LABEL_MAX];
	rbr_file_name name;
	struct rbr_writer what = rbr_writer_start(text, sizeof text), place = rbr_writer_start(name, sizeof name);
	size_t size = host->secret_size(value), what_size;
	unsigned char *content;

	rbr_write(&what, work->bound, work->binding.used);
	if (item->label && strlen(item->label) < LABEL_MAX)
		rbr_write_text(&what, item->label);
	rbr_write_char(&what, '\0');
	what_size = what.used + RBR_SEAL_OVERHEAD;
	*ret_size = HEAD_SIZE + what_size + size + RBR_SEAL_OVERHEAD;
	content = malloc(*ret_size);
	if (!content)
		return no_memory(work);
	memcpy(content, FIRST_LINE, FIRST_LINE_SIZE);
	content[FIRST_LINE_SIZE] = (unsigned char)(what_size >> 24);
	content[FIRST_LINE_SIZE + 1] = (unsigned char)(what_size >> 16);
	content[FIRST_LINE_SIZE + 2] = (unsigned char)(what_size >> 8);
	content[FIRST_LINE_SIZE + 3] = (unsigned char)what_size;
	rbr_write_text(&place, work->name);
	rbr_seal(&work->key, &place, text, what.used, content + HEAD_SIZE);
	rbr_seal(&work->key, &work->binding, host->secret_data(value), size, content + HEAD_SIZE + what_size);
	*ret_content = content;
	return 0;
}

static int
store(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_secret *value)
{
	unsigned char *content = NULL;
	struct work work;
	size_t size = 0;
	int rc = begin(&work, call);

	if (rc == 0 && host->secret_size(value) > SECRET_MAX)
		rc = host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "the secret is longer than %d bytes", SECRET_MAX);
	if (rc == 0)
		rc = name_item(&work, item);
	if (rc == 0)
		rc = find_key(&work);
	if (rc == 0)
		rc = rbr_folder_open(&work.folder, true);
	if (rc == 0)
		rc = spare(&work);
	if (rc == 0)
		rc = seal(&work, item, value, &content, &size);
	if (rc == 0)
		rc = rbr_folder_write(&work.folder, work.name, content, size);
	free(content); /* nothing in there is in the clear */
	return end(&work, rc);
}

static int
erase(struct ringbearer_call *call, const struct ringbearer_item *item)
{
	struct ringbearer_secret *content = NULL;
	struct work work;
	int rc = begin(&work, call);

	if (rc == 0)
		rc = name_item(&work, item);
	if (rc == 0)
		rc = rbr_folder_open(&work.folder, false);
	/* A store that is locked stays as it is; whose key it is does not matter. */
	if (rc == 0)
		rc = rbr_folder_read(&work.folder, work.name, &content);
	host->secret_free(content);
	if (rc == 0)
		rc = find_key(&work);
	if (rc == 0)
		rc = rbr_folder_remove(&work.folder, work.name);
	return end(&work, rc == RINGBEARER_E_NO_SECRET ? 0 : rc);
}

struct tour {
	const char *account; /* NULL: all */
	ringbearer_item_visitor visit;
	void *data;
};

/* TEXT has five strings, one behind the other. */
static int
visit_item(const struct tour *tour, const struct ringbearer_secret *text)
{
	const char *words[5], *word = host->secret_data(text), *behind = word + host->secret_size(text);
	struct ringbearer_item item = {.size = sizeof item};
	size_t i;

	for (i = 0; i < 5; i++) {
		if (word >= behind)
			return 0;
		words[i] = word;
		word += strlen(word) + 1;
	}
	if (tour->account && strcmp(tour->account, words[0]) != 0)
		return 0;
	item.account = words[0];
	item.kind = words[1];
	item.client_id = words[2];
	item.endpoint = words[3];
	item.label = words[4][0] != '\0' ? words[4] : NULL;
	return tour->visit(&item, tour->data);
}

static int
visit_file(struct work *work, rbr_file_name name, const struct tour *tour)
{
	struct rbr_writer place = rbr_writer_start(work->bound, sizeof work->bound);
	struct ringbearer_secret *content = NULL, *what = NULL;
	struct parts parts;
	int rc = rbr_folder_read(&work->folder, name, &content);

	if (rc < 0)
		return rc == RINGBEARER_E_NO_SECRET ? 0 : rc; /* gone meanwhile */
	rbr_write_text(&place, name);
	if (!take_apart(content, &parts))
		rc = explain_head(work, name, content);
	else
		rc = open_part(work, name, &place, parts.what, parts.what_size, &what);
	if (rc == 0)
		rc = visit_item(tour, what);
	host->secret_free(what);
	host->secret_free(content);
	return rc;
}

/* One that cannot be opened is said when the others have been shown. */
static int
visit_files(struct work *work, rbr_file_name *names, size_t count, const struct tour *tour)
{
	int rc, first = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		rc = visit_file(work, names[i], tour);
		if (rc != 0 && rc != RINGBEARER_E_STORE_UNAVAILABLE)
			return rc;
		first = first == 0 ? rc : first;
	}
	return first;
}

static int
list(struct ringbearer_call *call, const char *account, ringbearer_item_visitor visit, void *data)
{
	const struct tour tour = {account, visit, data};
	rbr_file_name *names = NULL;
	struct work work;
	size_t count = 0;
	int rc = begin(&work, call);

	if (rc == 0)
		rc = rbr_folder_open(&work.folder, false);
	if (rc == 0)
		rc = rbr_folder_list(&work.folder, SUFFIX, &names, &count);
	if (rc == 0 && count > 0)
		rc = find_key(&work);
	if (rc == 0)
		rc = visit_files(&work, names, count, &tour);
	free(names);
	return end(&work, rc == RINGBEARER_E_NO_SECRET ? 0 : rc);
}

static int
prepare(struct ringbearer_call *call)
{
	struct work work;
	int rc = begin(&work, call);

	if (rc == 0)
		rc = rbr_folder_open(&work.folder, true);
	if (rc == 0)
		rc = rbr_seal_key_prepare(&work.use);
	return end(&work, rc);
}

static int
unlock(struct ringbearer_call *call)
{
	struct work work;
	int rc = begin(&work, call);

	if (rc == 0)
		rc = find_key(&work);
	return end(&work, rc);
}

static int
lock(struct ringbearer_call *call)
{
	struct work work;
	int rc = begin(&work, call);

	if (rc == 0)
		rc = rbr_seal_key_lock(&work.use);
	return end(&work, rc);
}

static const struct ringbearer_store operations = {
	.size = sizeof operations,
	.lookup = lookup,
	.store = store,
	.erase = erase,
	.list = list,
	.prepare = prepare,
	.unlock = unlock,
	.lock = lock,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "store-file",
	.family = "store",
	.operations = &operations,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR || !rbr_seal_start())
		return NULL;
	host = given_host;
	return &module;
}
