/* SPDX-License-Identifier: MIT */
/*
 * An issuer's metadata: where they are looked for, which document is believed, and which of the endpoints in it are sent
 * secrets. The input's first line is the issuer, the second the account's own token endpoint (or nothing); then come
 * the answers of the places, with a line `---` between them, each with a digit for its status first.
 *
 *    link: -Wl,--wrap=rbr_http_get
 */
#include "config.h"

#include "accounts/endpoint.h"
#include "fake-host.h"
#include "fuzz.h"
#include "modules/oauth/discovery.h"
#include "modules/oauth/http.h"
#include "protocol/fastpath/url.h"

#define FENCE "\n---\n"

static const long statuses[] = {200, 200, 200, 404, 302, 500, 200, 0, 0, 201};

/* What the places answer, and what has been asked and handed over. */
static const char *issuer, *rest, *end;
static unsigned asked, handed;
static struct rbr_account account;

int __wrap_rbr_http_get(const struct rbr_oauth *oauth, const char *url, struct rbr_http_answer *ret_answer);

int
__wrap_rbr_http_get(const struct rbr_oauth *oauth, const char *url, struct rbr_http_answer *ret_answer)
{
	const char *fence = memmem(rest, (size_t)(end - rest), FENCE, sizeof FENCE - 1), *stop = fence ? fence : end;
	const char *colon = strstr(issuer, "://");
	size_t origin = (size_t)(colon + 3 - issuer) + strcspn(colon + 3, "/");

	/* Nobody else's host is asked. */
	FUZZ_EXPECT(colon && strncmp(url, issuer, origin) == 0 && url[origin] == '/');
	FUZZ_EXPECT(strstr(url, "/.well-known/") != NULL && !strpbrk(url, "?#"));
	FUZZ_EXPECT(++asked <= RBR_WELL_KNOWN_COUNT);
	ret_answer->sent = rest < stop && *rest != '8';
	ret_answer->status = rest < stop && *rest >= '0' && *rest <= '9' ? statuses[*rest++ - '0'] : 200;
	ret_answer->body = oauth->host->secret_new(rest, (size_t)(stop - rest));
	rest = fence ? fence + sizeof FENCE - 1 : end;
	return ret_answer->status != 0
		? 0
		: oauth->host->fail(oauth->call, RINGBEARER_E_NETWORK, "the server was not reached; try again");
}

static void
discovered(struct ringbearer_call *call, const char *key, const char *value)
{
	bool plain = strncmp(issuer, "http://", 7) == 0;
	size_t size = strlen(issuer), said = strlen(value);
	int found = rbr_key_find(key);

	(void)call;
	handed++;
	if (strcmp(key, "issuer") == 0) {
		size -= size > 0 && issuer[size - 1] == '/';
		said -= said > 0 && value[said - 1] == '/';
		FUZZ_EXPECT(size == said && memcmp(issuer, value, size) == 0);
	} else if (rbr_endpoint_takes_secrets(found) || found == RBR_KEY_AUTHORIZATION_ENDPOINT) {
		FUZZ_EXPECT(strncmp(value, "https://", 8) == 0 || (plain && strncmp(value, "http://", 7) == 0));
		(void)!rbr_account_learn(&account, (enum rbr_key)found, value, NULL);
	} else {
		FUZZ_EXPECT(strcmp(key, "iss_required") == 0 && strcmp(value, "yes") == 0);
	}
}

/* What metadata name is sent secrets at the token endpoint's origin, and nowhere else. */
static void
check_endpoints(void)
{
	const char *home = rbr_account_get(&account, RBR_KEY_TOKEN_ENDPOINT);
	struct rbr_error error = {0};
	struct rbr_url url, own;
	int key;

	for (key = 0; key < RBR_KEYS; key++) {
		const struct rbr_value *value = rbr_account_value(&account, key, 0);
		int rc = rbr_endpoint_admit(&account, (enum rbr_key)key, &error);

		FUZZ_EXPECT(rc == 0 || (rc == RINGBEARER_E_CONFIG && fuzz_is_printable(error.detail)));
		if (!value || value->layer != RBR_LAYER_METADATA || key == RBR_KEY_TOKEN_ENDPOINT ||
			!rbr_endpoint_takes_secrets(key))
			continue;
		FUZZ_EXPECT(rbr_url_parse(&url, value->text, "it", NULL) == 0);
		FUZZ_EXPECT((rc == 0) ==
			(home && rbr_url_parse(&own, home, "it", NULL) == 0 && rbr_url_same_origin(&url, &own)));
	}
}

/* The next line of *TEXT, which is cut there. */
static char *
take_line(char **text)
{
	char *line = *text, *newline = strchr(line, '\n');

	*text = newline ? newline + 1 : line + strlen(line);
	if (newline)
		*newline = '\0';
	return line;
}

FUZZ_UP_TO(3 * (RBR_HTTP_BODY_MAX + RBR_ISSUER_MAX))

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ringbearer_call call;
	struct ringbearer_host host = *fake_host();
	struct rbr_oauth oauth = {.host = &host, .call = &call};
	struct rbr_message lines = RBR_MESSAGE_EMPTY;
	char *text = fuzz_string(data, size), *at = text, *token_endpoint;
	int rc;

	issuer = take_line(&at);
	token_endpoint = take_line(&at);
	rest = at;
	end = text + size;
	if (rest > end)
		rest = end;
	asked = handed = 0;
	host.discovered = discovered;
	fake_call_start(&call);
	fake_add(&call, "issuer", issuer);
	if (rbr_message_add(&lines, "grant", "device_code") == 0 && rbr_message_add(&lines, "issuer", issuer) == 0 &&
		(*token_endpoint == '\0' || rbr_message_add(&lines, "token_endpoint", token_endpoint) == 0) &&
		rbr_account_assemble("fuzzed", &lines, "it", &account, NULL) == 0) {
		rc = rbr_discover(&oauth, size % 2 == 0);
		FUZZ_EXPECT(rc == 0 || (rc == call.code && handed == 0));
		FUZZ_EXPECT(rc == 0 || rc == RINGBEARER_E_CONFIG || rc == RINGBEARER_E_NETWORK ||
			rc == RINGBEARER_E_TEMPORARILY_UNAVAILABLE);
		check_endpoints();
	}
	FUZZ_EXPECT(fake_secrets() == 0);
	rbr_account_wipe(&account);
	rbr_message_wipe(&lines);
	free(text);
	return 0;
}
