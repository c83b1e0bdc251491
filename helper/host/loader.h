/* SPDX-License-Identifier: MIT */
/* Modules: from a name to a vtable that was checked. */
#ifndef RBR_LOADER_H
#define RBR_LOADER_H

#include "cli/names.h"
#include "protocol/fastpath/context.h"
#include "protocol/module.h"

/* A module that was opened: its name, and as many of its family's operations as both sides know. What it does not have is
 * NULL. */
struct rbr_grant {
	const char *name;
	struct ringbearer_grant ops;
};

struct rbr_store {
	const char *name;
	struct ringbearer_store ops;
};

struct rbr_input {
	const char *name;
	struct ringbearer_input ops;
};

struct rbr_notice {
	const char *name;
	struct ringbearer_notice ops;
};

/* Open the module of that family that is called NAME: "client_credentials" loads grant-client-credentials.so.
 * RINGBEARER_E_MODULE. */
int rbr_loader_grant(struct rbr_context *context, const char *name, struct rbr_grant *ret_grant) RBR_MUST_CHECK;
int rbr_loader_store(struct rbr_context *context, const char *name, struct rbr_store *ret_store) RBR_MUST_CHECK;
int rbr_loader_input(struct rbr_context *context, const char *name, struct rbr_input *ret_input) RBR_MUST_CHECK;
int rbr_loader_notice(struct rbr_context *context, const char *name, struct rbr_notice *ret_notice) RBR_MUST_CHECK;

/* Can STORE carry a login that machines share? It has the whole of the shared journal (module.h), or none of it counts. */
bool rbr_loader_shares(const struct rbr_store *store);

/* Adds the names of the modules of FAMILY ("grant", "store") that there are to NAMES, sorted. RINGBEARER_E_SYSTEM. */
int rbr_loader_names(const char *family, struct rbr_names *names) RBR_MUST_CHECK;

/* What an operation of the module MODULE returned: RC itself, or RINGBEARER_E_MODULE if no operation may return that. A
 * failure that the module did not explain is noted in context->error. */
int rbr_loader_check(struct rbr_context *context, const char *module, int rc) RBR_MUST_CHECK;

#endif
