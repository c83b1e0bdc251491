/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "challenge.h"
#include "protocol/writer.h"
#include "scope.h"

#define MIN_VALID_MAX (10 * 365 * 86400LL)
#define STATE_DIGITS_MAX 18

void
rbr_request_wipe(struct rbr_request *request)
{
	rbr_message_wipe(&request->message);
	*request = RBR_REQUEST_EMPTY;
}

const char *
rbr_request_resource(const struct rbr_request *request, size_t *cursor)
{
	const char *single = rbr_message_get(&request->message, "resource");

	if (single && *cursor == 0) {
		*cursor = request->message.count + 1;
		return single;
	}
	return single ? NULL : rbr_message_next(&request->message, "resource[]", cursor);
}

const char *
rbr_request_named_token(const struct rbr_request *request)
{
	const char *token = rbr_message_get(&request->message, "credential");

	return token ? token : rbr_message_get(&request->message, "password");
}

static int
malformed(struct rbr_error *error, const char *what, const char *advice)
{
	return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST, "the request: %s; %s", what, advice);
}

/* git's path is not escaped (git has taken the escapes out), and need not be a URL's. What looks like an escape stays one. */
static void
write_path(struct rbr_writer *writer, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		bool escape = c == '%' && !(isxdigit((unsigned char)path[1]) && isxdigit((unsigned char)path[2]));

		if (escape || c <= 0x20 || c == 0x7f || c == '\\')
			rbr_write_format(writer, "%%%02X", c);
		else
			rbr_write_char(writer, (char)c);
	}
}

/* git takes escapes out of a host as well: whatever no URL has there is escaped again, so that any host can be kept. An address
 * in brackets is left alone, and the colon of a port. A blank is in no host at all, and stays one, which is refused. */
static void
write_host(struct rbr_writer *writer, const char *host)
{
	const bool address = *host == '[';

	for (; *host; host++)
		if (address || isalnum((unsigned char)*host) || strchr("-._~: ", *host) || (unsigned char)*host >= 0x80)
			rbr_write_char(writer, *host);
		else
			rbr_write_format(writer, "%%%02X", (unsigned)(unsigned char)*host);
}

/* Are `protocol` and `host`, where they are said beside `url`, those of it? One place is asked about, not two. */
static bool
is_one_place(const struct rbr_url *url, const char *protocol, const char *host)
{
	struct rbr_url other;
	char text[RBR_URL_MAX];
	struct rbr_writer writer = rbr_writer_start(text, sizeof text);

	if (!protocol && !host)
		return true;
	rbr_write_text(&writer, protocol ? protocol : url->scheme);
	rbr_write_text(&writer, "://");
	if (host)
		write_host(&writer, host);
	else
		rbr_write_text(&writer, url->host);
	return rbr_writer_fits(&writer) && rbr_url_parse(&other, text, "", NULL) == 0 &&
		strcmp(other.scheme, url->scheme) == 0 && strcmp(other.host, url->host) == 0 &&
		(!host || other.port == url->port);
}

/* protocol, host and path (may be NULL), as a URL in TEXT. */
static int
join_place(const char *protocol, const char *host, const char *path, char text[RBR_URL_MAX], struct rbr_error *error)
{
	struct rbr_writer writer = rbr_writer_start(text, RBR_URL_MAX);

	/* git takes escapes out of a host: whatever ends one in a URL would make it another's. */
	if (strpbrk(protocol, "/:?#") || strpbrk(host, "/?#@\\"))
		return malformed(
			error, "`protocol` or `host` holds more than that", "write `path` and `username` apart");
	rbr_write_text(&writer, protocol);
	rbr_write_text(&writer, "://");
	write_host(&writer, host);
	rbr_write_char(&writer, '/');
	write_path(&writer, path ? path : "");
	return rbr_writer_fits(&writer)
		? 0
		: malformed(error, "protocol, host and path together are too long", "shorten `path`");
}

static int
take_place(struct rbr_request *request, const char *url, struct rbr_error *error)
{
	const char *protocol = rbr_message_get(&request->message, "protocol");
	const char *host = rbr_message_get(&request->message, "host");
	struct rbr_error why = {0};
	char text[RBR_URL_MAX];
	int rc = url ? 0 : join_place(protocol, host, rbr_message_get(&request->message, "path"), text, error);

	if (rc < 0)
		return rc;
	if (rbr_url_parse(&request->url, url ? url : text, "url", &why) < 0)
		return malformed(error, why.detail, "write url=https://host/path, or protocol=, host= and path=");
	if (url && !is_one_place(&request->url, protocol, host))
		return malformed(
			error, "`url` names one place, and `protocol` and `host` another", "write one of them");
	request->has_url = true;
	if (!request->username && request->url.username[0] != '\0')
		request->username = request->url.username;
	return 0;
}

/* protocol + host + path, or url. */
static int
take_url(struct rbr_request *request, struct rbr_error *error)
{
	const char *url = rbr_message_get(&request->message, "url");

	if (!url && (!rbr_message_get(&request->message, "protocol") || !rbr_message_get(&request->message, "host")))
		return 0; /* most do not: their buffers are not even made */
	return take_place(request, url, error);
}

/* When the token was obtained that git was handed before (see formats/git.c); 0 if it brings nothing of ours back. */
static int64_t
told_before(const struct rbr_request *request)
{
	const char *state, *digits;
	size_t cursor = 0;
	int64_t told = 0;

	while ((state = rbr_message_next(&request->message, "state[]", &cursor))) {
		digits = state + strlen(RBR_STATE_PREFIX);
		if (strncmp(state, RBR_STATE_PREFIX, strlen(RBR_STATE_PREFIX)) == 0 &&
			strlen(digits) <= STATE_DIGITS_MAX && strspn(digits, "0123456789") == strlen(digits))
			told = strtoll(digits, NULL, 10);
	}
	return told;
}

/* What the server said about the last token (wwwauth[], RFC 6750 section 3.1). */
static void
take_challenges(struct rbr_request *request)
{
	char value[64];
	bool basic = false, bearer = false, challenged = false;
	const char *challenge;
	size_t cursor = 0;

	while ((challenge = rbr_message_next(&request->message, "wwwauth[]", &cursor))) {
		challenged = true;
		basic = basic || rbr_challenge_has(challenge, "Basic");
		bearer = bearer || rbr_challenge_has(challenge, "Bearer");
		if (!rbr_challenge_parameter(challenge, "error", value, sizeof value))
			continue;
		if (strcmp(value, "invalid_token") == 0)
			request->rejected = true;
		else if (strcmp(value, "insufficient_scope") == 0)
			request->wanted_scope = challenge;
		else if (strcmp(value, "insufficient_user_authentication") == 0 ||
			strcmp(value, "insufficient_claims") == 0) /* RFC 9470; Entra's claims challenge */
			request->wants_login = true;
	}
	request->wants_basic = basic && !bearer;
	if (!challenged)
		return;
	request->refused = rbr_request_named_token(request);
	request->refused_ms = told_before(request);
	/* Many services say 401 and no more. */
	if ((request->refused || request->refused_ms != 0) && !request->wanted_scope && !request->wants_login)
		request->rejected = true;
}

static int
unknown_format(struct rbr_error *error)
{
	char advice[sizeof "write " + RBR_FORMAT_NAMES_MAX] = "write ";

	rbr_format_names(advice + strlen(advice));
	return malformed(error, "`format` names no form", advice);
}

static int
take_choices(struct rbr_request *request, struct rbr_error *error)
{
	const char *interactive = rbr_message_get(&request->message, "interactive");
	const char *min_valid = rbr_message_get(&request->message, "min_valid");

	if (interactive && strcmp(interactive, "auto") != 0 && strcmp(interactive, "never") != 0)
		return malformed(error, "`interactive` has a value it cannot have", "write interactive=never or auto");
	request->interactive = interactive && strcmp(interactive, "auto") == 0;
	if (!request->format)
		return unknown_format(error);
	request->min_valid = -1;
	if (min_valid) {
		request->min_valid = rbr_message_get_number(&request->message, "min_valid", -1);
		if (request->min_valid < 0 || request->min_valid > MIN_VALID_MAX)
			return malformed(error, "`min_valid` is no number of seconds", "write min_valid=60");
	}
	return 0;
}

int
rbr_request_understand(struct rbr_request *request, struct rbr_error *error)
{
	const struct rbr_message *message = &request->message;
	const char *resource, *format = rbr_message_get(message, "format");
	size_t cursor = 0;
	int rc;

	request->format = rbr_format_find(format ? format : "git"); /* first: it may say how failures are told */
	request->account = rbr_message_get(message, "account");
	request->asked = rbr_message_get(message, "url");
	request->username = rbr_message_get(message, "username");
	if (request->username && *request->username == '\0')
		request->username = NULL;
	request->scope = rbr_message_get(message, "scope");
	request->authtype = rbr_message_has(message, "capability[]", "authtype");
	request->tells_errors = rbr_message_has(message, "capability[]", "error");
	request->keeps_state = rbr_message_has(message, "capability[]", "state");
	if (request->scope && *request->scope == '\0')
		request->scope = NULL;
	if (request->scope && !rbr_scope_is_sound(request->scope))
		return malformed(error, "`scope` has characters that no scope may have", "separate scopes by blanks");
	while ((resource = rbr_request_resource(request, &cursor)))
		if (!rbr_scope_is_sound(resource) || strpbrk(resource, " #"))
			return malformed(error, "`resource` is no absolute URI without fragment", "see RFC 8707");
	rc = take_url(request, error);
	if (rc == 0)
		rc = take_choices(request, error);
	take_challenges(request);
	if (rc == 0 && !request->account && !request->has_url && !request->format->in_environment)
		return malformed(
			error, "it names neither an account nor a URL", "add account=NAME, or protocol= and host=");
	return rc;
}
