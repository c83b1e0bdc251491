/* SPDX-License-Identifier: MIT */
/*
 * What a person reads: on stderr `ringbearer: ACCOUNT: what happened; what to do`, on stdout what a command has to show. All of it
 * goes through rbr_sanitize(): whoever wrote a text, a terminal is not driven by it.
 * Only commands report errors, once. Rooms below them may warn and trace. No secret ever gets here; as a second line of defence
 * host.c blots out those that are in play (blot.h).
 */
#ifndef RBR_LOG_H
#define RBR_LOG_H

#include "protocol/fastpath/context.h"

/* Longest line, with its NUL; longer ones are cut. */
#define RBR_LOG_LINE_MAX 1280

/* With RINGBEARER_TRACE=1: what is going on. */
void rbr_trace(const struct rbr_context *context, const char *format, ...) RBR_PRINTF(2, 3);

/* Something that a person should know although the run goes on. ACCOUNT may be NULL. */
void rbr_warn(const struct rbr_context *context, const char *account, const char *format, ...) RBR_PRINTF(3, 4);

/* Says why the run failed (context->error) and what to do. ACCOUNT may be NULL. */
void rbr_report(const struct rbr_context *context, const char *account);

/* Says something on stdout, for a person: sanitized (protocol/text.h), its newlines and tabs kept. What ARGUMENTS hold must have
 * no newline that would make a line of its own. */
void rbr_say(const char *format, ...) RBR_PRINTF(1, 2);

/* Says MARK, a word of ours, in a column of its own; in COLOUR, the terminal's number for it, unless that is NULL. */
void rbr_say_mark(const char *mark, const char *colour);

#endif
