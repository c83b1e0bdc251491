/* SPDX-License-Identifier: MIT */
/*
 * Which tokens callers of this machine have handed back: for a while they are not taken from another machine either, which may not have
 * heard of it yet.
 */
#ifndef RBR_SPENT_H
#define RBR_SPENT_H

#include <stdbool.h>
#include <stdint.h>

/* TOKEN of ACCOUNT was handed back; NULL: all that it has by now. */
void rbr_spent_note(const char *account, const char *token);

/* Was TOKEN, which was obtained at OBTAINED_MS (rbr_now_ms()), handed back? */
bool rbr_spent_has(const char *account, const char *token, int64_t obtained_ms);

#endif
