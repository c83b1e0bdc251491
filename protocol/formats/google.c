/* SPDX-License-Identifier: MIT */
/*
 * Google's executable-sourced credentials: the response of an executable, version 1. Both of its token types that are no
 * SAML assertion carry a JWT in `id_token`; the client library says in the environment which one it was set up for.
 */
#include "config.h"

#include "formats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_JWT "urn:ietf:params:oauth:token-type:jwt"
#define TYPE_ID_TOKEN "urn:ietf:params:oauth:token-type:id_token"

int
rbr_format_google(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	const char *wanted = secure_getenv("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE");
	const char *type = wanted && strcmp(wanted, TYPE_ID_TOKEN) == 0 ? TYPE_ID_TOKEN : TYPE_JWT;
	const struct rbr_credential *credential = answer->credential;
	int64_t end = credential->id_token ? credential->id_expires : credential->expires;
	char expires[64] = "";
	int rc = rbr_secret_append_string(out, "{\"version\":1,\"success\":true,\"token_type\":");

	if (rc == 0)
		rc = rbr_json_string(out, type);
	if (rc == 0)
		rc = rbr_secret_append_string(out, ",\"id_token\":");
	if (rc == 0)
		rc = rbr_json_string(out, credential->id_token ? credential->id_token : credential->token);
	if (end != 0)
		(void)snprintf(expires, sizeof expires, ",\"expiration_time\":%" PRId64, end);
	if (rc == 0)
		rc = rbr_secret_append_string(out, expires);
	return rc < 0 ? rc : rbr_secret_append(out, "}\n", 2);
}

int
rbr_format_google_failure(const char *name, const char *detail, struct ringbearer_secret *out)
{
	int rc = rbr_secret_append_string(out, "{\"version\":1,\"success\":false,\"code\":");

	if (rc == 0)
		rc = rbr_json_string(out, name);
	if (rc == 0)
		rc = rbr_secret_append_string(out, ",\"message\":");
	if (rc == 0)
		rc = rbr_json_string(out, detail);
	return rc < 0 ? rc : rbr_secret_append(out, "}\n", 2);
}
