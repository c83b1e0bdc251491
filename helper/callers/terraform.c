/* SPDX-License-Identifier: MIT */
/* Terraform and OpenTofu: `[ARGUMENT …] get|store|forget HOST`. What a login brings is ringbearer's own to keep, so that they
 * can neither store nor forget. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts/match.h"
#include "callers.h"
#include "host/document.h"

/* https://HOST/ and nothing else in it. */
static int
make_url(struct rbr_context *context, const char *host, char text[RBR_URL_MAX], struct rbr_url *ret_url)
{
	int size = snprintf(text, RBR_URL_MAX, "https://%s/", host);

	if (size < 0 || size >= RBR_URL_MAX || strpbrk(host, "/?#@\\") != NULL ||
		rbr_url_parse(ret_url, text, "the host", NULL) < 0)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"`%.80s` is no host; write app.terraform.io, or host:port", host);
	return 0;
}

static int
forget(struct rbr_context *context, const struct rbr_url *url)
{
	int rc = rbr_match_find(context, url, NULL, context->account);

	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return 0;
	return rc < 0 ? rc
		      : rbr_fail(&context->error, RINGBEARER_E_USAGE,
				"the login is not forgotten from here; run `ringbearer logout %s`", context->account);
}

static int
refuse_to_store(struct rbr_context *context, const char *host)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	char place[RBR_URL_MAX], name[RBR_ACCOUNT_NAME_MAX + 1];
	struct rbr_url url;

	/* It must be read to its end in any case. */
	while (rbr_document_take(context, STDIN_FILENO, &text) == RINGBEARER_E_MALFORMED_REQUEST)
		rbr_secret_wipe(&text);
	if (make_url(context, host, place, &url) == 0 && rbr_match_find(context, &url, NULL, name) == 0)
		return rbr_caller_keep_nothing(context, name, host);
	return rbr_fail(&context->error, RINGBEARER_E_USAGE,
		"a token for %.80s is not stored from here; run `ringbearer add` for an account of your own there",
		host);
}

int
rbr_caller_terraform(struct rbr_context *context, int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[argc - 2] : "", *host = argc > 2 ? argv[argc - 1] : "";
	struct rbr_url url;
	char text[RBR_URL_MAX];
	int rc;

	if (strcmp(verb, "store") == 0)
		return refuse_to_store(context, host);
	if (strcmp(verb, "get") != 0 && strcmp(verb, "forget") != 0)
		return rbr_caller_misuse(context, argv[0]);
	rc = make_url(context, host, text, &url);
	if (rc < 0)
		return rc;
	if (strcmp(verb, "forget") == 0)
		return forget(context, &url);
	rc = rbr_caller_answer(context, "terraform", text, host);
	return rc == RINGBEARER_E_NO_ACCOUNT ? rbr_caller_write(context, "{}\n") : rc;
}
