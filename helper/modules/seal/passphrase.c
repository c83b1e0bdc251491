/* SPDX-License-Identifier: MIT */
/*
 * What a passphrase is made into, by Argon2id, is the key; who that key is, and the salt, stand in the file `passphrase` beside
 * what is sealed, so that a wrong passphrase is known before anything is opened. The key rests in the kernel's keyring for
 * `store_passphrase_time`, as records do (cache.c): made aside, given its end, and only then put where others find it.
 */
#include "config.h"

#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/keyctl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules/process/process.h"

#define RECORD "passphrase"
#define WORDS "ringbearer passphrase 1"
#define TEXT_MAX 512
#define SALT_SIZE crypto_pwhash_argon2id_SALTBYTES
#define SUM_SIZE 16
/* Argon2id as RFC 9106 section 4 has it for machines with little memory. */
#define PASSES 3
#define MEMORY (64u * 1024 * 1024)
/* More than this is no file of ours: it would keep the machine busy. */
#define PASSES_MAX 64
#define MEMORY_MAX (1024u * 1024 * 1024)
#define DESCRIPTION_MAX 64
/* As in cache.c. */
#define PERMISSIONS (0x3f000000u | 0x00010000u | 0x00080000u)
#define ASKER "/usr/bin/systemd-ask-password"
#define TRIES 3

struct recipe {
	unsigned long long passes;
	size_t memory;
	unsigned char salt[SALT_SIZE];
	unsigned char id[RBR_SEAL_ID_SIZE];
};

/* -- the file -- */

static int
fail(const struct rbr_seal_key_use *use, const char *what)
{
	return use->host->fail(
		use->call, RINGBEARER_E_STORE_UNAVAILABLE, "the file %s/" RECORD " %s", use->folder, what);
}

static int
fail_system(const struct rbr_seal_key_use *use, const char *what, int number)
{
	return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the file %s/" RECORD " cannot be %s: %s; see to it and try again", use->folder, what,
		strerror(number));
}

static int
path_of(const struct rbr_seal_key_use *use, char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s/" RECORD, use->folder);

	return length > 0 && length < PATH_MAX ? 0 : fail(use, "has too long a path; name a shorter `store_folder`");
}

static void
hash_line(const char *line, size_t size, char hex[2 * SUM_SIZE + 1])
{
	unsigned char sum[SUM_SIZE];

	(void)crypto_generichash(sum, sizeof sum, (const unsigned char *)line, size, NULL, 0);
	(void)sodium_bin2hex(hex, 2 * SUM_SIZE + 1, sum, sizeof sum);
}

/* TEXT: the words, passes, bytes of memory, salt, who the key is, and a hash of the line so far. */
static bool
understand(const char *text, size_t size, struct recipe *recipe)
{
	char salt[2 * SALT_SIZE + 1], id[2 * RBR_SEAL_ID_SIZE + 1], sum[2 * SUM_SIZE + 1], wanted[2 * SUM_SIZE + 1];
	uint64_t passes, memory;
	int end = 0;

	if (sscanf(text, WORDS " %" SCNu64 " %" SCNu64 " %32[0-9a-f] %32[0-9a-f] %n%32[0-9a-f]", &passes, &memory, salt,
		    id, &end, sum) != 5 ||
		end <= 0 || (size_t)end + 2 * SUM_SIZE + 1 != size || text[size - 1] != '\n')
		return false;
	hash_line(text, (size_t)end, wanted);
	if (strcmp(sum, wanted) != 0 || passes < 1 || passes > PASSES_MAX || memory < 8192 || memory > MEMORY_MAX)
		return false;
	recipe->passes = passes;
	recipe->memory = (size_t)memory;
	return strlen(salt) == 2 * SALT_SIZE && strlen(id) == 2 * RBR_SEAL_ID_SIZE &&
		sodium_hex2bin(recipe->salt, SALT_SIZE, salt, strlen(salt), NULL, NULL, NULL) == 0 &&
		sodium_hex2bin(recipe->id, RBR_SEAL_ID_SIZE, id, strlen(id), NULL, NULL, NULL) == 0;
}

/* RINGBEARER_E_NO_SECRET if there is no such file. */
static int
read_recipe(const struct rbr_seal_key_use *use, struct recipe *recipe)
{
	char path[PATH_MAX], text[TEXT_MAX];
	long size;
	int descriptor, rc = path_of(use, path);

	if (rc < 0)
		return rc;
	descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (descriptor < 0)
		return errno == ENOENT ? RINGBEARER_E_NO_SECRET : fail_system(use, "read", errno);
	size = rbr_seal_key_read_file(descriptor, text, sizeof text);
	(void)close(descriptor);
	if (size < 0)
		return fail_system(use, "read", errno);
	return understand(text, (size_t)size, recipe)
		? 0
		: fail(use, "is damaged; put it back from a backup: without it no passphrase opens what is sealed");
}

static int
write_recipe(const struct rbr_seal_key_use *use, const struct recipe *recipe)
{
	char path[PATH_MAX], text[TEXT_MAX], salt[2 * SALT_SIZE + 1], id[2 * RBR_SEAL_ID_SIZE + 1],
		sum[2 * SUM_SIZE + 1];
	struct rbr_writer out = rbr_writer_start(text, sizeof text);
	int number, rc = path_of(use, path);

	if (rc < 0)
		return rc;
	(void)sodium_bin2hex(salt, sizeof salt, recipe->salt, SALT_SIZE);
	(void)sodium_bin2hex(id, sizeof id, recipe->id, RBR_SEAL_ID_SIZE);
	rbr_write_format(&out, WORDS " %llu %zu %s %s ", recipe->passes, recipe->memory, salt, id);
	hash_line(text, out.used, sum);
	rbr_write_text(&out, sum);
	rbr_write_char(&out, '\n');
	number = rbr_seal_key_write_file(path, text, out.used);
	return number == 0 ? 0 : fail_system(use, "written", number);
}

bool
rbr_passphrase_present(const struct rbr_seal_key_use *use)
{
	struct recipe recipe;

	return read_recipe(use, &recipe) == 0;
}

/* -- the kernel's keyring -- */

static long
keyctl(int operation, long a, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_keyctl, operation, a, b, c, d);
}

static void
describe(const struct recipe *recipe, char description[DESCRIPTION_MAX])
{
	char id[2 * RBR_SEAL_ID_SIZE + 1];

	(void)sodium_bin2hex(id, sizeof id, recipe->id, RBR_SEAL_ID_SIZE);
	(void)snprintf(description, DESCRIPTION_MAX, "ringbearer-store:%s", id);
}

static long
search(const struct recipe *recipe)
{
	char description[DESCRIPTION_MAX];

	describe(recipe, description);
	return keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (unsigned long)"user", (unsigned long)description, 0);
}

static bool
is_the_one(const unsigned char bytes[RBR_SEAL_KEY_SIZE], const struct recipe *recipe, struct rbr_seal_key *ret_key)
{
	rbr_seal_take_key(bytes, ret_key);
	return memcmp(ret_key->id, recipe->id, sizeof ret_key->id) == 0;
}

static bool
recall(const struct recipe *recipe, struct rbr_seal_key *ret_key)
{
	unsigned char bytes[RBR_SEAL_KEY_SIZE];
	long serial = search(recipe), size;
	bool found;

	if (serial < 0)
		return false;
	size = keyctl(KEYCTL_READ, serial, (unsigned long)bytes, sizeof bytes, 0);
	if (size < 0 && errno == EACCES) { /* no path leads there from this session */
		(void)keyctl(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, (unsigned long)(long)KEY_SPEC_THREAD_KEYRING, 0, 0);
		size = keyctl(KEYCTL_READ, serial, (unsigned long)bytes, sizeof bytes, 0);
		(void)keyctl(KEYCTL_UNLINK, KEY_SPEC_USER_KEYRING, (unsigned long)(long)KEY_SPEC_THREAD_KEYRING, 0, 0);
	}
	found = size == (long)sizeof bytes && is_the_one(bytes, recipe, ret_key);
	explicit_bzero(bytes, sizeof bytes);
	return found;
}

static void
keep(const struct rbr_seal_key_use *use, const struct recipe *recipe, const struct rbr_seal_key *key)
{
	const char *text = use->host->config(use->call, "store_passphrase_time", 0);
	unsigned long seconds = text ? strtoul(text, NULL, 10) : 1;
	char description[DESCRIPTION_MAX];
	long serial;

	describe(recipe, description);
	serial = syscall(
		SYS_add_key, "user", description, key->bytes, sizeof key->bytes, (long)KEY_SPEC_PROCESS_KEYRING);
	if (serial < 0) {
		use->host->log(use->call, RINGBEARER_LOG_WARNING,
			"the kernel's keyring does not take the store's key (%s); the passphrase will be asked for each time",
			strerror(errno));
		return;
	}
	if (keyctl(KEYCTL_SET_TIMEOUT, serial, seconds, 0, 0) == 0 &&
		keyctl(KEYCTL_SETPERM, serial, PERMISSIONS, 0, 0) == 0)
		(void)keyctl(KEYCTL_LINK, serial, (unsigned long)(long)KEY_SPEC_USER_KEYRING, 0, 0);
	(void)keyctl(KEYCTL_UNLINK, serial, (unsigned long)(long)KEY_SPEC_PROCESS_KEYRING, 0, 0);
}

void
rbr_passphrase_forget(const struct rbr_seal_key_use *use)
{
	struct recipe recipe;
	long serial;

	if (read_recipe(use, &recipe) < 0)
		return;
	serial = search(&recipe);
	if (serial >= 0 && keyctl(KEYCTL_INVALIDATE, serial, 0, 0, 0) < 0)
		(void)keyctl(KEYCTL_UNLINK, serial, (unsigned long)(long)KEY_SPEC_USER_KEYRING, 0, 0);
}

/* -- a person -- */

/* Would anybody see a question of systemd? Without a desktop it waits for nobody. */
static bool
is_watched(void)
{
	return access(ASKER, X_OK) == 0 && (secure_getenv("DISPLAY") || secure_getenv("WAYLAND_DISPLAY"));
}

/* Where there is no terminal, by whatever systemd has for such questions. NEW: it is one that does not exist yet. */
static int
ask_elsewhere(const struct rbr_seal_key_use *use, bool new, const char *prompt, struct ringbearer_secret **ret_line)
{
	char command[RBR_SEAL_COMMAND_MAX];
	char program[] = ASKER, id[] = "--id=ringbearer", apart[] = "--", text[160];
	char *words[] = {program, id, apart, text, NULL};
	struct rbr_run run = {.host = use->host, .call = use->call, .words = words, .with_person = true};
	size_t size;
	int rc;

	if (!is_watched())
		return use->host->fail(use->call, new ? RINGBEARER_E_STORE_UNAVAILABLE : RINGBEARER_E_STORE_LOCKED,
			"the store %s, and there is no terminal to ask for %s; run `%s` in one",
			new ? "has no passphrase yet" : "is locked", new ? "one" : "its passphrase",
			rbr_seal_key_command(use, new ? "init" : "unlock", command));
	(void)snprintf(text, sizeof text, "%s", prompt);
	run.output = use->host->secret_new("", 0);
	rc = run.output ? rbr_process_run(&run) : use->host->fail(use->call, RINGBEARER_E_SYSTEM, "out of memory");
	size = run.output ? use->host->secret_size(run.output) : 0;
	if (size > 0 && use->host->secret_data(run.output)[size - 1] == '\n')
		size--;
	if (rc == 0 && (run.status != 0 || size == 0))
		rc = use->host->fail(use->call, RINGBEARER_E_STORE_DISMISSED,
			"the store %s, and nobody answered when it was asked for %s; run `%s`",
			new ? "has no passphrase yet" : "is locked", new ? "one" : "its passphrase",
			rbr_seal_key_command(use, new ? "init" : "unlock", command));
	if (rc == 0)
		*ret_line = use->host->secret_new(use->host->secret_data(run.output), size);
	if (rc == 0 && !*ret_line)
		rc = use->host->fail(use->call, RINGBEARER_E_SYSTEM, "out of memory");
	use->host->secret_free(run.output);
	return rc;
}

static int
ask(const struct rbr_seal_key_use *use, bool new, const char *prompt, struct ringbearer_secret **ret_line)
{
	int rc = use->host->ask(use->call, prompt, ret_line);

	return rc == RINGBEARER_E_USAGE ? ask_elsewhere(use, new, prompt, ret_line) : rc;
}

/* What LINE is made into. */
static int
derive(const struct rbr_seal_key_use *use, const struct recipe *recipe, const struct ringbearer_secret *line,
	struct rbr_seal_key *ret_key)
{
	unsigned char bytes[RBR_SEAL_KEY_SIZE];

	if (crypto_pwhash(bytes, sizeof bytes, use->host->secret_data(line), use->host->secret_size(line), recipe->salt,
		    recipe->passes, recipe->memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return use->host->fail(use->call, RINGBEARER_E_SYSTEM,
			"there are no %zu MiB of memory for the passphrase; end other programs and try again",
			recipe->memory / (1024 * 1024));
	rbr_seal_take_key(bytes, ret_key);
	explicit_bzero(bytes, sizeof bytes);
	return 0;
}

int
rbr_passphrase_key(const struct rbr_seal_key_use *use, struct rbr_seal_key *ret_key)
{
	char command[RBR_SEAL_COMMAND_MAX];
	struct ringbearer_secret *line;
	struct recipe recipe = {.passes = 0};
	int tries, rc = read_recipe(use, &recipe);

	if (rc == RINGBEARER_E_NO_SECRET)
		return use->host->fail(use->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store has no passphrase yet; run `%s`", rbr_seal_key_command(use, "init", command));
	if (rc < 0 || recall(&recipe, ret_key))
		return rc;
	if (!use->host->interactive(use->call))
		return use->host->fail(use->call, RINGBEARER_E_STORE_LOCKED,
			"the store is locked; run `%s`, which asks for its passphrase",
			rbr_seal_key_command(use, "unlock", command));
	for (tries = 0; rc == 0 && tries < TRIES; tries++) {
		rc = ask(use, false, "Passphrase of ringbearer's store (it is not shown): ", &line);
		if (rc < 0)
			break;
		rc = derive(use, &recipe, line, ret_key);
		use->host->secret_free(line);
		if (rc == 0 && memcmp(ret_key->id, recipe.id, sizeof recipe.id) == 0) {
			keep(use, &recipe, ret_key);
			return 0;
		}
		explicit_bzero(ret_key, sizeof *ret_key);
		if (rc == 0 && tries + 1 < TRIES)
			use->host->tell(use->call, "That is not the passphrase; try again.");
	}
	return rc < 0 ? rc
		      : use->host->fail(use->call, RINGBEARER_E_STORE_DISMISSED,
				"that is not the passphrase of the store %s; try again", use->folder);
}

/* Twice the same; RINGBEARER_E_USAGE where another try may do. */
static int
think_once(const struct rbr_seal_key_use *use, struct ringbearer_secret **ret_line)
{
	struct ringbearer_secret *again = NULL;
	int rc = ask(use, true, "A passphrase for ringbearer's store (it is not shown): ", ret_line);

	if (rc == 0)
		rc = ask(use, true, "Once more: ", &again);
	if (rc == 0 && use->host->secret_size(*ret_line) == 0)
		rc = use->host->fail(use->call, RINGBEARER_E_USAGE, "the passphrase is empty; think of a longer one");
	else if (rc == 0 && strcmp(use->host->secret_data(*ret_line), use->host->secret_data(again)) != 0)
		rc = use->host->fail(use->call, RINGBEARER_E_USAGE, "these were two different passphrases; try again");
	use->host->secret_free(again);
	return rc;
}

/* A prompt that ended now would have the next passphrase typed into a shell. */
static int
think_of_one(const struct rbr_seal_key_use *use, struct ringbearer_secret **ret_line)
{
	int tries, rc = think_once(use, ret_line);

	for (tries = 1; rc == RINGBEARER_E_USAGE && *ret_line && tries < TRIES; tries++) {
		use->host->tell(use->call, "%s; try again.",
			use->host->secret_size(*ret_line) == 0 ? "The passphrase is empty"
							       : "These were two different passphrases");
		use->host->secret_free(*ret_line);
		*ret_line = NULL;
		rc = think_once(use, ret_line);
	}
	return rc;
}

int
rbr_passphrase_prepare(const struct rbr_seal_key_use *use)
{
	struct recipe recipe = {.passes = PASSES, .memory = MEMORY};
	struct ringbearer_secret *line = NULL;
	struct rbr_seal_key key;
	int rc = read_recipe(use, &recipe);

	if (rc == 0)
		use->host->tell(use->call, "There is a passphrase already: it belongs to %s/" RECORD, use->folder);
	if (rc != RINGBEARER_E_NO_SECRET)
		return rc;
	rc = think_of_one(use, &line);
	if (rc == 0) {
		randombytes_buf(recipe.salt, sizeof recipe.salt);
		rc = derive(use, &recipe, line, &key);
	}
	if (rc == 0) {
		memcpy(recipe.id, key.id, sizeof recipe.id);
		rc = write_recipe(use, &recipe);
		if (rc == 0)
			keep(use, &recipe, &key);
	}
	explicit_bzero(&key, sizeof key);
	use->host->secret_free(line);
	if (rc == 0)
		use->host->tell(use->call,
			"The passphrase belongs to %s/" RECORD
			", which is no secret: keep a copy of it with those of the sealed files.",
			use->folder);
	return rc;
}
