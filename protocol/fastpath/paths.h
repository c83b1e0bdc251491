/* SPDX-License-Identifier: MIT */
/* Where things lie: the user's own folder first, then the system's. */
#ifndef RBR_PATHS_H
#define RBR_PATHS_H

#include <limits.h>

#include "protocol/error.h"

enum rbr_place {
	RBR_PLACE_USER, /* $XDG_CONFIG_HOME/ringbearer, else ~/.config/ringbearer */
	RBR_PLACE_SYSTEM, /* $sysconfdir/ringbearer */
	RBR_PLACE_SHIPPED, /* $datadir/ringbearer, or the folder that RINGBEARER_PROVIDER_DIR names */
};

/* The user's home by the user database, for where HOME is not set; NULL if there is none. The front program has
 * no user database and says NULL. */
const char *rbr_home(void);

/* The folder of account files ("accounts") or provider files ("providers") at PLACE.
 * RINGBEARER_E_CONFIG if the user has no home or the path is too long. */
int rbr_path_folder(enum rbr_place place, const char *what, char ret_path[PATH_MAX], struct rbr_error *error)
	RBR_MUST_CHECK;

/* The folder for what lasts and is no configuration: $XDG_STATE_HOME/ringbearer, else ~/.local/state/ringbearer; or
 * the system's. RINGBEARER_E_CONFIG if the user has no home or the path is too long. */
int rbr_path_state(enum rbr_place place, char ret_path[PATH_MAX], struct rbr_error *error) RBR_MUST_CHECK;

/* Where systemd puts the credentials of the service that this is; NULL elsewhere. */
const char *rbr_path_credentials(void);

/* FOLDER/NAME. */
int rbr_path_join(const char *folder, const char *name, char ret_path[PATH_MAX], struct rbr_error *error)
	RBR_MUST_CHECK;

/* The module folder: RINGBEARER_MODULE_DIR (ignored in secure execution), else the package's own. */
const char *rbr_path_modules(void);

/* Makes the folder PATH with its parents, each 0700. */
int rbr_path_make(const char *path, struct rbr_error *error) RBR_MUST_CHECK;

#endif
