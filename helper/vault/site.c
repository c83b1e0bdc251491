/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/match.h"
#include "storage.h"

#define NOBODY "none" /* the client_id of an item without a user's name */

int
rbr_site_locate(struct rbr_context *context, const struct rbr_request *request, struct rbr_site *ret_site)
{
	const char *username = rbr_message_get(&request->message, "username");
	struct rbr_error *error = &context->error;
	struct rbr_url url = request->url;
	int length;

	rbr_match_settle(context, &url);
	rbr_url_origin(&url, ret_site->origin, sizeof ret_site->origin);
	length = snprintf(ret_site->endpoint, sizeof ret_site->endpoint, "%s%s", ret_site->origin, url.path);
	ret_site->has_path = request->exact || strcmp(request->url.path, "/") != 0;
	ret_site->username = username ? username : request->username;
	if (length < 0 || (size_t)length >= sizeof ret_site->endpoint)
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: the URL is too long to store a password for; shorten `path`");
	/* The Secret Service takes text in UTF-8 and nothing else. */
	if (!rbr_text_is_utf8(ret_site->endpoint) || (ret_site->username && !rbr_text_is_utf8(ret_site->username)))
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
			"the request: `path` or `username` is no text in UTF-8; write it so");
	return 0;
}

const char *
rbr_site_client_id(const char *username)
{
	return username && *username ? username : NOBODY;
}

const char *
rbr_site_username(const char *client_id)
{
	return strcmp(client_id, NOBODY) == 0 ? "" : client_id;
}

bool
rbr_site_has(const struct rbr_site *site, const struct ringbearer_item *item)
{
	return strcmp(item->kind, RBR_KIND_PASSWORD) == 0 && strcmp(item->account, site->origin) == 0 &&
		(!site->has_path || strcmp(item->endpoint, site->endpoint) == 0) &&
		(!site->username || strcmp(item->client_id, rbr_site_client_id(site->username)) == 0);
}

void
rbr_site_label(const struct rbr_request *request, const char *username, char ret_label[RBR_SITE_LABEL_MAX])
{
	char *slash;

	(void)snprintf(ret_label, RBR_SITE_LABEL_MAX, "%.255s: password%s%.100s",
		request->url.host[0] != '\0' ? request->url.host : request->url.path,
		username && *username ? " of " : "", username ? username : "");
	while ((slash = strchr(ret_label, '/')))
		*slash = '_';
	rbr_sanitize(ret_label); /* a character may have been cut in two */
}

void
rbr_site_show(const char *endpoint, char ret_url[RBR_URL_MAX])
{
	const char *host = strstr(endpoint, "://"), *path = host ? strchr(host + strlen("://"), '/') : NULL,
		   *colon = path;
	struct rbr_url without;

	while (colon && colon > host + strlen("://") && *colon != ':')
		colon--;
	if (colon && *colon == ':' &&
		snprintf(ret_url, RBR_URL_MAX, "%.*s%s", (int)(colon - endpoint), endpoint, path) < RBR_URL_MAX &&
		rbr_url_parse(&without, ret_url, "", NULL) == 0 && strtoul(colon + 1, NULL, 10) == without.port)
		return;
	(void)snprintf(ret_url, RBR_URL_MAX, "%s", endpoint);
}
