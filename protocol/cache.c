/* SPDX-License-Identifier: MIT */
/*
 * How a record lives in the kernel.
 *
 * Anchor. Records hang in @u. A keyring of the session (@s) would die with the login or with `keyctl session`, and
 * @u is linked from the default session keyring, so that a process of the same user normally possesses what is in it.
 *
 * Possession. A key's owner may see it; reading needs possession, that is, a path from the process's own keyrings
 * to the key. Services with a private session keyring, cron and `keyctl session` have no such path: the search in @u finds
 * the key and the read says EACCES. @u is then linked into the thread's keyring for as long as the reading takes. That
 * makes a path to what is in @u and to nothing that was displaced from it, in no other thread, and leaves the caller's own
 * keyrings, in which the kernel looks for other programs' keys, as they were. Not reading by ownership alone keeps other
 * user namespaces of the same user out.
 *
 * Coming back. Who asks again may name the key that it was answered from: it can be read without a search as long as it is in
 * @u. One that was displaced, dropped or is over cannot, and is searched for.
 *
 * Publishing. Updating a key, or adding one of the same name, clears its timeout: there would be a moment in which
 * the token outlives its expiry. A new key is therefore made in the process keyring, given its timeout and permissions,
 * and then linked into @u, which displaces the old one in one step.
 *
 * Quota. An ordinary user has 200 keys and 20,000 bytes for everything, kerberos tickets included. Records carry
 * timeouts and are small; when the quota is used up, nothing is cached and everything else goes on.
 */
#include "config.h"

#include "cache.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEY_TYPE "user"
#define PREFIX "ringbearer:"
#define DESCRIPTION_MAX 40
#define PAYLOAD_MAX 32767 /* of a "user" key */
#define FIRST_READ 1000
#define KEYS_VISITED_MAX 4096
/* Possessor: everything. Owner: view and search (the names show in /proc/keys, the payload does not). */
#define PERMISSIONS (0x3f000000u | 0x00010000u | 0x00080000u)
#define SEPARATOR "\x1f"

/* keyctl(2) and add_key(2) have no wrappers in libc. */
static long
keyctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_keyctl, operation, a, b, c, d);
}

static unsigned long
keyring(int special)
{
	return (unsigned long)(long)special;
}

uint64_t
rbr_hash(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

void
rbr_cache_key_wipe(struct rbr_cache_key *key)
{
	rbr_secret_wipe(&key->text);
}

int
rbr_cache_key_add(struct rbr_cache_key *key, const char *component)
{
	int rc = key->text.size > 0 ? rbr_secret_append(&key->text, SEPARATOR, 1) : 0;

	return rc < 0 ? rc : rbr_secret_append_string(&key->text, component);
}

static void
describe(const struct rbr_cache_key *key, char description[DESCRIPTION_MAX])
{
	memcpy(description, PREFIX, sizeof PREFIX);
	*rbr_hex(description + sizeof PREFIX - 1, rbr_hash(key->text.data, key->text.size)) = '\0';
}

static long
search(const char *description)
{
	return keyctl(
		KEYCTL_SEARCH, keyring(KEY_SPEC_USER_KEYRING), (unsigned long)KEY_TYPE, (unsigned long)description, 0);
}

/* Reads the payload of the key SERIAL. The kernel answers with the length it would have needed. */
static bool
read_payload(long serial, struct ringbearer_secret *payload)
{
	size_t wanted = FIRST_READ;
	long length;

	for (;;) {
		rbr_secret_wipe(payload);
		if (rbr_secret_reserve(payload, wanted) < 0)
			return false;
		length = keyctl(KEYCTL_READ, (unsigned long)serial, (unsigned long)payload->data, wanted, 0);
		if (length < 0 || length > PAYLOAD_MAX)
			return false;
		if ((size_t)length <= wanted)
			break;
		wanted = (size_t)length;
	}
	payload->size = (size_t)length;
	payload->data[length] = '\0';
	return true;
}

static bool
read_possessed(long serial, struct ringbearer_secret *payload)
{
	bool done;

	if (keyctl(KEYCTL_LINK, keyring(KEY_SPEC_USER_KEYRING), keyring(KEY_SPEC_THREAD_KEYRING), 0, 0) < 0)
		return false;
	done = read_payload(serial, payload);
	(void)keyctl(KEYCTL_UNLINK, keyring(KEY_SPEC_USER_KEYRING), keyring(KEY_SPEC_THREAD_KEYRING), 0, 0);
	return done;
}

static bool
fetch(long serial, struct ringbearer_secret *payload)
{
	return read_payload(serial, payload) || (errno == EACCES && read_possessed(serial, payload));
}

/* Is PAYLOAD a record of KEY? */
static bool
understand(const struct ringbearer_secret *payload, const struct rbr_cache_key *key, struct rbr_message *record)
{
	const char *text;

	if (rbr_message_parse(
		    record, payload->data, payload->size, RBR_DIALECT_WIRE, "cache", RINGBEARER_E_SYSTEM, NULL) == 0) {
		text = rbr_message_get(record, "for");
		if (text && strcmp(text, rbr_secret_string(&key->text)) == 0)
			return true;
	}
	rbr_message_wipe(record);
	return false;
}

bool
rbr_cache_read_again(const struct rbr_cache_key *key, long *seen, struct rbr_message *record)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
	char description[DESCRIPTION_MAX];

	if (*seen > 0 && fetch(*seen, &payload) && understand(&payload, key, record))
		return true;
	describe(key, description);
	*seen = search(description);
	return *seen > 0 && fetch(*seen, &payload) && understand(&payload, key, record);
}

bool
rbr_cache_read(const struct rbr_cache_key *key, struct rbr_message *record)
{
	long seen = 0;

	return rbr_cache_read_again(key, &seen, record);
}

/* Puts PAYLOAD into the kernel and links it into @u; the description must fit. */
static bool
publish(const char *description, const struct ringbearer_secret *payload, unsigned seconds)
{
	long serial = syscall(
		SYS_add_key, KEY_TYPE, description, payload->data, payload->size, (long)KEY_SPEC_PROCESS_KEYRING);
	bool done;

	if (serial < 0)
		return false;
	done = keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)serial, seconds, 0, 0) == 0 &&
		keyctl(KEYCTL_SETPERM, (unsigned long)serial, PERMISSIONS, 0, 0) == 0 &&
		keyctl(KEYCTL_LINK, (unsigned long)serial, keyring(KEY_SPEC_USER_KEYRING), 0, 0) == 0;
	(void)keyctl(KEYCTL_UNLINK, (unsigned long)serial, keyring(KEY_SPEC_PROCESS_KEYRING), 0, 0);
	return done;
}

/* What goes into the kernel. */
static bool
write_out(const struct rbr_cache_key *key, const struct rbr_message *record, struct ringbearer_secret *payload)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message head = RBR_MESSAGE_EMPTY;

	return rbr_message_add(&head, "for", rbr_secret_string(&key->text)) == 0 &&
		rbr_message_format(&head, payload) == 0 && rbr_message_format(record, payload) == 0 &&
		payload->size <= PAYLOAD_MAX;
}

static unsigned
within_limits(int64_t seconds)
{
	if (seconds < 1)
		return 1;
	return seconds > RBR_CACHE_SECONDS_MAX ? RBR_CACHE_SECONDS_MAX : (unsigned)seconds;
}

bool
rbr_cache_write(const struct rbr_cache_key *key, const struct rbr_message *record, int64_t seconds)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
	char description[DESCRIPTION_MAX];

	describe(key, description);
	return write_out(key, record, &payload) && publish(description, &payload, within_limits(seconds));
}

bool
rbr_cache_park(const struct rbr_cache_key *key, const struct rbr_message *record, int64_t seconds)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
	char description[DESCRIPTION_MAX];
	long serial;

	describe(key, description);
	if (!write_out(key, record, &payload))
		return false;
	serial = syscall(SYS_add_key, KEY_TYPE, description, payload.data, payload.size, (long)KEY_SPEC_USER_KEYRING);
	if (serial < 0)
		return false;
	(void)keyctl(KEYCTL_SETPERM, (unsigned long)serial, PERMISSIONS, 0, 0);
	(void)keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)serial, within_limits(seconds), 0, 0);
	return true;
}

static void
drop(long serial)
{
	if (keyctl(KEYCTL_INVALIDATE, (unsigned long)serial, 0, 0, 0) < 0)
		(void)keyctl(KEYCTL_UNLINK, (unsigned long)serial, keyring(KEY_SPEC_USER_KEYRING), 0, 0);
}

void
rbr_cache_drop(const struct rbr_cache_key *key)
{
	char description[DESCRIPTION_MAX];
	long serial;

	describe(key, description);
	serial = search(description);
	if (serial >= 0)
		drop(serial);
}

/* Is the key SERIAL one of ours? Its description reads "type;uid;gid;permissions;name". */
static bool
is_ours(long serial)
{
	char text[256];
	long length = keyctl(KEYCTL_DESCRIBE, (unsigned long)serial, (unsigned long)text, sizeof text, 0);
	const char *last;

	if (length <= 0 || (size_t)length > sizeof text || strncmp(text, KEY_TYPE ";", sizeof KEY_TYPE) != 0)
		return false;
	last = strrchr(text, ';');
	return last && strncmp(last + 1, PREFIX, sizeof PREFIX - 1) == 0;
}

void
rbr_cache_visit(rbr_cache_visitor visit, void *data)
{
	int32_t serials[KEYS_VISITED_MAX];
	long length = keyctl(KEYCTL_READ, keyring(KEY_SPEC_USER_KEYRING), (unsigned long)serials, sizeof serials, 0);
	size_t count = length < 0 ? 0 : (size_t)length / sizeof serials[0];
	size_t i;

	if (count > KEYS_VISITED_MAX)
		count = KEYS_VISITED_MAX;
	for (i = 0; i < count; i++) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;
		RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

		if (is_ours(serials[i]) && fetch(serials[i], &payload) &&
			rbr_message_parse(&record, payload.data, payload.size, RBR_DIALECT_WIRE, "cache",
				RINGBEARER_E_SYSTEM, NULL) == 0 &&
			visit(&record, data))
			drop(serials[i]);
	}
}
