/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "device-answer.h"

#include <string.h>
#include <strings.h>

#include "modules/json/json.h"
#include "protocol/url-characters.h"

/* Visible ASCII. */
static bool
is_plain(const char *text)
{
	const char *p;

	if (!text || *text == '\0')
		return false;
	for (p = text; *p; p++)
		if (*p < 0x21 || *p > 0x7e)
			return false;
	return p - text < RBR_DEVICE_TEXT_MAX;
}

/* Is what follows http:// this machine? No secret goes there: a person reads it, and may know it by name. */
static bool
is_loopback(const char *host)
{
	static const char *const names[] = {"127.0.0.1", "[::1]", "localhost"};
	size_t i, digits;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncasecmp(host, names[i], strlen(names[i])) == 0) {
			host += strlen(names[i]);
			digits = *host == ':' ? strspn(host + 1, "0123456789") : 0;
			if (digits > 0)
				host += 1 + digits;
			return strchr("/?#", *host) != NULL; /* its end, too */
		}
	return false;
}

static bool
is_address(const char *text, bool plain_http)
{
	if (!is_plain(text) || !rbr_has_url_characters(text))
		return false;
	if (strncasecmp(text, "https://", 8) == 0)
		return text[8] != '\0' && !strchr("/?#", text[8]);
	return plain_http && strncasecmp(text, "http://", 7) == 0 && is_loopback(text + 7);
}

static int64_t
seconds(struct json_object *object, const char *name, int64_t absent, int64_t most)
{
	int64_t value;

	if (!rbr_json_number(object, name, &value) || value < 1)
		return absent;
	return value < most ? value : most;
}

bool
rbr_device_answer_read(struct json_object *object, bool plain_http, struct rbr_device_answer *ret_answer)
{
	struct rbr_device_answer answer = {
		.device_code = rbr_json_text(object, "device_code"),
		.user_code = rbr_json_text(object, "user_code"),
		.uri = rbr_json_text(object, "verification_uri"),
		.complete = rbr_json_text(object, "verification_uri_complete"),
		.interval = seconds(object, "interval", RBR_DEVICE_INTERVAL_DEFAULT, RBR_DEVICE_INTERVAL_MAX),
		.expires_in = seconds(object, "expires_in", RBR_DEVICE_EXPIRES_MAX, RBR_DEVICE_EXPIRES_MAX),
	};

	if (!answer.uri)
		answer.uri = rbr_json_text(object, "verification_url"); /* as one large service has it */
	if (!answer.device_code || *answer.device_code == '\0' || !is_plain(answer.user_code) ||
		!is_address(answer.uri, plain_http))
		return false;
	if (!is_address(answer.complete, plain_http))
		answer.complete = NULL;
	*ret_answer = answer;
	return true;
}
