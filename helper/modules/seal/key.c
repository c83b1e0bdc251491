/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "passphrase.h"

#define KEY_FILE "store.key"
#define CREDENTIAL "ringbearer.key"
#define KEY_WORDS "ringbearer key 1 " /* then 64 digits and a newline */
#define KEY_TEXT_SIZE (sizeof KEY_WORDS - 1 + 2 * RBR_SEAL_KEY_SIZE + 1)
#define TEXT_MAX 512

enum source { SOURCE_FILE, SOURCE_CREDENTIAL, SOURCE_PASSPHRASE };

/* -- files -- */

long
rbr_seal_key_read_file(int descriptor, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got = 1;

	while (used < size - 1 && got != 0) {
		got = read(descriptor, text + used, size - 1 - used);
		if (got < 0 && errno != EINTR)
			return -1;
		used += got > 0 ? (size_t)got : 0;
	}
	text[used] = '\0';
	return (long)used;
}

static int
write_all(int descriptor, const char *text, size_t size)
{
	ssize_t put;

	while (size > 0) {
		put = write(descriptor, text, size);
		if (put < 0 && errno != EINTR)
			return -1;
		text += put > 0 ? put : 0;
		size -= put > 0 ? (size_t)put : 0;
	}
	return fsync(descriptor);
}

/* Makes the folder PATH and those above it, for the user alone. */
static void
make_folders(const char *path)
{
	char part[PATH_MAX];
	char *slash = part;

	(void)snprintf(part, sizeof part, "%s", path);
	while (slash) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		(void)mkdir(part, 0700); /* what is missing is said when the file is made */
		if (slash)
			*slash = '/';
	}
}

int
rbr_seal_key_write_file(const char *path, const char *text, size_t size)
{
	char temporary[PATH_MAX], folder[PATH_MAX];
	int descriptor, directory, number = 0;

	if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
		return ENAMETOOLONG;
	*strrchr(folder, '/') = '\0';
	if (snprintf(temporary, sizeof temporary, "%s/.new-XXXXXX", folder) >= (int)sizeof temporary)
		return ENAMETOOLONG;
	make_folders(folder);
	descriptor = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	if (descriptor < 0)
		return errno;
	if (write_all(descriptor, text, size) < 0 || link(temporary, path) < 0)
		number = errno;
	(void)close(descriptor);
	(void)unlink(temporary);
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0) {
		(void)fsync(directory);
		(void)close(directory);
	}
	return number;
}

/* -- where it is -- */

/* FOLDER/NAME; false if there is no such folder, or it is too long. */
static bool
join(const char *folder, const char *name, char path[PATH_MAX])
{
	size_t size = folder ? strlen(folder) : 0;
	int length;

	if (size == 0)
		return false;
	length = snprintf(path, PATH_MAX, "%s%s%s", folder, folder[size - 1] == '/' ? "" : "/", name);
	return length > 0 && length < PATH_MAX;
}

/* Which source, and its path. "" if there is none of the kind. */
static enum source
locate(const struct rbr_seal_key_use *use, char path[PATH_MAX])
{
	const char *wanted = use->host->config(use->call, "store_key", 0),
		   *named = use->host->config(use->call, "store_key_file", 0);
	bool any = !wanted || strcmp(wanted, "auto") == 0;

	path[0] = '\0';
	if (wanted && strcmp(wanted, "passphrase") == 0)
		return SOURCE_PASSPHRASE;
	if ((any && !named) || (wanted && strcmp(wanted, "credential") == 0)) {
		if (!join(use->host->config(use->call, "credentials_folder", 0), CREDENTIAL, path))
			path[0] = '\0';
		if (!any || (path[0] != '\0' && access(path, F_OK) == 0))
			return SOURCE_CREDENTIAL;
	}
	if (named)
		(void)snprintf(path, PATH_MAX, "%s", named);
	else if (!join(use->host->config(use->call, "config_folder", 0), KEY_FILE, path))
		path[0] = '\0';
	return SOURCE_FILE;
}

const char *
rbr_seal_key_name(const struct rbr_seal_key_use *use, char name[PATH_MAX + 32])
{
	char path[PATH_MAX];
	enum source source = locate(use, path);

	(void)snprintf(name, PATH_MAX + 32, "the %s%s", source == SOURCE_PASSPHRASE ? "passphrase" : "key ", path);
	return name;
}

const char *
rbr_seal_key_command(const struct rbr_seal_key_use *use, const char *word, char text[RBR_SEAL_COMMAND_MAX])
{
	static const struct {
		const char *key, *option;
	} options[] = {{"store_folder", "folder"}, {"store_key", "key"}, {"store_key_file", "key-file"}};
	struct rbr_writer out = rbr_writer_start(text, RBR_SEAL_COMMAND_MAX);
	const char *value;
	size_t i;

	rbr_write_format(&out, "ringbearer store %s", word);
	if (use->host->config(use->call, "account_file", 0)) {
		rbr_write_format(&out, " %s", use->host->config(use->call, "account", 0));
		return text;
	}
	for (i = 0; i < sizeof options / sizeof *options; i++) {
		value = use->host->config(use->call, options[i].key, 0);
		if (value && strcmp(value, "auto") != 0)
			rbr_write_format(&out, " --store-%s=%s", options[i].option, value);
	}
	return text;
}

/* Are there sealed files, whose key is not made of a passphrase? */
static bool
has_sealed(const struct rbr_seal_key_use *use)
{
	DIR *all = opendir(use->folder);
	size_t size, end = sizeof RBR_SEAL_SUFFIX - 1;
	struct dirent *entry;
	bool found = false;

	while (all && !found && (entry = readdir(all))) {
		size = strlen(entry->d_name);
		found = entry->d_name[0] != '.' && size > end &&
			strcmp(entry->d_name + size - end, RBR_SEAL_SUFFIX) == 0;
	}
	if (all)
		(void)closedir(all);
	return found && !rbr_passphrase_present(use);
}

/* -- reading -- */

/* The text that prepare() makes, or 32 bytes as they come. */
static bool
understand(const char *text, size_t size, struct rbr_seal_key *ret_key)
{
	unsigned char bytes[RBR_SEAL_KEY_SIZE];
	size_t words = sizeof KEY_WORDS - 1, made = 0;
	bool good = size == RBR_SEAL_KEY_SIZE;

	if (good)
		memcpy(bytes, text, sizeof bytes);
	else if ((size == KEY_TEXT_SIZE || size == KEY_TEXT_SIZE - 1) && strncmp(text, KEY_WORDS, words) == 0)
		good = sodium_hex2bin(bytes, sizeof bytes, text + words, 2 * sizeof bytes, NULL, &made, NULL) == 0 &&
			made == sizeof bytes && (text[KEY_TEXT_SIZE - 1] == '\n' || text[KEY_TEXT_SIZE - 1] == '\0');
	if (good)
		rbr_seal_take_key(bytes, ret_key);
	explicit_bzero(bytes, sizeof bytes);
	return good;
}

static int
fail(const struct rbr_seal_key_use *use, const char *path, const char *what)
{
	return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE, "the store's key %s %s", path, what);
}

static int
fail_system(const struct rbr_seal_key_use *use, const char *path, const char *what, int number)
{
	return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the store's key %s cannot be %s: %s; see to it and try again", path, what, strerror(number));
}

static int
check_owner(const struct rbr_seal_key_use *use, const char *path, const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		return fail(use, path, "is no regular file; name another with `store_key_file`");
	if (status->st_uid != geteuid() && status->st_uid != 0)
		return fail(use, path, "belongs to another user; make one of your own with `ringbearer store init`");
	if (status->st_mode & (S_IRWXG | S_IRWXO))
		return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store's key %s can be read by others; run `chmod 600 %s`, and think of who may have read it",
			path, path);
	return 0;
}

static int
missing(const struct rbr_seal_key_use *use, enum source source, const char *path)
{
	char command[RBR_SEAL_COMMAND_MAX];

	if (source == SOURCE_CREDENTIAL)
		return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store has no key: this is no service with the credential %s; give its unit LoadCredentialEncrypted=%s",
			CREDENTIAL, CREDENTIAL);
	if (has_sealed(use))
		return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"secrets are sealed in %s with a key that is gone: there is no %s; put your copy of it back, or if it is lost, "
			"move the files *" RBR_SEAL_SUFFIX " away from there and run `%s`",
			use->folder, path, rbr_seal_key_command(use, "init", command));
	return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the store has no key yet: there is no %s; run `%s`", path, rbr_seal_key_command(use, "init", command));
}

static int
read_key(const struct rbr_seal_key_use *use, enum source source, const char *path, struct rbr_seal_key *ret_key)
{
	char text[TEXT_MAX];
	struct stat status;
	long size = -1;
	int rc = 0, descriptor = path[0] == '\0' ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (descriptor < 0)
		return path[0] == '\0' || errno == ENOENT ? missing(use, source, path)
							  : fail(use, path, strerror(errno));
	if (fstat(descriptor, &status) < 0)
		rc = fail_system(use, path, "read", errno);
	else if (source == SOURCE_FILE) /* what systemd hands over is the service's alone */
		rc = check_owner(use, path, &status);
	if (rc == 0) {
		size = rbr_seal_key_read_file(descriptor, text, sizeof text);
		if (size < 0)
			rc = fail_system(use, path, "read", errno);
		else if (!understand(text, (size_t)size, ret_key))
			rc = fail(use, path,
				"is no key; it has to be as `ringbearer store init` makes it, or 32 bytes long");
	}
	(void)close(descriptor);
	explicit_bzero(text, sizeof text);
	return rc;
}

int
rbr_seal_key_find(const struct rbr_seal_key_use *use, struct rbr_seal_key *ret_key)
{
	char path[PATH_MAX];
	enum source source = locate(use, path);

	return source == SOURCE_PASSPHRASE ? rbr_passphrase_key(use, ret_key) : read_key(use, source, path, ret_key);
}

/* -- making -- */

static int
make_file(const struct rbr_seal_key_use *use, const char *path)
{
	char text[KEY_TEXT_SIZE + 1] = KEY_WORDS;
	struct rbr_seal_key key;
	int number;

	if (has_sealed(use))
		return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"secrets are sealed in %s with a key that is gone: there is no %s, and a new key would not open them; put "
			"your copy of it back, or if it is lost, move the files *" RBR_SEAL_SUFFIX
			" away from there and run this again",
			use->folder, path);
	rbr_seal_make_key(&key);
	(void)sodium_bin2hex(text + sizeof KEY_WORDS - 1, 2 * RBR_SEAL_KEY_SIZE + 1, key.bytes, sizeof key.bytes);
	text[KEY_TEXT_SIZE - 1] = '\n';
	number = rbr_seal_key_write_file(path, text, KEY_TEXT_SIZE);
	explicit_bzero(text, sizeof text);
	explicit_bzero(&key, sizeof key);
	if (number != 0)
		return fail_system(use, path, "written", number);
	use->host->tell(use->call,
		"The key is in %s. Keep a copy where it is safe: without it nobody can read what is sealed with it.",
		path);
	return 0;
}

int
rbr_seal_key_prepare(const struct rbr_seal_key_use *use)
{
	struct rbr_seal_key key;
	char path[PATH_MAX];
	enum source source = locate(use, path);
	int rc;

	if (source == SOURCE_PASSPHRASE)
		return rbr_passphrase_prepare(use);
	if (source == SOURCE_FILE && path[0] != '\0' && access(path, F_OK) < 0 && errno == ENOENT)
		return make_file(use, path);
	rc = read_key(use, source, path, &key);
	explicit_bzero(&key, sizeof key);
	if (rc == 0)
		use->host->tell(use->call, "There is a key already: %s", path);
	return rc;
}

int
rbr_seal_key_lock(const struct rbr_seal_key_use *use)
{
	char path[PATH_MAX];

	if (locate(use, path) == SOURCE_PASSPHRASE)
		rbr_passphrase_forget(use);
	return 0;
}
