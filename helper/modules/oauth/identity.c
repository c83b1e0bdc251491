/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "identity.h"

#include <stdio.h>
#include <string.h>

#include "modules/json/json.h"
#include "protocol/writer.h"

struct ringbearer_secret *
rbr_base64url_decode(const struct rbr_oauth *oauth, const char *text, size_t size)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct ringbearer_secret *decoded = oauth->host->secret_new("", 0);
	unsigned bits = 0, count = 0;
	char octets[512];
	struct rbr_writer to = rbr_writer_start(octets, sizeof octets);
	bool whole = decoded && size % 4 != 1;
	size_t i;

	for (i = 0; whole && i < size; i++) {
		const char *digit = text[i] ? strchr(alphabet, text[i]) : NULL;

		whole = digit != NULL;
		bits = (bits << 6 | (unsigned)(whole ? digit - alphabet : 0)) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			rbr_write_char(&to, (char)(bits >> count & 0xff));
		}
		if (to.used == sizeof octets - 1 || i + 1 == size) {
			whole = whole && rbr_writer_fits(&to) &&
				oauth->host->secret_append(decoded, octets, to.used) == 0;
			rbr_writer_back(&to, 0);
		}
	}
	explicit_bzero(octets, sizeof octets);
	if (whole)
		return decoded;
	oauth->host->secret_free(decoded);
	return NULL;
}

/* The claims, between the dots (RFC 7519 section 3). */
static struct json_object *
claims_of(const struct rbr_oauth *oauth, const char *token)
{
	const char *begin = strchr(token, '.'), *end = begin ? strchr(begin + 1, '.') : NULL;
	struct ringbearer_secret *text;
	struct json_object *claims;

	if (!end || strlen(token) > RBR_ID_TOKEN_MAX)
		return NULL;
	text = rbr_base64url_decode(oauth, begin + 1, (size_t)(end - begin - 1));
	if (!text)
		return NULL;
	claims = rbr_json_parse(oauth->host->secret_data(text), oauth->host->secret_size(text));
	oauth->host->secret_free(text);
	return claims;
}

/* The first of NAMES that is short and all of which is seen. */
static struct ringbearer_secret *
first_of(const struct rbr_oauth *oauth, struct json_object *object, const char *const *names)
{
	char shown[RBR_IDENTITY_MAX];

	for (; *names; names++) {
		const char *text = rbr_json_text(object, *names);

		if (!text || *text == '\0' || strlen(text) >= sizeof shown)
			continue;
		(void)snprintf(shown, sizeof shown, "%s", text);
		oauth->host->clean(oauth->call, shown);
		if (strcmp(shown, text) == 0)
			return oauth->host->secret_new(shown, strlen(shown));
	}
	return NULL;
}

struct ringbearer_secret *
rbr_identity(const struct rbr_oauth *oauth, struct json_object *object)
{
	static const char *const claim_names[] = {"email", "preferred_username", "upn", "name", "sub", NULL};
	static const char *const member_names[] = {"email", "preferred_username", "username", "login", NULL};
	const char *token = rbr_json_text(object, "id_token");
	struct json_object *claims = token ? claims_of(oauth, token) : NULL;
	struct ringbearer_secret *name = claims ? first_of(oauth, claims, claim_names) : NULL;

	json_object_put(claims);
	return name ? name : first_of(oauth, object, member_names);
}

int64_t
rbr_id_token_expires(const struct rbr_oauth *oauth, const char *token)
{
	struct json_object *claims = claims_of(oauth, token);
	int64_t expires = 0;

	if (!claims || !rbr_json_number(claims, "exp", &expires) || expires < 0 || expires > RBR_ID_EXPIRES_MAX)
		expires = 0;
	json_object_put(claims);
	return expires;
}
