/* SPDX-License-Identifier: MIT */
/* Who has logged in, as far as a token endpoint's answer tells. */
#ifndef RBR_IDENTITY_H
#define RBR_IDENTITY_H

#include <json-c/json.h>

#include "oauth.h"

#define RBR_IDENTITY_MAX 128 /* bytes of a name, with its NUL */
#define RBR_ID_EXPIRES_MAX INT64_C(253402300799) /* the end of the year 9999: later is not believed */
#define RBR_ID_TOKEN_MAX 65536 /* bytes of an ID token that is looked at */

/*
 * The name that the answer in OBJECT has for the person, for people to read: of the claims of its ID token, or of its own members.
 * The token came over TLS from the service itself, so its signature says nothing more (OpenID Connect Core section 3.1.3.7); and
 * nothing is decided by it. NULL if there is none that is short and clean enough.
 */
struct ringbearer_secret *rbr_identity(const struct rbr_oauth *oauth, struct json_object *object);

/* When the ID token TOKEN ends by its own claim `exp`, in seconds since 1970; 0: it does not say, or is no JWT. */
int64_t rbr_id_token_expires(const struct rbr_oauth *oauth, const char *token);

/* Decodes base64url without padding (RFC 4648 section 5). NULL if it is none. */
struct ringbearer_secret *rbr_base64url_decode(const struct rbr_oauth *oauth, const char *text, size_t size);

#endif
