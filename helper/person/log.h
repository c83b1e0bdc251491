/* SPDX-License-Identifier: MIT */
/*
 * What a person reads on stderr: `ringbearer: ACCOUNT: what happened; what to do`.
 * Only commands report errors, once. Rooms below them may warn and trace. No secret ever gets here; as a
 * second line of defence, rbr_redact() blots out the secrets that are in play.
 */
#ifndef RBR_LOG_H
#define RBR_LOG_H

#include "protocol/fastpath/context.h"
#include "protocol/secret.h"

/* Longest line, with its NUL; longer ones are cut. */
#define RBR_LOG_LINE_MAX 1024

/* With RINGBEARER_TRACE=1: what is going on. */
void rbr_trace(const struct rbr_context *context, const char *format, ...) RBR_PRINTF(2, 3);

/* Something that a person should know although the run goes on. ACCOUNT may be NULL. */
void rbr_warn(const struct rbr_context *context, const char *account, const char *format, ...) RBR_PRINTF(3, 4);

/* Says why the run failed (context->error) and what to do. ACCOUNT may be NULL. */
void rbr_report(const struct rbr_context *context, const char *account);

/* Replaces every occurrence of SECRET in TEXT by `*`. Secrets of fewer than 4 bytes are not looked for. */
void rbr_redact(char *text, const struct ringbearer_secret *secret);

#endif
