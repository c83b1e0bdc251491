/* SPDX-License-Identifier: MIT */
/* The service's keyrings ("collections"): which are open, and opening them. */
#ifndef RBR_SECRET_SERVICE_COLLECTIONS_H
#define RBR_SECRET_SERVICE_COLLECTIONS_H

#include "session.h"

/* To be called before anything is searched. 0 if a keyring is open, or a person may be asked for one (WORK->closed says that
 * the search itself will). RINGBEARER_E_STORE_LOCKED, _DISMISSED, _UNAVAILABLE (there is no keyring at all). */
int rbr_collections_open(struct rbr_work *work) __attribute__((warn_unused_result));

/* Nothing was found: RINGBEARER_E_NO_SECRET if a keyring is open, and can tell; else _UNAVAILABLE. */
int rbr_collections_absent(struct rbr_work *work) __attribute__((warn_unused_result));

/* Unlocks what is at PATHS (keyrings or items): all of it, or none will do. RINGBEARER_E_STORE_LOCKED, _DISMISSED,
 * _UNAVAILABLE. */
int rbr_collections_unlock(struct rbr_work *work, gchar **paths) __attribute__((warn_unused_result));

/* The same for who only wants to know the names of the items at PATHS: an item that is locked in an open keyring shows them. */
int rbr_collections_unlock_for_names(struct rbr_work *work, gchar **paths) __attribute__((warn_unused_result));

/* The keyring that new items go into, open; a person is asked where that takes one. Errors as above. */
int rbr_collections_default(struct rbr_work *work, gchar **ret_path) __attribute__((warn_unused_result));

#endif
