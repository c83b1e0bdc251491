/* SPDX-License-Identifier: MIT */
/* Files that are whole or not there: made beside, on disk before they get their name. */
#ifndef RBR_WRITE_H
#define RBR_WRITE_H

#include "protocol/fastpath/context.h"
#include "protocol/secret.h"

/* Makes the file PATH; one that is there is left alone. RINGBEARER_E_CONFIG. */
int rbr_write_new(struct rbr_context *context, const char *path, const struct ringbearer_secret *text) RBR_MUST_CHECK;

/* Puts TEXT in the place of what the file PATH has; its mode and owner stay, and a link stays a link. RINGBEARER_E_CONFIG. */
int rbr_write_over(struct rbr_context *context, const char *path, const struct ringbearer_secret *text) RBR_MUST_CHECK;

#endif
