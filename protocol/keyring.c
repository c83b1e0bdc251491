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
 * timeouts and are small; what the quota has no room for goes to the second tier, see memory.c.
 */
#include "config.h"

#include "keyring.h"

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
#define FIRST_READ 1000
#define KEYS_VISITED_MAX 4096
/* Possessor: everything. Owner: view and search (the names show in /proc/keys, the payload does not). */
#define PERMISSIONS (0x3f000000u | 0x00010000u | 0x00080000u)

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

static void
describe(uint64_t name, char description[DESCRIPTION_MAX])
{
	memcpy(description, PREFIX, sizeof PREFIX);
	*rbr_hex(description + sizeof PREFIX - 1, name) = '\0';
}

long
rbr_keyring_search(uint64_t name)
{
	char description[DESCRIPTION_MAX];

	describe(name, description);
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
		if (length < 0 || length > RBR_KEYRING_PAYLOAD_MAX)
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

bool
rbr_keyring_read(long serial, struct ringbearer_secret *payload)
{
	return read_payload(serial, payload) || (errno == EACCES && read_possessed(serial, payload));
}

bool
rbr_keyring_write(uint64_t name, const struct ringbearer_secret *payload, unsigned seconds)
{
	char description[DESCRIPTION_MAX];
	long serial;
	bool done;

	describe(name, description);
	serial = syscall(
		SYS_add_key, KEY_TYPE, description, payload->data, payload->size, (long)KEY_SPEC_PROCESS_KEYRING);
	if (serial < 0)
		return false;
	done = keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)serial, seconds, 0, 0) == 0 &&
		keyctl(KEYCTL_SETPERM, (unsigned long)serial, PERMISSIONS, 0, 0) == 0 &&
		keyctl(KEYCTL_LINK, (unsigned long)serial, keyring(KEY_SPEC_USER_KEYRING), 0, 0) == 0;
	(void)keyctl(KEYCTL_UNLINK, (unsigned long)serial, keyring(KEY_SPEC_PROCESS_KEYRING), 0, 0);
	return done;
}

bool
rbr_keyring_park(uint64_t name, const struct ringbearer_secret *payload, unsigned seconds)
{
	char description[DESCRIPTION_MAX];
	long serial;

	describe(name, description);
	serial = syscall(SYS_add_key, KEY_TYPE, description, payload->data, payload->size, (long)KEY_SPEC_USER_KEYRING);
	if (serial < 0)
		return false;
	(void)keyctl(KEYCTL_SETPERM, (unsigned long)serial, PERMISSIONS, 0, 0);
	(void)keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)serial, seconds, 0, 0);
	return true;
}

void
rbr_keyring_drop(long serial)
{
	if (serial > 0 && keyctl(KEYCTL_INVALIDATE, (unsigned long)serial, 0, 0, 0) < 0)
		(void)keyctl(KEYCTL_UNLINK, (unsigned long)serial, keyring(KEY_SPEC_USER_KEYRING), 0, 0);
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
rbr_keyring_visit(bool (*visit)(const struct ringbearer_secret *payload, void *data), void *data)
{
	int32_t serials[KEYS_VISITED_MAX];
	long length = keyctl(KEYCTL_READ, keyring(KEY_SPEC_USER_KEYRING), (unsigned long)serials, sizeof serials, 0);
	size_t count = length < 0 ? 0 : (size_t)length / sizeof serials[0];
	size_t i;

	if (count > KEYS_VISITED_MAX)
		count = KEYS_VISITED_MAX;
	for (i = 0; i < count; i++) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret payload = RBR_SECRET_EMPTY;

		if (is_ours(serials[i]) && rbr_keyring_read(serials[i], &payload) && visit(&payload, data))
			rbr_keyring_drop(serials[i]);
	}
}
