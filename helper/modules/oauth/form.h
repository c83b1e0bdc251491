/* SPDX-License-Identifier: MIT */
/* application/x-www-form-urlencoded as OAuth wants it (RFC 6749 appendix B), and base64. */
#ifndef RBR_FORM_H
#define RBR_FORM_H

#include "oauth.h"

/* Appends VALUE encoded: letters, digits and `-._~` stay, a blank becomes `+`, all else `%XX`. */
int rbr_form_encode(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *value, size_t size)
	__attribute__((warn_unused_result));

/* Appends `name=value`, with `&` before it if OUT is not empty. A NULL or empty VALUE is left out, since a
 * parameter without value counts as not sent (RFC 6749 section 3.2). */
int rbr_form_add(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *name, const char *value)
	__attribute__((warn_unused_result));
int rbr_form_add_secret(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *name,
	const struct ringbearer_secret *value) __attribute__((warn_unused_result));

/* Appends VALUE in base64 with padding (RFC 4648 section 4). */
int rbr_base64(const struct rbr_oauth *oauth, struct ringbearer_secret *out, const char *value, size_t size)
	__attribute__((warn_unused_result));

#endif
