/* SPDX-License-Identifier: MIT */
/*
 * cargo: a conversation of one JSON object a line, which this side opens and end of input ends. Errors are answers, too.
 * cargo goes on to its next provider after `url-not-supported` and `not-found`; the message of `other` is shown to the person.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/match.h"
#include "callers.h"
#include "cli/ask.h"
#include "host/document.h"
#include "person/log.h"
#include "protocol/formats/formats.h"

#define HELLO "{\"v\":[1]}\n"
#define SPOKEN "1"
#define CHUNK 4096 /* read at a time */

struct conversation {
	struct rbr_context *context;
	char line[RBR_DOCUMENT_MAX + 2]; /* with its newline and a NUL */
	char chunk[CHUNK]; /* what stdio has read: `login` brings a token */
};

static int
say_error(struct rbr_context *context, const char *kind, const char *message)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	int rc = rbr_secret_append_string(&out, "{\"Err\":{\"kind\":");

	if (rc == 0)
		rc = rbr_json_string(&out, kind);
	if (rc == 0 && message)
		rc = rbr_secret_append_string(&out, ",\"message\":");
	if (rc == 0 && message)
		rc = rbr_json_string(&out, message);
	if (rc == 0)
		rc = rbr_secret_append_string(&out, "}}\n");
	return rc < 0 ? rbr_fail_memory(&context->error) : rbr_output(context, &out);
}

static int
say_other(struct rbr_context *context)
{
	char message[RBR_CALLER_MESSAGE_MAX];

	rbr_caller_message(context, message);
	return say_error(context, "other", message);
}

/* What cargo puts before a URL to say how the index is read. */
static const char *
place_of(const char *index_url)
{
	static const char *const ways[] = {"sparse+", "registry+"};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(ways); i++)
		if (strncmp(index_url, ways[i], strlen(ways[i])) == 0)
			return index_url + strlen(ways[i]);
	return index_url;
}

/* `login` and `logout`: a person does that with ringbearer's own commands. The answer has no room for advice. */
static int
refuse(struct rbr_context *context, const char *kind, const char *url_text)
{
	const bool login = strcmp(kind, "login") == 0;
	struct rbr_url url;

	if (rbr_url_parse(&url, url_text, "the index", NULL) < 0 ||
		rbr_match_find(context, &url, NULL, context->account) < 0)
		return say_error(context, login ? "url-not-supported" : "not-found", NULL);
	rbr_warn(context, context->account, "cargo cannot do this; run `ringbearer %s %s`",
		login ? rbr_caller_remedy(context, context->account) : "logout", context->account);
	return say_error(context, "operation-not-supported", NULL);
}

static int
answer(struct rbr_context *context, const struct rbr_message *question)
{
	const char *version = rbr_message_get(question, "v"), *kind = rbr_message_get(question, "kind");
	const char *index_url = rbr_message_get(question, "registry.index-url"), *url;
	struct rbr_url parsed;
	int rc;

	if (!version || strcmp(version, SPOKEN) != 0 || !kind)
		return say_error(context, "other", "ringbearer: cargo asks in an unknown version; update ringbearer");
	if (strcmp(kind, "get") != 0 && strcmp(kind, "login") != 0 && strcmp(kind, "logout") != 0)
		return say_error(context, "operation-not-supported", NULL);
	url = index_url ? place_of(index_url) : "";
	if (strncmp(url, "https://", strlen("https://")) != 0 &&
		(rbr_url_parse(&parsed, url, "the index", NULL) < 0 || !rbr_url_is_safe(&parsed)))
		return say_error(context, "url-not-supported", NULL);
	if (strcmp(kind, "get") != 0)
		return refuse(context, kind, url);
	rc = rbr_caller_answer(context, "cargo", url, index_url);
	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return say_error(context, "not-found", NULL);
	return rc < 0 ? say_other(context) : rc;
}

/* One line, which is one question. */
static int
take_line(struct conversation *conversation)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message question = RBR_MESSAGE_EMPTY;
	struct rbr_context *context = conversation->context;
	size_t size = strlen(conversation->line);
	int rc;

	if (size == sizeof conversation->line - 1 && conversation->line[size - 1] != '\n')
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: a line has more than %u bytes; shorten it", RBR_DOCUMENT_MAX);
	/* What an earlier question has left behind is none of this one's business. */
	context->error = (struct rbr_error){0};
	context->account[0] = '\0';
	context->started = rbr_clock_now();
	context->started_ms = rbr_now_ms();
	rc = rbr_document_read(context, conversation->line, size, "the request", &question);
	return rc < 0 ? say_other(context) : answer(context, &question);
}

static int
converse(struct conversation *conversation)
{
	int rc = rbr_caller_write(conversation->context, HELLO);

	while (rc == 0 && fgets(conversation->line, sizeof conversation->line, stdin))
		rc = take_line(conversation);
	return rc;
}

int
rbr_caller_cargo(struct rbr_context *context, int argc, char **argv)
{
	struct conversation *conversation;
	int rc;

	if (argc != 2 || strcmp(argv[1], "--cargo-plugin") != 0)
		return rbr_caller_misuse(context, argv[0]);
	conversation = calloc(1, sizeof *conversation);
	if (!conversation)
		return rbr_fail_memory(&context->error);
	conversation->context = context;
	(void)setvbuf(stdin, conversation->chunk, _IOFBF, sizeof conversation->chunk);
	rc = converse(conversation);
	(void)fclose(stdin);
	explicit_bzero(conversation, sizeof *conversation);
	free(conversation);
	return rc;
}
