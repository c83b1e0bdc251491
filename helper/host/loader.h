/* SPDX-License-Identifier: MIT */
/* Modules: from a name to a vtable that was checked. */
#ifndef RBR_LOADER_H
#define RBR_LOADER_H

#include "protocol/fastpath/context.h"
#include "protocol/module.h"

/* Opens the grant, store or input NAME ("client_credentials" loads grant-client-credentials.so) and copies its vtable.
 * FAMILY is "grant", "store" or "input". RINGBEARER_E_MODULE. */
int rbr_loader_open(struct rbr_context *context, const char *family, const char *name,
	struct ringbearer_module *ret_module) RBR_MUST_CHECK;

/* What an operation of MODULE returned: RC itself, or RINGBEARER_E_MODULE if no operation may return that. A failure
 * that the module did not explain is noted in context->error. */
int rbr_loader_check(struct rbr_context *context, const struct ringbearer_module *module, int rc) RBR_MUST_CHECK;

#endif
