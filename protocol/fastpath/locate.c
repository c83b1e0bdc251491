/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "locate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if !HAVE_DECL_STATX
#include <linux/stat.h>
#include <sys/syscall.h>
#endif

_Static_assert(sizeof RBR_DEFAULTS <= sizeof "accounts", "a name fits where the other was");
/* Four numbers of 64 bits, four of 32, and what is behind each. */
_Static_assert(4 * RBR_HEX_MAX + 4 * RBR_HEX_MAX / 2 + 8 <= RBR_STAMP_MAX, "a stamp has room");

const enum rbr_place rbr_account_places[RBR_ACCOUNT_PLACES] = {RBR_PLACE_USER, RBR_PLACE_SYSTEM};

int
rbr_config_trust(const char *path, unsigned mode, unsigned owner, struct rbr_error *error)
{
	if (!S_ISREG(mode))
		return rbr_fail(error, RINGBEARER_E_CONFIG, "%s is not a regular file", path);
	if (mode & (S_IWGRP | S_IWOTH))
		return rbr_fail(
			error, RINGBEARER_E_CONFIG, "%s can be written by others; run `chmod go-w %s`", path, path);
	if (owner != 0 && owner != geteuid())
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"%s belongs to another user (%u); it must be yours or root's", path, owner);
	return 0;
}

int
rbr_account_check_name(const char *name, struct rbr_error *error)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-");

	if (size == 0 || size > RBR_ACCOUNT_NAME_MAX || name[size] != '\0' || name[0] == '.' || name[0] == '-')
		return rbr_fail(error, RINGBEARER_E_USAGE,
			"`%.70s` is no name of an account; use 1 to %d letters, digits and `._@-`, the first no dot or dash",
			name, RBR_ACCOUNT_NAME_MAX);
	return 0;
}

/* Returns where the NUL is. */
static char *
put_stamp(const struct statx *status, char *stamp)
{
	/* cp -p, rsync and touch -r set the time of the contents; that of the last change is the kernel's own. */
	const uint64_t numbers[] = {status->stx_dev_major, status->stx_dev_minor, status->stx_ino, status->stx_size,
		(uint64_t)status->stx_ctime.tv_sec, status->stx_ctime.tv_nsec};
	static const char behind[RBR_ARRAY_SIZE(numbers)] = {':', ':', ':', ':', '.', '\0'};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(numbers); i++) {
		stamp = rbr_hex(stamp, numbers[i]);
		*stamp++ = behind[i];
	}
	return stamp - 1;
}

#if !HAVE_DECL_STATX /* musl has it from 1.2.4 on */
static int
statx(int folder, const char *path, int flags, unsigned mask, struct statx *status)
{
	return (int)syscall(SYS_statx, folder, path, flags, mask, status);
}
#endif

static int
look(const char *path, struct statx *status)
{
	return statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT,
		STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME, status);
}

int64_t
rbr_stamp(const char *path, char stamp[RBR_STAMP_MAX])
{
	struct statx status;

	if (look(path, &status) < 0) {
		memcpy(stamp, "-", sizeof "-");
		return 0;
	}
	(void)put_stamp(&status, stamp);
	return status.stx_mtime.tv_sec;
}

/* An edited file of defaults makes tokens void as an edited account does. FOLDER, of accounts, becomes the path of the
 * defaults beside it. Returns where the NUL is. */
static char *
add_defaults(char folder[PATH_MAX], char *stamp)
{
	struct statx status;

	memcpy(strrchr(folder, '/') + 1, RBR_DEFAULTS, sizeof RBR_DEFAULTS);
	if (look(folder, &status) < 0)
		return stamp;
	*stamp++ = ' ';
	return put_stamp(&status, stamp);
}

int
rbr_account_locate(const char *name, struct rbr_located *ret_located, struct rbr_error *error)
{
	char folder[PATH_MAX], *end;
	struct statx status;
	size_t i, each;
	int rc = rbr_account_check_name(name, error);

	for (i = 0; rc == 0 && i < RBR_ACCOUNT_PLACES; i++) {
		rc = rbr_path_folder(rbr_account_places[i], "accounts", folder, error);
		if (rc == 0)
			rc = rbr_path_join(folder, name, ret_located->path, error);
		if (rc < 0)
			break;
		if (look(ret_located->path, &status) == 0) {
			end = put_stamp(&status, ret_located->stamp);
			for (each = 0; each < RBR_ACCOUNT_PLACES; each++)
				if ((each == 0 && i == 0) || /* it is what is there */
					rbr_path_folder(rbr_account_places[each], "accounts", folder, NULL) == 0)
					end = add_defaults(folder, end);
			return rbr_config_trust(ret_located->path, status.stx_mode, status.stx_uid, error);
		}
		if (errno != ENOENT && errno != ENOTDIR)
			return rbr_fail(error, RINGBEARER_E_CONFIG, "%s cannot be read: %s", ret_located->path,
				strerror(errno));
	}
	if (rc < 0)
		return rc;
	return rbr_fail(error, RINGBEARER_E_NO_ACCOUNT, "there is no account `%s`", name);
}
