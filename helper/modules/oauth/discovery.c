/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "discovery.h"

#include <stdio.h>
#include <string.h>

#include "http.h"
#include "modules/json/json.h"

static const char *const endpoints[] = {
	"authorization_endpoint", "token_endpoint", "revocation_endpoint", "device_authorization_endpoint"};

bool
rbr_discovery_url(const char *issuer, unsigned index, char ret_url[RBR_ISSUER_MAX + 64])
{
	static const char *const names[] = {"oauth-authorization-server", "openid-configuration"};
	size_t size = strlen(issuer), host_size, scheme_size = strstr(issuer, "://") ? strcspn(issuer, ":") + 3 : 0;
	const char *path;

	if (scheme_size == 0 || size >= RBR_ISSUER_MAX || strpbrk(issuer, "?#"))
		return false;
	while (size > scheme_size && issuer[size - 1] == '/')
		size--;
	host_size = scheme_size + strcspn(issuer + scheme_size, "/");
	path = issuer + host_size;
	if (index < 2)
		(void)snprintf(ret_url, RBR_ISSUER_MAX + 64, "%.*s/.well-known/%s%.*s", (int)host_size, issuer,
			names[index], (int)(size > host_size ? size - host_size : 0), path);
	else
		(void)snprintf(ret_url, RBR_ISSUER_MAX + 64, "%.*s/.well-known/%s", (int)size, issuer, names[1]);
	return true;
}

static int
fail(const struct rbr_oauth *oauth, const char *issuer, const char *what)
{
	return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
		"the metadata of %.200s %s; check `issuer`, or set the endpoints", issuer, what);
}

static bool
lists_s256(struct json_object *methods)
{
	size_t i;

	for (i = 0; i < json_object_array_length(methods); i++) {
		struct json_object *method = json_object_array_get_idx(methods, i);

		if (json_object_is_type(method, json_type_string) &&
			strcmp(json_object_get_string(method), "S256") == 0)
			return true;
	}
	return false;
}

/* Is the document about ISSUER, to the letter (RFC 8414 section 3.3)? Hands over what it says. */
static int
take(const struct rbr_oauth *oauth, const char *issuer, struct json_object *object, bool needs_s256)
{
	const char *said = rbr_json_text(object, "issuer");
	bool plain = strncmp(issuer, "http://", 7) == 0; /* a loopback literal, see keys.def */
	struct json_object *member;
	size_t i;

	if (!said || strcmp(said, issuer) != 0)
		return fail(oauth, issuer, "are about another issuer");
	if (needs_s256 && json_object_object_get_ex(object, "code_challenge_methods_supported", &member) &&
		json_object_is_type(member, json_type_array) && !lists_s256(member))
		return fail(
			oauth, issuer, "list no S256 among the challenge methods, without which a login is not safe");
	for (i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
		const char *url = rbr_json_text(object, endpoints[i]);

		if (!url)
			continue;
		if (strncmp(url, "https://", 8) != 0 && !(plain && strncmp(url, "http://", 7) == 0))
			return fail(oauth, issuer, "name an endpoint that is not https");
		oauth->host->discovered(oauth->call, endpoints[i], url);
	}
	if (json_object_object_get_ex(object, "authorization_response_iss_parameter_supported", &member) &&
		json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member))
		oauth->host->discovered(oauth->call, "iss_required", "yes");
	return 0;
}

int
rbr_discover(const struct rbr_oauth *oauth, bool needs_s256)
{
	const char *issuer = oauth->host->config(oauth->call, "issuer", 0);
	char url[RBR_ISSUER_MAX + 64];
	unsigned index;
	int rc = 0;

	for (index = 0; index < RBR_WELL_KNOWN_COUNT; index++) {
		struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;
		struct json_object *object = NULL;

		if (!issuer || !rbr_discovery_url(issuer, index, url))
			return fail(oauth, issuer ? issuer : "",
				"cannot be looked for: an issuer is an https URL without query");
		rc = rbr_http_get(oauth, url, &answer);
		if (rc == 0 && answer.status == 200)
			object = rbr_json_parse(
				oauth->host->secret_data(answer.body), oauth->host->secret_size(answer.body));
		rbr_http_answer_wipe(oauth, &answer);
		if (rc < 0)
			return rc;
		if (object) {
			rc = take(oauth, issuer, object, needs_s256);
			json_object_put(object);
			return rc;
		}
	}
	return fail(oauth, issuer, "were not found");
}
