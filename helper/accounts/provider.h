/* SPDX-License-Identifier: MIT */
/*
 * Providers: what a service prescribes, as data. A provider file holds account keys, and some of its own:
 * `title` and `documentation` (a link) for people, `tenant_domain` (a tenant without a dot is a name in this
 * domain), `needs` (keys that an account must have for an OAuth grant), `denied_hint` (what it takes to be allowed to
 * consent) and `rejected_hint`. `{name}` in a value is filled in from the
 * account's key of that name.
 */
#ifndef RBR_PROVIDER_H
#define RBR_PROVIDER_H

#include <limits.h>
#include <stdbool.h>

#include "file_trust.h"
#include "protocol/fastpath/locate.h"
#include "protocol/message.h"

struct rbr_provider {
	struct rbr_message lines;
	char path[PATH_MAX];
	enum rbr_place place;
};

#define RBR_PROVIDER_EMPTY ((struct rbr_provider){.lines = {RBR_SECRET_EMPTY, NULL, 0, 0}})

void rbr_provider_wipe(struct rbr_provider *provider);

/* Finds and reads the provider NAME: shipped, then the system's, then the user's own. RINGBEARER_E_CONFIG. */
int rbr_provider_load(const char *name, struct rbr_provider *ret_provider, struct rbr_error *error) RBR_MUST_CHECK;

/* Is KEY one of the keys that only provider files have? */
bool rbr_provider_has_key(const char *key);

/* Calls VISIT with the name of every provider, each once, in no order, until it returns non-zero; returns that. */
typedef int (*rbr_provider_visitor)(const char *name, void *data);
int rbr_provider_visit(rbr_provider_visitor visit, void *data, struct rbr_error *error);

/* Reads a configuration file that others must not be able to write. RINGBEARER_E_CONFIG. Bytes of a stranger:
 * fuzz-account. */
int rbr_config_read(const char *path, enum rbr_trust trust, struct rbr_message *lines, struct rbr_error *error)
	RBR_MUST_CHECK;

#endif
