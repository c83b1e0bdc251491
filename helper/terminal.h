/* SPDX-License-Identifier: MIT */
/* What is said to and asked of a person at a terminal. */
#ifndef RBR_TERMINAL_H
#define RBR_TERMINAL_H

#include "protocol/error.h"
#include "protocol/secret.h"

/* Asks on the controlling terminal, whatever stdin and stdout are, and reads one line without echo. The terminal is
 * put back in order also when a signal ends the program. RINGBEARER_E_USAGE if there is no terminal. */
int rbr_terminal_ask(const char *prompt, struct ringbearer_secret *ret_secret, struct rbr_error *error) RBR_MUST_CHECK;

#endif
