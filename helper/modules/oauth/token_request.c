/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "token_request.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "client_auth.h"
#include "form.h"
#include "token_response.h"

static const int64_t pauses_ms[RBR_TOKEN_REQUEST_RETRIES] = {500, 2000};

/* Between half of MILLISECONDS and all of it, so that many clients do not come back at once. */
static int64_t
jitter(int64_t milliseconds)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
		return milliseconds;
	return milliseconds / 2 + (int64_t)(random % 1000) * milliseconds / 2000;
}

static void
sleep_ms(int64_t milliseconds)
{
	struct timespec left = {
		.tv_sec = (time_t)(milliseconds / 1000), .tv_nsec = (long)(milliseconds % 1000) * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static int
add_parameters(const struct rbr_oauth *oauth, struct ringbearer_secret *body)
{
	const struct ringbearer_host *host = oauth->host;
	const char *send_scope = host->config(oauth->call, "send_scope", 0), *resource;
	size_t i;
	int rc = 0;

	if (!send_scope || strcmp(send_scope, "no") != 0)
		rc = rbr_form_add(oauth, body, "scope", host->config(oauth->call, "scope", 0));
	for (i = 0; rc == 0 && (resource = host->config(oauth->call, "resource", i)); i++)
		rc = rbr_form_add(oauth, body, "resource", resource);
	if (rc == 0)
		rc = rbr_form_add(oauth, body, "audience", host->config(oauth->call, "audience", 0));
	return rc < 0 ? host->fail(oauth->call, rc, "out of memory") : 0;
}

/* How long to wait before attempt number ATTEMPT + 1; -1: do not try again. */
static int64_t
pause_before_retry(const struct rbr_oauth *oauth, int rc, const struct rbr_http_answer *answer, enum rbr_replay replay,
	int attempt)
{
	/* 429 and 503 say that the request was not processed. */
	bool processed = answer->sent && answer->status != 429 && answer->status != 503;
	int64_t pause = answer->retry_after > 0 ? (int64_t)answer->retry_after * 1000 : jitter(pauses_ms[attempt]);

	if (rc != RINGBEARER_E_NETWORK && rc != RINGBEARER_E_TEMPORARILY_UNAVAILABLE)
		return -1;
	if (replay == RBR_REPLAY_UNSAFE && processed)
		return -1;
	if (pause > RBR_RETRY_AFTER_WAIT_MAX_MS || pause >= oauth->host->remaining_ms(oauth->call))
		return -1;
	return pause;
}

static int
send(const struct rbr_oauth *oauth, const struct ringbearer_secret *body, const struct ringbearer_secret *header,
	enum rbr_replay replay, struct ringbearer_tokens *ret_tokens)
{
	const char *endpoint = oauth->host->config(oauth->call, "token_endpoint", 0);
	int64_t pause;
	int attempt, rc;

	if (!endpoint)
		return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"`token_endpoint` is not set; add token_endpoint = https://… or a `provider` that knows it");
	for (attempt = 0;; attempt++) {
		struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;

		rc = rbr_http_post(oauth, endpoint, body, header, &answer);
		if (rc == 0)
			rc = rbr_token_response(oauth, &answer, ret_tokens);
		pause = attempt < RBR_TOKEN_REQUEST_RETRIES ? pause_before_retry(oauth, rc, &answer, replay, attempt)
							    : -1;
		rbr_http_answer_wipe(oauth, &answer);
		if (pause < 0)
			return rc;
		oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "trying again in %lld ms", (long long)pause);
		oauth->host->retry_after(oauth->call, 0);
		sleep_ms(pause);
	}
}

int
rbr_token_request(const struct rbr_oauth *oauth, const struct ringbearer_secret *client_secret,
	struct ringbearer_secret *parameters, enum rbr_replay replay, struct ringbearer_tokens *ret_tokens)
{
	struct ringbearer_secret *header = NULL;
	int rc = add_parameters(oauth, parameters);

	if (rc == 0)
		rc = rbr_client_auth(oauth, client_secret, parameters, &header);
	if (rc == 0)
		rc = send(oauth, parameters, header, replay, ret_tokens);
	oauth->host->secret_free(header);
	return rc;
}
