/* SPDX-License-Identifier: MIT */
/*
 * Blots secrets out of text before it is shown, as the second line of defence: what somebody else wrote may repeat what it was
 * sent, in the form in which it was sent or in another one.
 *
 * Forms are not made and looked for; the text is decoded. Each way in which text is wrapped for the wire - a form's escapes,
 * JSON's, HTML's, base64 (of anything that has the secret in it, as Basic has), hexadecimal digits - is undone, up to three of
 * them one in another, and the secret is looked for in what comes out. So one secret needs no list, and upper and lower case,
 * needless escapes and base64's alphabets are all the same.
 */
#ifndef RBR_BLOT_H
#define RBR_BLOT_H

#include "protocol/secret.h"

/*
 * Replaces by `*` in TEXT every occurrence of each of the COUNT SECRETS (NULL among them is none), and as well the beginning of
 * one where it is long or stands at the end: somebody may have cut it. Of base64 and hexadecimal digits the whole run goes.
 * Secrets of fewer than 4 bytes are not looked for. Where memory is short everything goes.
 */
void rbr_blot(char *text, const struct ringbearer_secret *const *secrets, size_t count);

#endif
