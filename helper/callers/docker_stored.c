/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker_stored.h"

#include <stdio.h>
#include <string.h>

#include "callers.h"
#include "cli/ask.h"
#include "protocol/formats/formats.h"
#include "protocol/writer.h"
#include "vault/storage.h"

#define STORED "docker" /* the scheme of places where passwords are kept that are no account's */
#define SCHEME_MAX (sizeof((struct rbr_url *)0)->scheme - sizeof STORED "-")

/* Where what is given for URL rests: docker://HOST/PATH, and docker-SCHEME:// for what is given for another scheme than
 * https. A port that https or http has anyway is no other place. */
static int
make_place(struct rbr_context *context, const struct rbr_url *url, char text[RBR_URL_MAX])
{
	struct rbr_writer writer = rbr_writer_start(text, RBR_URL_MAX);

	rbr_write_text(&writer, STORED);
	if (strcmp(url->scheme, "https") != 0)
		rbr_write_format(&writer, "-%s", url->scheme);
	rbr_write_format(&writer, "://%s", url->host);
	if (url->port != rbr_url_default_port(url->scheme))
		rbr_write_format(&writer, ":%u", url->port);
	rbr_write_text(&writer, url->path);
	if (strlen(url->scheme) > SCHEME_MAX || !rbr_writer_fits(&writer))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: the registry's address is too long; shorten it");
	return 0;
}

/* A request about what is kept for URL and no place within it; USERNAME and SECRET are NULL if none are given. */
static int
ask_storage(struct rbr_context *context, const struct rbr_url *url, const char *username, const char *secret,
	struct rbr_request *request)
{
	char text[RBR_URL_MAX];
	int rc = make_place(context, url, text);

	if (rc < 0)
		return rc;
	if (!username && url->username[0] != '\0')
		username = url->username;
	if (rbr_message_add(&request->message, "url", text) < 0 ||
		(username && rbr_message_add(&request->message, "username", username) < 0) ||
		(secret && rbr_message_add(&request->message, "password", secret) < 0) ||
		(context->interactive && rbr_message_add(&request->message, "interactive", "auto") < 0))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request has a line that is too long; shorten it");
	request->exact = true;
	return rbr_request_understand(request, &context->error);
}

int
rbr_docker_stored_get(struct rbr_context *context, const struct rbr_url *url, const char *server)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret lines = RBR_SECRET_EMPTY, out = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message stored = RBR_MESSAGE_EMPTY;
	struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	const struct rbr_answer answer = {.credential = &credential, .asked = server};
	int rc = ask_storage(context, url, NULL, NULL, &request);

	if (rc == 0)
		rc = rbr_storage_get(context, &request, &lines);
	if (rc == 0)
		rc = rbr_message_parse(&stored, rbr_secret_string(&lines), lines.size, RBR_DIALECT_WIRE,
			"the keyring's item", RINGBEARER_E_STORE_UNAVAILABLE, &context->error);
	if (rc < 0)
		return rc;
	credential.username = rbr_message_get(&stored, "username");
	credential.token = rbr_message_get(&stored, "password");
	if (!credential.token)
		return RINGBEARER_E_NO_ACCOUNT;
	return rbr_format_docker(&answer, &out) < 0 ? rbr_fail_memory(&context->error) : rbr_output(context, &out);
}

int
rbr_docker_stored_keep(struct rbr_context *context, const struct rbr_url *url, const char *username, const char *secret)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request before = RBR_REQUEST_EMPTY, request = RBR_REQUEST_EMPTY;
	int rc = ask_storage(context, url, NULL, NULL, &before);

	if (rc == 0)
		rc = ask_storage(context, url, username, secret, &request);
	if (rc == 0)
		rc = rbr_storage_keep(context, &request);
	return rc < 0 ? rc : rbr_storage_erase_others(context, &before, username);
}

int
rbr_docker_stored_erase(struct rbr_context *context, const struct rbr_url *url)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	int rc = ask_storage(context, url, NULL, NULL, &request);

	return rc < 0 ? rc : rbr_storage_erase(context, &request);
}

bool
rbr_docker_stored_address(const char *stored_at, char ret_address[RBR_URL_MAX])
{
	int size = -1;

	if (strncmp(stored_at, STORED "://", sizeof STORED "://" - 1) == 0)
		size = snprintf(ret_address, RBR_URL_MAX, "https%s", stored_at + sizeof STORED - 1);
	else if (strncmp(stored_at, STORED "-", sizeof STORED "-" - 1) == 0)
		size = snprintf(ret_address, RBR_URL_MAX, "%s", stored_at + sizeof STORED "-" - 1);
	return size >= 0 && size < RBR_URL_MAX;
}
