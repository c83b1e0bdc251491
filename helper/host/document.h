/* SPDX-License-Identifier: MIT */
/* What callers write in a language of their own, read by an input module. */
#ifndef RBR_DOCUMENT_H
#define RBR_DOCUMENT_H

#include "protocol/fastpath/context.h"
#include "protocol/message.h"

#define RBR_DOCUMENT_MAX (128u * 1024) /* bytes */

/* Reads DESCRIPTOR to its end and appends it to TEXT. More than RBR_DOCUMENT_MAX bytes are
 * RINGBEARER_E_MALFORMED_REQUEST; RINGBEARER_E_SYSTEM. */
int rbr_document_take(struct rbr_context *context, int descriptor, struct ringbearer_secret *text) RBR_MUST_CHECK;

/* Reads the JSON object in TEXT into MESSAGE (empty), as ringbearer_input.flatten says. WHAT names the source in errors.
 * RINGBEARER_E_MALFORMED_REQUEST, RINGBEARER_E_MODULE, RINGBEARER_E_SYSTEM. Bytes of a stranger:
 * fuzz-input-json. */
int rbr_document_read(struct rbr_context *context, const char *text, size_t size, const char *what,
	struct rbr_message *message) RBR_MUST_CHECK;

#endif
