/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocol/module.h"
#include "protocol/url-characters.h"

/* -- who answers -- */

/* The length of the origin of URL without a default port; 0 if it is none with https, or http. */
static size_t
origin_size(const char *url)
{
	bool plain = strncasecmp(url, "http://", 7) == 0;
	size_t scheme = plain ? 7 : 8, size;

	if ((!plain && strncasecmp(url, "https://", 8) != 0) || !rbr_has_url_characters(url))
		return 0;
	size = scheme + strcspn(url + scheme, "/?#");
	if (size == scheme || memchr(url, '@', size))
		return 0;
	if (plain && size > scheme + 3 && strncmp(url + size - 3, ":80", 3) == 0)
		return size - 3;
	return !plain && size > scheme + 4 && strncmp(url + size - 4, ":443", 4) == 0 ? size - 4 : size;
}

bool
rbr_answer_same_origin(const char *url, const char *place)
{
	size_t size = origin_size(url);

	return size > 0 && size == origin_size(place) && strncasecmp(url, place, size) == 0;
}

/* Is it the service that was asked who answers? By its name, to the letter (RFC 9207 section 2.4); where the account does not
 * know that, it is at least at the place where the person was sent. */
static int
check_issuer(const struct rbr_oauth *oauth, const char *iss)
{
	const struct ringbearer_host *host = oauth->host;
	const char *issuer = host->config(oauth->call, "issuer", 0);
	const char *endpoint = host->config(oauth->call, "authorization_endpoint", 0);

	if (!iss && host->config(oauth->call, "iss_required", 0))
		return host->fail(oauth->call, RINGBEARER_E_ACCESS_DENIED,
			"the answer does not say which service it comes from, although the service always says so; nothing was sent to it");
	if (!iss)
		return 0;
	if (!rbr_has_url_characters(iss) || strpbrk(iss, "?#"))
		return host->fail(oauth->call, RINGBEARER_E_ACCESS_DENIED,
			"the answer comes from another service than the one that was asked: it names itself by no address; nothing was sent to it");
	if (issuer ? strcmp(issuer, iss) == 0 : rbr_answer_same_origin(iss, endpoint ? endpoint : ""))
		return 0;
	return host->fail(oauth->call, RINGBEARER_E_ACCESS_DENIED,
		"the answer comes from another service (%.200s) than the one that was asked; nothing was sent to it%s",
		iss, issuer ? "" : "; if that is its name all the same, set it as the account's `issuer`");
}

/* -- what it says -- */

/* A parameter of the request that DESCRIPTION names, as a word of its own; NULL if there is none. */
static const char *
named_parameter(const char *description, const char *const *names, size_t count)
{
	static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	size_t i;

	for (i = 0; i < count; i++) {
		const char *at = description;

		while ((at = strcasestr(at, names[i]))) {
			const char *behind = at + strlen(names[i]);

			if ((at == description || !strchr(word, at[-1])) && (!*behind || !strchr(word, *behind)))
				return names[i];
			at = behind;
		}
	}
	return NULL;
}

/* A request that the service does not take, with a word on what it is about, if it says so: a key of the account, or a
 * parameter that we do not send by ourselves. */
static int
not_taken(const struct rbr_oauth *oauth, const char *error, const char *description)
{
	static const char *const keys[] = {"redirect_uri", "client_id", "scope", "resource", "audience"};
	static const char *const parameters[] = {"nonce", "prompt", "acr_values", "login_hint", "max_age",
		"response_mode", "access_type", "claims", "display", "domain_hint", "ui_locales"};
	const char *key = named_parameter(description, keys, sizeof keys / sizeof keys[0]);
	const char *parameter = named_parameter(description, parameters, sizeof parameters / sizeof parameters[0]);
	bool known = key && oauth->host->config(oauth->call, key, 0);
	char advice[160];

	if (parameter)
		(void)snprintf(advice, sizeof advice,
			"it is about `%s`: give it with `authorization_params = %s=…` in the account", parameter,
			parameter);
	else if (key && !known)
		(void)snprintf(
			advice, sizeof advice, "it is about `%s`: give it with `%s = …` in the account", key, key);
	else
		(void)snprintf(
			advice, sizeof advice, "check `%s`", known ? key : "client_id`, `redirect_uri` and `scope");
	return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
		"the service does not take the request; %s (%.64s%s%.200s)", advice, error, *description ? ": " : "",
		description);
}

/* What the service's page said instead of a code (RFC 6749 section 4.1.2.1). */
static int
refused(const struct rbr_oauth *oauth, const struct rbr_callback *callback)
{
	static const struct {
		const char *error;
		int code;
		const char *advice;
	} errors[] = {
		{"access_denied", RINGBEARER_E_ACCESS_DENIED,
			"the service says no: consent was refused, or the user lacks what it takes"},
		{"server_error", RINGBEARER_E_TEMPORARILY_UNAVAILABLE, "the service has a problem; try again later"},
		{"temporarily_unavailable", RINGBEARER_E_TEMPORARILY_UNAVAILABLE,
			"the service is too busy; try again later"},
		{"invalid_scope", RINGBEARER_E_CONFIG, "the application may not have these scopes; check `scope`"},
	};
	const char *description = callback->error_description ? callback->error_description : "";
	const char *hint = oauth->host->config(oauth->call, "denied_hint", 0);
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].error, callback->error) == 0)
			return oauth->host->fail(oauth->call, errors[i].code, "%s (%.64s%s%.200s)%s%s",
				errors[i].advice, callback->error, *description ? ": " : "", description,
				hint ? "; " : "", hint ? hint : "");
	return not_taken(oauth, callback->error, description);
}

int
rbr_answer_check(const struct rbr_oauth *oauth, struct rbr_callback *callback)
{
	int rc = check_issuer(oauth, callback->iss);

	if (rc < 0)
		explicit_bzero(callback, sizeof *callback);
	if (rc == 0 && callback->error)
		rc = refused(oauth, callback);
	if (rc == 0 && !callback->code)
		rc = oauth->host->fail(oauth->call, RINGBEARER_E_MALFORMED_RESPONSE,
			"the service sent neither a code nor an error; try again");
	return rc;
}
