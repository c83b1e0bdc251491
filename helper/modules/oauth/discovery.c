/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "discovery.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http.h"
#include "modules/json/json.h"

#define FINDS_MAX 420 /* of what was found instead, in a message */

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

/* -- one document -- */

/* The issuer that the document names must be the one that was asked for (RFC 8414 section 3.3). People write it with and
 * without its last slash: which one it is, the document says. */
static bool
is_issuer(const char *said, const char *issuer)
{
	size_t size = strlen(issuer), said_size = strlen(said);

	if (size > 0 && issuer[size - 1] == '/')
		size--;
	if (said_size > 0 && said[said_size - 1] == '/')
		said_size--;
	return said_size == size && memcmp(said, issuer, size) == 0;
}

/* What of the issuer's own document must not be: there is no reason to look for a better one. */
static int
check(const struct rbr_oauth *oauth, const char *issuer, struct json_object *object, bool needs_s256)
{
	bool plain = strncmp(issuer, "http://", 7) == 0; /* a loopback literal, see keys.def */
	struct json_object *methods;
	size_t i;

	if (needs_s256 && json_object_object_get_ex(object, "code_challenge_methods_supported", &methods) &&
		json_object_is_type(methods, json_type_array) && !lists_s256(methods))
		return fail(
			oauth, issuer, "list no S256 among the challenge methods, without which a login is not safe");
	for (i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
		const char *url = rbr_json_text(object, endpoints[i]);

		if (url && strncasecmp(url, "https://", 8) != 0 && !(plain && strncasecmp(url, "http://", 7) == 0))
			return fail(oauth, issuer, "name an endpoint that is not https");
	}
	return 0;
}

static void
hand_over(const struct rbr_oauth *oauth, struct json_object *object)
{
	const char *said = rbr_json_text(object, "issuer"), *url;
	struct json_object *supported;
	size_t i;

	for (i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
		url = rbr_json_text(object, endpoints[i]);
		if (url)
			oauth->host->discovered(oauth->call, endpoints[i], url);
	}
	oauth->host->discovered(oauth->call, "issuer", said);
	if (json_object_object_get_ex(object, "authorization_response_iss_parameter_supported", &supported) &&
		json_object_is_type(supported, json_type_boolean) && json_object_get_boolean(supported))
		oauth->host->discovered(oauth->call, "iss_required", "yes");
}

/* -- the search -- */

/* What was found where the metadata were not: for the message, if they are nowhere. */
struct search {
	const struct rbr_oauth *oauth;
	const char *issuer;
	char finds[FINDS_MAX];
	int temporary; /* the code of a place that may answer another time; 0: none */
};

static void note(struct search *search, unsigned index, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
note(struct search *search, unsigned index, const char *format, ...)
{
	static const char *const names[RBR_WELL_KNOWN_COUNT] = {
		"oauth-authorization-server", "openid-configuration", "openid-configuration below its path"};
	char what[FINDS_MAX];
	size_t used = strlen(search->finds);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	(void)snprintf(search->finds + used, sizeof search->finds - used, "%s%s: %s", used > 0 ? "; " : "",
		names[index], what);
}

/* Nothing that is of use was at the place. */
static void
note_answer(struct search *search, unsigned index, const struct rbr_http_answer *answer)
{
	if (answer->status == 429 || answer->status >= 500)
		search->temporary = RINGBEARER_E_TEMPORARILY_UNAVAILABLE;
	if (answer->status >= 300 && answer->status < 400 && answer->location_host[0] != '\0')
		note(search, index, "status %ld, a redirect to %.80s", answer->status, answer->location_host);
	else if (answer->status == 200)
		note(search, index, "no JSON object");
	else
		note(search, index, "status %ld", answer->status);
}

/* Looks at one place. 0 with *RET_FOUND, 0 without it if the search goes on. */
static int
look(struct search *search, unsigned index, const char *url, bool needs_s256, bool *ret_found)
{
	const struct rbr_oauth *oauth = search->oauth;
	struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;
	struct json_object *object = NULL;
	const char *said;
	int rc = rbr_http_get(oauth, url, &answer);

	if (rc == 0 && answer.status == 200)
		object = rbr_json_parse(oauth->host->secret_data(answer.body), oauth->host->secret_size(answer.body));
	said = object ? rbr_json_text(object, "issuer") : NULL;
	if (object && said && is_issuer(said, search->issuer)) {
		rc = check(oauth, search->issuer, object, needs_s256);
		if (rc == 0)
			hand_over(oauth, object);
		*ret_found = rc == 0;
	} else if (object) {
		note(search, index, said ? "it names the issuer %.100s" : "it names no issuer%s", said ? said : "");
	} else if (rc == 0) {
		note_answer(search, index, &answer);
	} else if (answer.sent) { /* the host is there, and this place is no good */
		note(search, index,
			rc == RINGBEARER_E_NETWORK ? "the connection was cut"
						   : "an answer that is too long or no HTTP");
		search->temporary = rc == RINGBEARER_E_NETWORK ? rc : search->temporary;
		rc = 0;
	}
	json_object_put(object);
	rbr_http_answer_wipe(oauth, &answer);
	return rc;
}

int
rbr_discover(const struct rbr_oauth *oauth, bool needs_s256)
{
	const char *issuer = oauth->host->config(oauth->call, "issuer", 0);
	char url[RBR_ISSUER_MAX + 64], last[RBR_ISSUER_MAX + 64] = "";
	struct search search = {.oauth = oauth, .issuer = issuer, .finds = ""};
	bool found = false;
	unsigned index;
	int rc = 0;

	for (index = 0; rc == 0 && !found && index < RBR_WELL_KNOWN_COUNT; index++) {
		if (!issuer || !rbr_discovery_url(issuer, index, url))
			return fail(oauth, issuer ? issuer : "",
				"cannot be looked for: an issuer is an https URL without query");
		if (strcmp(url, last) != 0) /* without a path, two of them are one */
			rc = look(&search, index, url, needs_s256, &found);
		memcpy(last, url, sizeof last);
	}
	if (rc < 0 || found)
		return rc;
	return oauth->host->fail(oauth->call, search.temporary < 0 ? search.temporary : RINGBEARER_E_CONFIG,
		"the metadata of %.160s were not found (%s); %s", issuer, search.finds,
		search.temporary < 0 ? "try again later" : "check `issuer`, or set the endpoints");
}
