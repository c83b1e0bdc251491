/* SPDX-License-Identifier: MIT */
/*
 * docker, podman, skopeo and others that run docker-credential-… programs: one verb, the registry's address as it is on
 * standard input, JSON on standard output. A failure is a message on standard output and exit status 1; three of the
 * messages are known to callers word by word.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "callers.h"
#include "custody.h"
#include "document.h"
#include "match.h"
#include "names.h"
#include "protocol/formats/formats.h"

#define NOT_FOUND "credentials not found in native keychain"
#define NO_SERVER "no credentials server URL"
#define NO_USERNAME "no credentials username"

/* -- where -- */

static int
fail_exactly(struct rbr_context *context, int code, const char *text)
{
	context->quiet = true; /* it is for the caller, who may well go on without */
	return rbr_fail(&context->error, code, "%s", text);
}

/* Takes blanks away at both ends, in place. */
static char *
trim(char *text)
{
	size_t size;

	while (isspace((unsigned char)*text))
		text++;
	size = strlen(text);
	while (size > 0 && isspace((unsigned char)text[size - 1]))
		size--;
	text[size] = '\0';
	return text;
}

/* SERVER with its scheme, which is https where it has none. */
static int
make_url(struct rbr_context *context, const char *server, char text[RBR_URL_MAX])
{
	int size = snprintf(text, RBR_URL_MAX, "%s%s", strstr(server, "://") ? "" : "https://", server);

	if (*server == '\0')
		return fail_exactly(context, RINGBEARER_E_MALFORMED_REQUEST, NO_SERVER);
	if (size < 0 || size >= RBR_URL_MAX)
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: the registry's address is too long; shorten it");
	return 0;
}

static int
find_account(struct rbr_context *context, const char *server, char name[RBR_ACCOUNT_NAME_MAX + 1])
{
	char text[RBR_URL_MAX];
	struct rbr_url url;
	int rc = make_url(context, server, text);

	if (rc == 0)
		rc = rbr_url_parse(&url, text, "the registry's address", &context->error);
	return rc < 0 ? rc : rbr_match_find(context, &url, NULL, name);
}

/* -- the verbs -- */

static int
get(struct rbr_context *context, struct ringbearer_secret *input)
{
	const char *server = trim(input->data);
	char text[RBR_URL_MAX];
	int rc = make_url(context, server, text);

	if (rc == 0)
		rc = rbr_caller_answer(context, "docker", text, server);
	return rc == RINGBEARER_E_NO_ACCOUNT ? fail_exactly(context, rc, NOT_FOUND) : rc;
}

static int
erase(struct rbr_context *context, struct ringbearer_secret *input)
{
	char name[RBR_ACCOUNT_NAME_MAX + 1];
	int rc = find_account(context, trim(input->data), name);

	if (rc == 0)
		rbr_custody_forget(name, NULL);
	return rc == RINGBEARER_E_NO_ACCOUNT ? 0 : rc; /* nothing of ours is there */
}

struct search {
	const char *secret;
	bool found;
};

static void
compare(const struct ringbearer_secret *token, void *data)
{
	struct search *search = data;

	search->found =
		search->found || rbr_secret_equal(token->data, token->size, search->secret, strlen(search->secret));
}

/* What comes back is mostly what was handed out: nothing to do. There is no place for anything else. */
static int
keep(struct rbr_context *context, const char *server, const char *secret)
{
	struct search search = {.secret = secret};
	char name[RBR_ACCOUNT_NAME_MAX + 1];
	int rc = find_account(context, server, name);

	if (rc == 0)
		rbr_custody_tokens(name, compare, &search);
	if (search.found || (rc < 0 && rc != RINGBEARER_E_NO_ACCOUNT))
		return rc;
	if (rc == 0)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the account `%s` answers for %.80s, and its tokens come from elsewhere; run `ringbearer login %s`",
			name, server, name);
	return rbr_fail(&context->error, RINGBEARER_E_USAGE,
		"no account answers for %.80s; set one up with `ringbearer add`, or name another helper for it under "
		"credHelpers",
		server);
}

static int
store(struct rbr_context *context, struct ringbearer_secret *input)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;
	const char *server, *username, *secret;
	int rc = rbr_document_read(context, input->data, input->size, "the request", &message);

	if (rc < 0)
		return rc;
	server = rbr_message_get(&message, "ServerURL");
	username = rbr_message_get(&message, "Username");
	secret = rbr_message_get(&message, "Secret");
	if (!server || *server == '\0')
		return fail_exactly(context, RINGBEARER_E_MALFORMED_REQUEST, NO_SERVER);
	if (!username || *username == '\0')
		return fail_exactly(context, RINGBEARER_E_MALFORMED_REQUEST, NO_USERNAME);
	return keep(context, server, secret ? secret : "");
}

/* -- list -- */

/* Writes the account's places, each only once in all. */
static int
list_account(const char *name, struct rbr_names *seen, struct ringbearer_secret *out)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const struct rbr_value *match;
	const char *username;
	size_t i, j;
	int rc = 0;

	if (rbr_account_load(name, &account, NULL) < 0)
		return 0;
	username = rbr_account_get(&account, RBR_KEY_USERNAME);
	for (i = 0; rc == 0 && (match = rbr_account_value(&account, RBR_KEY_MATCH, i)); i++) {
		for (j = 0; j < seen->count && strcmp(seen->list[j], match->text) != 0; j++)
			;
		if (j < seen->count)
			continue;
		rc = rbr_names_add(match->text, seen);
		if (rc == 0 && seen->count > 1)
			rc = rbr_secret_append_string(out, ",");
		if (rc == 0)
			rc = rbr_json_string(out, match->text);
		if (rc == 0)
			rc = rbr_secret_append_string(out, ":");
		if (rc == 0)
			rc = rbr_json_string(out, username ? username : RBR_DOCKER_USERNAME);
	}
	return rc;
}

static int
list(struct rbr_context *context)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0}, seen = {NULL, 0};
	size_t i;
	int rc = rbr_account_visit(rbr_names_add, &names, &context->error);

	if (rc < 0)
		return rc;
	rbr_names_sort(&names);
	rc = rbr_secret_append_string(&out, "{");
	for (i = 0; rc == 0 && i < names.count; i++)
		rc = list_account(names.list[i], &seen, &out);
	if (rc == 0)
		rc = rbr_secret_append_string(&out, "}\n");
	return rc < 0 ? rbr_fail_memory(&context->error) : rbr_output(context, &out);
}

/* -- the one entry -- */

static int
run(struct rbr_context *context, const char *verb)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret input = RBR_SECRET_EMPTY;
	int (*const take)(struct rbr_context *, struct ringbearer_secret *) = strcmp(verb, "get") == 0 ? get
		: strcmp(verb, "erase") == 0                                                           ? erase
		: strcmp(verb, "store") == 0                                                           ? store
												       : NULL;
	int rc;

	if (strcmp(verb, "list") == 0)
		return list(context);
	if (strcmp(verb, "version") == 0) {
		(void)printf("docker-credential-ringbearer (ringbearer) %s\n", ringbearer_version());
		return 0;
	}
	if (!take)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"docker runs this program with get, store, erase, list or version; name `ringbearer` under "
			"credHelpers in its configuration");
	rc = rbr_document_take(context, STDIN_FILENO, &input);
	if (rc == 0 && strlen(input.data) != input.size)
		rc = rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request has a NUL in it; send the registry's address");
	return rc < 0 ? rc : take(context, &input);
}

int
rbr_caller_docker(struct rbr_context *context, int argc, char **argv)
{
	int rc = run(context, argc == 2 ? argv[1] : "");

	if (rc < 0)
		(void)printf(
			"%s\n", context->error.detail[0] != '\0' ? context->error.detail : ringbearer_error_advice(rc));
	return rc;
}
