/* SPDX-License-Identifier: MIT */
/* An account made of lines, without a file. */
#ifndef RBR_UNIT_ACCOUNT_H
#define RBR_UNIT_ACCOUNT_H

#include "accounts/account.h"

/* The account "acme" from LINES alone, in the form of an account file. What rbr_message_parse() and rbr_account_assemble()
 * return. */
int unit_account(const char *lines, struct rbr_account *ret_account, struct rbr_error *error);

#endif
