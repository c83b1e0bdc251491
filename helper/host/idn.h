/* SPDX-License-Identifier: MIT */
/* Hosts in Unicode. */
#ifndef RBR_IDN_H
#define RBR_IDN_H

#include "protocol/fastpath/context.h"

/* Writes HOST as a network knows it, by the module input-idn, into its ROOM bytes; `settle_host` of the context. It stays as it is
 * where there is no such module, or where it is no host. */
void rbr_idn_settle(struct rbr_context *context, char *host, size_t room);

#endif
