/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "token_request.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "client_auth.h"
#include "clock.h"
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

int
rbr_token_parameters(const struct rbr_oauth *oauth, bool with_scope, struct ringbearer_secret *body)
{
	const struct ringbearer_host *host = oauth->host;
	const char *send_scope = host->config(oauth->call, "send_scope", 0), *resource;
	size_t i;
	int rc = 0;

	if (with_scope && (!send_scope || strcmp(send_scope, "no") != 0))
		rc = rbr_form_add(oauth, body, "scope", host->config(oauth->call, "scope", 0));
	for (i = 0; rc == 0 && (resource = host->config(oauth->call, "resource", i)); i++)
		rc = rbr_form_add(oauth, body, "resource", resource);
	if (rc == 0)
		rc = rbr_form_add(oauth, body, "audience", host->config(oauth->call, "audience", 0));
	return rc < 0 ? host->fail(oauth->call, rc, "out of memory") : 0;
}

/* What became of an attempt. */
enum outcome {
	OUTCOME_SETTLED, /* tokens, or an answer that no other try will change */
	OUTCOME_NOT_SENT, /* the server knows nothing of it */
	OUTCOME_WITHHELD, /* not sent, and it must not be */
	OUTCOME_TURNED_AWAY, /* 429 or 503: not processed */
	OUTCOME_UNCERTAIN, /* it may have been processed, and the answer is lost */
};

static enum outcome
judge(int rc, const struct rbr_http_answer *answer, enum rbr_replay replay, const struct ringbearer_tokens *tokens)
{
	if (rc == 0 || tokens->refresh_token)
		return OUTCOME_SETTLED;
	if (answer->withheld < 0)
		return OUTCOME_WITHHELD;
	if (answer->status == 429 || answer->status == 503)
		return OUTCOME_TURNED_AWAY;
	if (rc == RINGBEARER_E_NETWORK)
		return answer->sent ? OUTCOME_UNCERTAIN : OUTCOME_NOT_SENT;
	if (rc == RINGBEARER_E_TEMPORARILY_UNAVAILABLE)
		return OUTCOME_UNCERTAIN;
	/* An answer that cannot be read is no reason to ask for client credentials again, but it may have held tokens. */
	return rc == RINGBEARER_E_MALFORMED_RESPONSE && replay != RBR_REPLAY_SAFE ? OUTCOME_UNCERTAIN : OUTCOME_SETTLED;
}

/* How long to wait before attempt number ATTEMPT + 1; -1: do not try again. FIRST_MS is when the first one left. */
static int64_t
pause_before_retry(const struct rbr_oauth *oauth, enum outcome outcome, const struct rbr_http_answer *answer,
	enum rbr_replay replay, int attempt, int64_t first_ms)
{
	const char *retry = oauth->host->config(oauth->call, "refresh_retry", 0);
	int64_t pause = jitter(pauses_ms[attempt]);
	int most = RBR_TOKEN_REQUEST_RETRIES;

	if (outcome == OUTCOME_TURNED_AWAY && replay == RBR_REPLAY_UNSAFE)
		most = 1;
	if (outcome == OUTCOME_UNCERTAIN && replay == RBR_REPLAY_UNSAFE)
		most = retry && strcmp(retry, "once") == 0 &&
				rbr_oauth_now_ms() + pause - first_ms < RBR_UNCERTAIN_RETRY_MS
			? 1
			: 0;
	if (outcome != OUTCOME_NOT_SENT && replay == RBR_REPLAY_NEVER)
		most = 0;
	if (outcome == OUTCOME_TURNED_AWAY && answer->retry_after > 0)
		pause = (int64_t)answer->retry_after * 1000;
	if (outcome == OUTCOME_SETTLED || outcome == OUTCOME_WITHHELD || attempt >= most ||
		pause > RBR_RETRY_AFTER_WAIT_MAX_MS || pause >= oauth->host->remaining_ms(oauth->call))
		return -1;
	return pause;
}

static int
conclude(const struct rbr_oauth *oauth, int rc, enum outcome outcome, enum rbr_replay replay, bool timed_out)
{
	const char *name = oauth->host->config(oauth->call, "account", 0);

	if (outcome != OUTCOME_UNCERTAIN || replay != RBR_REPLAY_UNSAFE)
		return rc;
	if (timed_out)
		return oauth->host->fail(oauth->call, RINGBEARER_E_ROTATION_UNCERTAIN,
			"the server has the request and did not answer in time (`timeout`), and the refresh token may have been used "
			"up; raise `timeout` if the service is that slow, run `ringbearer refresh %s` to try it once more, or "
			"`ringbearer login %s`",
			name, name);
	return oauth->host->fail(oauth->call, RINGBEARER_E_ROTATION_UNCERTAIN,
		"the server's answer was lost or cannot be read, and the refresh token may have been used up; run `ringbearer refresh "
		"%s` to try it once more, or `ringbearer login %s`",
		name, name);
}

static int
send_request(const struct rbr_oauth *oauth, const struct ringbearer_secret *body,
	const struct ringbearer_secret *header, enum rbr_replay replay, struct ringbearer_tokens *ret_tokens)
{
	const char *endpoint = NULL;
	int64_t pause, first_ms = rbr_oauth_now_ms();
	enum outcome outcome;
	bool lost = false, timed_out;
	int attempt, rc = oauth->host->endpoint(oauth->call, "token_endpoint", &endpoint);

	if (rc < 0)
		return rc;
	if (!endpoint)
		return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"`token_endpoint` is not set; add token_endpoint = https://… or a `provider` that knows it");
	for (attempt = 0;; attempt++) {
		struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;

		rc = rbr_http_post(oauth, "token_endpoint", body, header, replay, &answer);
		if (rc == 0)
			rc = rbr_token_response(oauth, &answer, ret_tokens);
		if (rc < 0 && replay != RBR_REPLAY_SAFE && !answer.refusal && answer.body)
			rbr_token_salvage(oauth, answer.body, ret_tokens);
		outcome = judge(rc, &answer, replay, ret_tokens);
		pause = attempt < RBR_TOKEN_REQUEST_RETRIES
			? pause_before_retry(oauth, outcome, &answer, replay, attempt, first_ms)
			: -1;
		timed_out = answer.timed_out;
		rbr_http_answer_wipe(oauth, &answer);
		/* A second try that does not get through says nothing about the first. */
		if (lost &&
			(outcome == OUTCOME_NOT_SENT || outcome == OUTCOME_WITHHELD || outcome == OUTCOME_TURNED_AWAY))
			outcome = OUTCOME_UNCERTAIN;
		lost = lost || outcome == OUTCOME_UNCERTAIN;
		if (pause < 0)
			return conclude(oauth, rc, outcome, replay, timed_out);
		oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "trying again in %lld ms", (long long)pause);
		oauth->host->retry_after(oauth->call, 0);
		sleep_ms(pause);
	}
}

int
rbr_token_request(const struct rbr_oauth *oauth, const struct ringbearer_secret *client_secret,
	struct ringbearer_secret *parameters, bool with_scope, enum rbr_replay replay,
	struct ringbearer_tokens *ret_tokens)
{
	struct ringbearer_secret *header = NULL;
	int rc = rbr_token_parameters(oauth, with_scope, parameters);

	if (rc == 0)
		rc = rbr_client_auth(oauth, client_secret, parameters, &header);
	if (rc == 0)
		rc = send_request(oauth, parameters, header, replay, ret_tokens);
	oauth->host->secret_free(header);
	return rc;
}

int
rbr_token_accept(const struct rbr_oauth *oauth, const void *bytes, size_t size, struct ringbearer_tokens *ret_tokens)
{
	struct rbr_http_answer answer = {.status = 200, .body = oauth->host->secret_new(bytes, size)};
	int rc;

	if (!answer.body)
		return oauth->host->fail(oauth->call, RINGBEARER_E_SYSTEM, "out of memory");
	rc = rbr_token_response(oauth, &answer, ret_tokens);
	if (rc < 0)
		rbr_token_salvage(oauth, answer.body, ret_tokens);
	rbr_http_answer_wipe(oauth, &answer);
	return rc;
}
