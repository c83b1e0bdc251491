/* SPDX-License-Identifier: MIT */
/* A folder of small files that are whole or not there: written beside, on disk before they get their names, and the names on
 * disk before anybody is told. */
#ifndef RBR_STORE_FOLDER_H
#define RBR_STORE_FOLDER_H

#include <limits.h>

#include "protocol/module.h"

#define RBR_FILE_MAX (160u * 1024) /* bytes */

struct rbr_folder {
	const struct ringbearer_host *host;
	struct ringbearer_call *call;
	char path[PATH_MAX];
	bool named; /* the account says where it is: somebody has made it, or it is not mounted */
	int descriptor; /* -1 while it is closed */
};

/* Opens the folder, or makes it with those above it (MAKE). RINGBEARER_E_NO_SECRET if it is not there and nobody has named it;
 * RINGBEARER_E_STORE_UNAVAILABLE, also if others could put files there. */
int rbr_folder_open(struct rbr_folder *folder, bool make);
void rbr_folder_close(struct rbr_folder *folder);

/* The content of NAME, to be freed. RINGBEARER_E_NO_SECRET if there is no such file. Bytes of a stranger:
 * fuzz-sealed. */
int rbr_folder_read(const struct rbr_folder *folder, const char *name, struct ringbearer_secret **ret_content);

/* Puts SIZE bytes under NAME, in the place of what was there: the old or the new is there at any time. A full disk, a file
 * system that is read-only and a folder that is not the user's are told apart. */
int rbr_folder_write(const struct rbr_folder *folder, const char *name, const void *bytes, size_t size);

/* Removes NAME; 0 also if there was none. */
int rbr_folder_remove(const struct rbr_folder *folder, const char *name);

/* The names that end with SUFFIX, the one that was changed last first: *RET_COUNT of them, one malloc()ed block. */
typedef char rbr_file_name[64];
int rbr_folder_list(const struct rbr_folder *folder, const char *suffix, rbr_file_name **ret_names, size_t *ret_count);

#endif
