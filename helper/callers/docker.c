/* SPDX-License-Identifier: MIT */
/*
 * docker, podman, skopeo and others that run docker-credential-… programs: one verb, the registry's address as it is on
 * standard input, JSON on standard output. A failure is a message on standard output and exit status 1; three of the
 * messages are known to callers word by word. Registries that no account answers for are in docker_stored.h.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts/match.h"
#include "callers.h"
#include "cli/ask.h"
#include "cli/names.h"
#include "commands/cached.h"
#include "docker_stored.h"
#include "host/document.h"
#include "person/log.h"
#include "protocol/formats/formats.h"
#include "vault/storage.h"

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
parse(struct rbr_context *context, const char *server, struct rbr_url *ret_url)
{
	char text[RBR_URL_MAX];
	int rc = make_url(context, server, text);

	return rc < 0 ? rc : rbr_url_parse(ret_url, text, "the registry's address", &context->error);
}

static int
find_account(
	struct rbr_context *context, const char *server, struct rbr_url *ret_url, char name[RBR_ACCOUNT_NAME_MAX + 1])
{
	int rc = parse(context, server, ret_url);

	return rc < 0 ? rc : rbr_match_find(context, ret_url, NULL, name);
}

/* -- the verbs -- */

static int
get(struct rbr_context *context, struct ringbearer_secret *input)
{
	const char *server = trim(input->data);
	char text[RBR_URL_MAX];
	struct rbr_url url;
	int rc = make_url(context, server, text);

	if (rc == 0)
		rc = rbr_caller_answer(context, "docker", text, server);
	if (rc == RINGBEARER_E_NO_ACCOUNT) {
		rc = parse(context, server, &url);
		if (rc == 0)
			rc = rbr_docker_stored_get(context, &url, server);
	}
	return rc == RINGBEARER_E_NO_ACCOUNT ? fail_exactly(context, rc, NOT_FOUND) : rc;
}

static int
erase(struct rbr_context *context, struct ringbearer_secret *input)
{
	char name[RBR_ACCOUNT_NAME_MAX + 1];
	struct rbr_url url;
	int rc = find_account(context, trim(input->data), &url, name);

	if (rc == 0)
		rbr_cached_forget(name, NULL);
	return rc == RINGBEARER_E_NO_ACCOUNT ? rbr_docker_stored_erase(context, &url) : rc;
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

/* Where an account answers, what comes back is what was handed out: nothing to do. */
static int
keep(struct rbr_context *context, const char *server, const char *username, const char *secret)
{
	struct search search = {.secret = secret};
	char name[RBR_ACCOUNT_NAME_MAX + 1];
	struct rbr_url url;
	int rc = find_account(context, server, &url, name);

	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return rbr_docker_stored_keep(context, &url, username, secret);
	if (rc == 0)
		rbr_cached_tokens(name, NULL, compare, &search);
	if (rc < 0 || search.found)
		return rc;
	return rbr_caller_keep_nothing(context, name, server);
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
	return keep(context, server, username, secret ? secret : "");
}

/* -- list -- */

struct listing {
	struct rbr_names seen;
	struct ringbearer_secret out;
};

/* Each place only once. */
static int
list_place(struct listing *listing, const char *url, const char *username)
{
	size_t i;
	int rc;

	for (i = 0; i < listing->seen.count; i++)
		if (strcmp(listing->seen.list[i], url) == 0)
			return 0;
	rc = rbr_names_add(url, &listing->seen);
	if (rc == 0 && listing->seen.count > 1)
		rc = rbr_secret_append_string(&listing->out, ",");
	if (rc == 0)
		rc = rbr_json_string(&listing->out, url);
	if (rc == 0)
		rc = rbr_secret_append_string(&listing->out, ":");
	return rc < 0 ? rc : rbr_json_string(&listing->out, username);
}

static int
list_account(struct listing *listing, const char *name)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const struct rbr_value *match;
	const char *username;
	size_t i;
	int rc = 0;

	if (rbr_account_load(name, &account, NULL) < 0)
		return 0;
	username = rbr_account_get(&account, RBR_KEY_USERNAME);
	for (i = 0; rc == 0 && (match = rbr_account_value(&account, RBR_KEY_MATCH, i)); i++)
		rc = list_place(listing, match->text, username ? username : RBR_DOCKER_USERNAME);
	return rc;
}

static int
list_stored(const char *stored_at, const char *username, void *data)
{
	char text[RBR_URL_MAX];

	return rbr_docker_stored_address(stored_at, text) ? list_place(data, text, username) : 0;
}

static int
list_all(struct rbr_context *context, struct listing *listing)
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	size_t i;
	int rc = rbr_account_visit(rbr_names_add, &names, &context->error);

	rbr_names_sort(&names);
	if (rc == 0)
		rc = rbr_secret_append_string(&listing->out, "{");
	for (i = 0; rc == 0 && i < names.count; i++)
		rc = list_account(listing, names.list[i]);
	if (rc == 0 && rbr_storage_visit(context, list_stored, listing) < 0)
		rbr_trace(context, "what is stored is not listed: %s", context->error.detail);
	return rc < 0 ? rc : rbr_secret_append_string(&listing->out, "}\n");
}

static int
list(struct rbr_context *context)
{
	struct listing listing = {{NULL, 0}, RBR_SECRET_EMPTY};
	int rc = list_all(context, &listing);

	if (rc == 0)
		rc = rbr_output(context, &listing.out);
	rbr_names_wipe(&listing.seen);
	rbr_secret_wipe(&listing.out);
	return rc;
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
		rbr_say("docker-credential-ringbearer (ringbearer) %s\n", ringbearer_version());
		return 0;
	}
	if (!take)
		return rbr_caller_misuse(context, "docker-credential-ringbearer");
	rc = rbr_document_take(context, STDIN_FILENO, &input);
	if (rc == 0 && strlen(input.data) != input.size)
		rc = rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request has a NUL in it; send the registry's address");
	return rc < 0 ? rc : take(context, &input);
}

int
rbr_caller_docker(struct rbr_context *context, int argc, char **argv)
{
	char message[RBR_CALLER_MESSAGE_MAX];
	int rc;

	context->interactive_hint = "write `ringbearer-interactive` for `ringbearer` into docker's configuration";
	rc = run(context, argc == 2 ? argv[1] : "");
	if (rc < 0 && !context->quiet)
		rbr_caller_message(context, message);
	if (rc < 0)
		rbr_say("%s\n", context->quiet ? context->error.detail : message);
	context->quiet = context->quiet || rc < 0; /* it has been said */
	return rc;
}

int
rbr_caller_docker_interactive(struct rbr_context *context, int argc, char **argv)
{
	context->interactive = true;
	return rbr_caller_docker(context, argc, argv);
}
