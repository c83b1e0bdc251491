/* SPDX-License-Identifier: MIT */
/*
 * The device authorization grant (RFC 8628): a person enters a short code on another device, or scans a picture of the
 * address, while this process asks the service, at the pace it is told, whether they have.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#ifdef HAVE_QRENCODE
#include <qrencode.h>
#endif

#include "device-answer.h"
#include "modules/json/json.h"
#include "modules/oauth/client_auth.h"
#include "modules/oauth/clock.h"
#include "modules/oauth/form.h"
#include "modules/oauth/grant.h"
#include "modules/oauth/http.h"
#include "modules/oauth/pkce.h"
#include "modules/oauth/refusal_words.h"
#include "modules/oauth/token_request.h"
#include "modules/oauth/token_response.h"
#include "protocol/module.h"

#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:device_code"
#define INTERVAL_MORE 5 /* what slow_down adds (section 3.5) */

#define host rbr_grant_host /* short for what is on every line */

struct device {
	struct rbr_oauth oauth;
	const struct ringbearer_grant_input *input;
	struct ringbearer_secret *device_code; /* never shown */
	int64_t interval;
	int64_t ends_ms;
	bool lost; /* a question left and no answer came: it may have had the login in it */
	char verifier[RBR_RANDOM_TEXT_SIZE];
};

/* -- the code -- */

#ifdef HAVE_QRENCODE
/* Two rows of the picture in one line of text, dark on light whatever the terminal's colours are. */
static void
show_picture(const struct device *device, const char *url)
{
	QRcode *code = QRcode_encodeString(url, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	struct ringbearer_secret *text = host->secret_new("", 0);
	int x, y, rc = code && text ? 0 : RINGBEARER_E_SYSTEM;

	for (y = -2; rc == 0 && y < code->width + 2; y += 2) {
		rc = host->secret_append(text, "  ", 2);
		for (x = -2; rc == 0 && x < code->width + 2; x++) {
			bool inside = x >= 0 && x < code->width;
			bool upper = inside && y >= 0 && y < code->width && (code->data[y * code->width + x] & 1);
			bool lower = inside && y + 1 >= 0 && y + 1 < code->width &&
				(code->data[(y + 1) * code->width + x] & 1);
			const char *block = upper ? (lower ? " " : "▄") : (lower ? "▀" : "█");

			rc = host->secret_append(text, block, strlen(block));
		}
		if (rc == 0)
			rc = host->secret_append(text, "\n", 1);
	}
	if (rc == 0)
		host->tell(device->oauth.call, "%s", host->secret_data(text));
	host->secret_free(text);
	QRcode_free(code);
}
#else
static void
show_picture(const struct device *device, const char *url)
{
	(void)device;
	(void)url;
}
#endif

/* Code and address are shown always, also where there is an address that has the code in it (section 3.3.1). */
static void
show_code(const struct device *device, const struct rbr_device_answer *answer)
{
	bool complete = answer->complete && strcmp(answer->complete, answer->uri) != 0;

	if (host->config(device->oauth.call, "login_picture", 0))
		show_picture(device, complete ? answer->complete : answer->uri);
	host->tell(device->oauth.call, "On any device, open\n\n  %s\n\nand enter the code\n\n  %s\n%s%s%s", answer->uri,
		answer->user_code, complete ? "\nor open the address that has it in it\n\n  " : "",
		complete ? answer->complete : "", complete ? "\n" : "");
}

static int
take_code(struct device *device, const struct rbr_http_answer *answer, const char *endpoint)
{
	struct json_object *object = rbr_json_parse(host->secret_data(answer->body), host->secret_size(answer->body));
	bool success = answer->status >= 200 && answer->status < 300 && object && !rbr_token_has_error(object);
	struct ringbearer_tokens none = {.size = sizeof none};
	struct rbr_device_answer code;
	int rc;

	if (success && rbr_device_answer_read(object, strncasecmp(endpoint, "http:", 5) == 0, &code)) {
		device->device_code = host->secret_new(code.device_code, strlen(code.device_code));
		host->hide(device->oauth.call, code.device_code, strlen(code.device_code));
		device->interval = code.interval;
		device->ends_ms = rbr_oauth_now_ms() + code.expires_in * 1000;
		rc = device->device_code ? 0 : host->fail(device->oauth.call, RINGBEARER_E_SYSTEM, "out of memory");
		if (rc == 0)
			show_code(device, &code);
	} else if (success) {
		rc = host->fail(device->oauth.call, RINGBEARER_E_MALFORMED_RESPONSE,
			"the service gave no device_code, no code or no https address for the login; check "
			"`device_authorization_endpoint`, or ask its support");
	} else {
		rc = rbr_token_response(&device->oauth, answer, &none); /* says what is wrong */
	}
	json_object_put(object);
	return rc;
}

/* A form with what every request of this grant has, and the client's authentication. */
static int
start_form(const struct device *device, struct ringbearer_secret **ret_form, struct ringbearer_secret **ret_header)
{
	*ret_header = NULL;
	*ret_form = host->secret_new("", 0);
	if (!*ret_form)
		return host->fail(device->oauth.call, RINGBEARER_E_SYSTEM, "out of memory");
	return rbr_client_auth(&device->oauth, device->input->client_secret, *ret_form, ret_header);
}

static int
ask_for_code(struct device *device)
{
	const char *endpoint = NULL;
	char challenge[RBR_RANDOM_TEXT_SIZE];
	struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;
	struct ringbearer_secret *form, *header;
	int rc = host->endpoint(device->oauth.call, "device_authorization_endpoint", &endpoint);

	if (rc < 0)
		return rc;
	if (!endpoint)
		return host->fail(device->oauth.call, RINGBEARER_E_CONFIG,
			"the service has no `device_authorization_endpoint` that is known here; log in without --device, or set it");
	rc = rbr_random_text(&device->oauth, device->verifier);
	if (rc < 0)
		return rc;
	host->hide(device->oauth.call, device->verifier, strlen(device->verifier));
	rbr_pkce_challenge(device->verifier, challenge);
	rc = start_form(device, &form, &header);
	/* With Basic the id is in the header; the parameter is required all the same (section 3.1). */
	if (rc == 0 && header)
		rc = rbr_form_add(&device->oauth, form, "client_id", host->config(device->oauth.call, "client_id", 0));
	/* No standard says so, but the servers that want a proof key of a client want it here, too; others ignore it. */
	if (rc == 0)
		rc = rbr_form_add(&device->oauth, form, "code_challenge", challenge);
	if (rc == 0)
		rc = rbr_form_add(&device->oauth, form, "code_challenge_method", "S256");
	if (rc == 0)
		rc = rbr_token_parameters(&device->oauth, true, form);
	if (rc == 0)
		rc = rbr_http_post(
			&device->oauth, "device_authorization_endpoint", form, header, RBR_REPLAY_SAFE, &answer);
	if (rc == 0)
		rc = take_code(device, &answer, endpoint);
	rbr_http_answer_wipe(&device->oauth, &answer);
	host->secret_free(form);
	host->secret_free(header);
	return rc;
}

/* -- waiting -- */

static void
pause_for(const struct device *device)
{
	int64_t until = rbr_oauth_now_ms() + device->interval * 1000, left;
	char text[64];

	while (rbr_oauth_now_ms() < until && rbr_oauth_now_ms() < device->ends_ms) {
		struct timespec second = {.tv_sec = 0, .tv_nsec = 500000000};

		left = (device->ends_ms - rbr_oauth_now_ms()) / 1000;
		(void)snprintf(text, sizeof text, "Waiting for you, %lld:%02lld left", (long long)(left / 60),
			(long long)(left % 60));
		host->progress(device->oauth.call, text);
		(void)nanosleep(&second, NULL);
	}
}

static const char *
error_of(const struct rbr_http_answer *answer, char error[64])
{
	struct json_object *object =
		rbr_json_parse_loose(host->secret_data(answer->body), host->secret_size(answer->body));
	const char *text = object ? rbr_json_text(object, "error") : NULL;

	(void)snprintf(error, 64, "%s", text ? text : "");
	json_object_put(object);
	return error;
}

/* What an answer means: *RET_AGAIN if the wait goes on (section 3.5). */
static int
judge(struct device *device, const struct rbr_http_answer *answer, struct ringbearer_tokens *ret_tokens,
	bool *ret_again)
{
	char error[64];

	(void)error_of(answer, error);
	*ret_again = strcmp(error, "authorization_pending") == 0 || strcmp(error, "slow_down") == 0 ||
		answer->status == 429 || answer->status >= 500;
	if (strcmp(error, "slow_down") == 0)
		device->interval += INTERVAL_MORE;
	else if (answer->status == 429 || answer->status >= 500)
		device->interval *= 2;
	if (device->interval > RBR_DEVICE_INTERVAL_MAX)
		device->interval = RBR_DEVICE_INTERVAL_MAX;
	if (*ret_again)
		return 0;
	if (strcmp(error, "expired_token") == 0)
		return host->fail(device->oauth.call, RINGBEARER_E_LOGIN_REQUIRED,
			"the code has expired; run `ringbearer login %s --device` again",
			host->config(device->oauth.call, "account", 0));
	if (device->lost && strcmp(error, "invalid_grant") == 0)
		return host->fail(device->oauth.call, RINGBEARER_E_LOGIN_REQUIRED,
			"an answer of the service was lost on the way, probably with the login in it; run `ringbearer login %s "
			"--device` again",
			host->config(device->oauth.call, "account", 0));
	return rbr_token_response(&device->oauth, answer, ret_tokens);
}

static int
poll_once(struct device *device, struct ringbearer_tokens *ret_tokens, bool *ret_again)
{
	struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;
	struct ringbearer_secret *form, *header;
	int rc = start_form(device, &form, &header);

	if (rc == 0)
		rc = rbr_form_add(&device->oauth, form, "grant_type", GRANT_TYPE);
	if (rc == 0)
		rc = rbr_form_add_secret(&device->oauth, form, "device_code", device->device_code);
	if (rc == 0)
		rc = rbr_form_add(&device->oauth, form, "code_verifier", device->verifier);
	if (rc == 0)
		rc = rbr_token_parameters(&device->oauth, false, form);
	if (rc == 0)
		rc = rbr_http_post(&device->oauth, "token_endpoint", form, header, RBR_REPLAY_NEVER, &answer);
	*ret_again = rc == RINGBEARER_E_NETWORK;
	if (*ret_again) {
		device->lost = device->lost || answer.sent;
		device->interval =
			device->interval * 2 < RBR_DEVICE_INTERVAL_MAX ? device->interval * 2 : RBR_DEVICE_INTERVAL_MAX;
		rc = 0;
	} else if (rc == 0) {
		rc = judge(device, &answer, ret_tokens, ret_again);
	}
	rbr_http_answer_wipe(&device->oauth, &answer);
	host->secret_free(form);
	host->secret_free(header);
	return rc;
}

static int
authorize(
	struct ringbearer_call *call, const struct ringbearer_grant_input *input, struct ringbearer_tokens *ret_tokens)
{
	struct device device = {.oauth = rbr_grant_standing(call), .input = input};
	bool again = true;
	int rc = ask_for_code(&device);

	while (rc == 0 && again) {
		pause_for(&device);
		if (rbr_oauth_now_ms() >= device.ends_ms)
			rc = host->fail(call, RINGBEARER_E_LOGIN_REQUIRED,
				"nobody entered the code in time; run `ringbearer login %s --device` again",
				host->config(call, "account", 0));
		else
			rc = poll_once(&device, ret_tokens, &again);
	}
	host->progress(call, "");
	host->secret_free(device.device_code);
	explicit_bzero(device.verifier, sizeof device.verifier);
	return rc;
}

static const struct ringbearer_grant operations = {
	.size = sizeof operations,
	.needs = RINGBEARER_NEEDS_CLIENT_SECRET | RINGBEARER_NEEDS_REFRESH_TOKEN,
	.renew = rbr_grant_renew,
	.accept = rbr_grant_accept,
	.authorize = authorize,
	.revoke = rbr_grant_revoke,
	.discover = rbr_grant_discover,
	.probe = rbr_grant_probe,
};

const struct ringbearer_module rbr_grant_module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof rbr_grant_module,
	.name = "grant-device-code",
	.family = "grant",
	.operations = &operations,
};
