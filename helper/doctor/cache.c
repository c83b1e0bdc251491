/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "checks.h"
#include "protocol/cache.h"
#include "protocol/keyring.h"
#include "protocol/memory.h"

#define KERNEL "cache: kernel keyring"
#define MEMORY "cache: memory"
#define TRIAL "ringbearer doctor"
#define TRIAL_SECONDS 5
#define LOW_KEYS 4 /* a token, its verdict, its mark and what is parked */
#define LOW_BYTES 8192 /* a long token with its record */

struct quota {
	unsigned long keys, keys_max, bytes, bytes_max;
};

/* A line for each user: `UID: usage nkeys/nikeys keys/max bytes/max` (keyrings(7)). */
static bool
read_quota(struct quota *ret_quota)
{
	FILE *file = fopen("/proc/key-users", "re");
	char line[160];
	unsigned user;
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		found = sscanf(line, " %u: %*u %*u/%*u %lu/%lu %lu/%lu", &user, &ret_quota->keys, &ret_quota->keys_max,
				&ret_quota->bytes, &ret_quota->bytes_max) == 5 &&
			user == geteuid();
	if (file)
		(void)fclose(file);
	return found;
}

/* Keeps a record that says nothing, reads it and drops it. */
static bool
try_kernel(void)
{
	const uint64_t name = rbr_hash(TRIAL, sizeof TRIAL - 1) ^ (uint64_t)getpid();
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY, found = RBR_SECRET_EMPTY;
	bool works;
	long serial;

	if (rbr_secret_append_string(&text, TRIAL) < 0)
		return false;
	errno = 0;
	works = rbr_keyring_write(name, &text, TRIAL_SECONDS);
	serial = works ? rbr_keyring_search(name) : -1;
	works = works && serial >= 0 && rbr_keyring_read(serial, &found);
	if (serial >= 0)
		rbr_keyring_drop(serial);
	return works;
}

static void
tell_kernel(struct rbr_checkup *checkup)
{
	struct quota quota;

	if (!read_quota(&quota))
		rbr_well(checkup, KERNEL, "usable; /proc/key-users does not say what room is left");
	else if (quota.keys + LOW_KEYS > quota.keys_max || quota.bytes + LOW_BYTES > quota.bytes_max)
		rbr_well(checkup, KERNEL,
			"nearly full: %lu of %lu keys and %lu of %lu bytes are taken; what does not fit goes to memory",
			quota.keys, quota.keys_max, quota.bytes, quota.bytes_max);
	else
		rbr_well(checkup, KERNEL, "room for %lu keys of %lu and %lu bytes of %lu", quota.keys_max - quota.keys,
			quota.keys_max, quota.bytes_max - quota.bytes, quota.bytes_max);
}

static const char *
why_no_folder(int number)
{
	if (number == ENOTSUP)
		return "it is not in memory (tmpfs)";
	return number == EPERM ? "it is not this user's alone" : strerror(number);
}

static void
tell_no_folder(struct rbr_checkup *checkup, const char *folder, int number)
{
	if (number == EPERM)
		rbr_ill(checkup, MEMORY, RINGBEARER_E_SYSTEM,
			"%s: %s; look at who made it: `ls -ld %s`, and have it removed", folder, why_no_folder(number),
			folder);
	else
		rbr_ill(checkup, MEMORY, RINGBEARER_E_SYSTEM, "%s: %s; have users write to a tmpfs there%s", folder,
			why_no_folder(number), number == EROFS ? ": `mount -o remount,rw /dev/shm`" : "");
}

void
rbr_check_cache(struct rbr_checkup *checkup)
{
	char folder[RBR_MEMORY_PATH_MAX];
	struct statvfs room;
	bool kernel = try_kernel();
	const char *why = errno != 0 ? strerror(errno) : "what was kept cannot be read";
	bool memory;

	errno = 0;
	memory = rbr_memory_folder(folder);
	if (kernel)
		tell_kernel(checkup);
	else if (memory)
		rbr_unchecked(checkup, KERNEL, "not to be had here (%s): tokens are kept in memory alone", why);
	else
		rbr_ill(checkup, KERNEL, RINGBEARER_E_SYSTEM,
			"no token can be kept, each call is a renewal (%s); have a tmpfs at /dev/shm: `mount -t tmpfs tmpfs /dev/shm`",
			why);
	if (memory && statvfs(folder, &room) == 0)
		rbr_well(checkup, MEMORY, "%s, %llu MB free", folder,
			(unsigned long long)room.f_bavail * room.f_frsize / (1024 * 1024));
	else if (memory)
		rbr_well(checkup, MEMORY, "%s", folder);
	else if (kernel)
		rbr_unchecked(
			checkup, MEMORY, "not to be had: %s: %s; the kernel keyring is", folder, why_no_folder(errno));
	else
		tell_no_folder(checkup, folder, errno);
}
