/* SPDX-License-Identifier: MIT */
/* What is said to and asked of a person at a terminal. */
#ifndef RBR_TERMINAL_H
#define RBR_TERMINAL_H

#include <stdbool.h>

#include "protocol/error.h"
#include "protocol/secret.h"

/* Asks on the controlling terminal, whatever stdin and stdout are, and reads one line without echo. The terminal is
 * put back in order also when a signal ends the program. RINGBEARER_E_USAGE if there is no terminal. */
int rbr_terminal_ask(const char *prompt, struct ringbearer_secret *ret_secret, struct rbr_error *error) RBR_MUST_CHECK;

/* The same for what is no secret: it shows while it is typed. RINGBEARER_E_USAGE also if the input ends (Ctrl-D). */
int rbr_terminal_question(const char *prompt, struct ringbearer_secret *ret_line, struct rbr_error *error)
	RBR_MUST_CHECK;

/* Is there a terminal to ask on? */
bool rbr_terminal_present(void);

/* Is stderr a terminal that can show block characters? */
bool rbr_terminal_draws(void);

/* Writes TEXT and a newline to stderr, sanitized; its own newlines are kept. */
void rbr_terminal_tell(char *text);

/* Shows TEXT, sanitized, in place of the progress line before, if stderr is a terminal; "" takes the line away. */
void rbr_terminal_progress(char *text);

#endif
