/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "http_failure.h"
#include "transfer.h"

/* How long a request may take. */
struct limits {
	int64_t connect_ms; /* for name, connection and TLS */
	int64_t whole_ms; /* for all of it */
};

void
rbr_http_answer_wipe(const struct rbr_oauth *oauth, struct rbr_http_answer *answer)
{
	oauth->host->secret_free(answer->body);
	*answer = RBR_HTTP_ANSWER_EMPTY;
}

void
rbr_http_begin(void)
{
	/* What the environment must not decide. */
	(void)unsetenv("SSLKEYLOGFILE"); /* it would write the keys of the connection to a file */
	(void)unsetenv("CURL_SSL_BACKEND");
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURL *
start_curl(void)
{
	rbr_http_begin();
	return curl_easy_init();
}

static void
set_transport(CURL *curl, const struct rbr_oauth *oauth, const char *url)
{
	const char *ca_file = oauth->host->config(oauth->call, "ca_file", 0);
	const char *proxy = oauth->host->config(oauth->call, "proxy", 0);
	const char *version = oauth->host->config(oauth->call, "ip_version", 0);
	const char *protocol = url && strncasecmp(url, "http:", 5) == 0 ? "http" : "https";

	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocol);
	(void)curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* libcurl sends a POST again by itself when a connection that it reused turns out dead. */
	(void)curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	if (ca_file) {
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
		(void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	/* Plain http is for this machine alone: it goes through no proxy. */
	if (strcmp(protocol, "http") == 0 || (proxy && strcmp(proxy, "none") == 0))
		(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	else if (proxy)
		(void)curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
	if (version && *version == '4')
		(void)curl_easy_setopt(curl, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	else if (version && *version == '6')
		(void)curl_easy_setopt(curl, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V6);
}

/* Nothing but these ends a request that has left, however slowly or silently it is answered. */
static void
set_limits(CURL *curl, const struct limits *limits)
{
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)limits->whole_ms);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)limits->connect_ms);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

static void
set_request(CURL *curl, const struct rbr_oauth *oauth, const struct ringbearer_secret *body, struct curl_slist *headers,
	struct rbr_transfer *transfer)
{
	if (transfer->probe) {
		(void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	}
	if (body) {
		(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, oauth->host->secret_data(body)); /* not copied */
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)oauth->host->secret_size(body));
	}
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "ringbearer/" PACKAGE_VERSION);
	rbr_transfer_watch(transfer);
}

static const char *
method_of(const struct rbr_transfer *transfer)
{
	if (transfer->probe)
		return "HEAD";
	return transfer->posts ? "POST" : "GET";
}

/* What was seen on the way. The first certificate is the server's own; how its end is written depends on the library. */
static void
take_probe(CURL *curl, struct ringbearer_probe *probe)
{
	static const char ends[] = "Expire date:";
	struct curl_certinfo *chain = NULL;
	struct curl_header *date = NULL;
	struct curl_slist *line;
	time_t when;

	if (curl_easy_header(curl, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK) {
		when = curl_getdate(date->value, NULL);
		probe->server_time = when > 0 ? when : 0;
	}
	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain || chain->num_of_certs < 1)
		return;
	for (line = chain->certinfo[0]; line; line = line->next)
		if (strncmp(line->data, ends, sizeof ends - 1) == 0) {
			when = curl_getdate(line->data + sizeof ends - 1, NULL);
			probe->certificate_ends = when > 0 ? when : 0;
		}
}

static int
perform(const struct rbr_oauth *oauth, CURL *curl, const char *url, int64_t whole_ms, struct rbr_transfer *transfer)
{
	char detail[CURL_ERROR_SIZE] = "";
	struct rbr_http_answer *answer = transfer->answer;
	curl_off_t retry_after = 0;
	CURLcode code;

	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "%s %s", method_of(transfer), url);
	code = curl_easy_perform(curl);
	if (transfer->whole && code == CURLE_ABORTED_BY_CALLBACK) {
		oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "the answer is whole, and its end does not come");
		code = CURLE_OK;
	}
	rbr_transfer_settle(transfer);
	if (answer->withheld < 0)
		return answer->withheld;
	if (code == CURLE_OK || transfer->excess != RBR_HTTP_EXCESS_NONE)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	memcpy(answer->location_host, transfer->headers.location_host, sizeof answer->location_host);
	if (code != CURLE_OK) {
		const struct rbr_http_failure failure = {code, detail, url, transfer->excess, answer->sent, whole_ms};

		answer->timed_out = answer->sent && code == CURLE_OPERATION_TIMEDOUT;
		return rbr_http_explain(oauth, curl, &failure);
	}
	if (transfer->probe)
		take_probe(curl, transfer->probe);
	(void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	answer->retry_after = retry_after > 0 ? (long)retry_after : 0;
	oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "answered with status %ld, %zu bytes", answer->status,
		oauth->host->secret_size(answer->body));
	return 0;
}

/* For one request: what is left of the call, and never more than the account's timeout. Where the account names none, who waits
 * for what cannot be asked for again has more patience. */
static struct limits
time_left(const struct rbr_oauth *oauth, enum rbr_replay replay)
{
	const char *timeout = oauth->host->config(oauth->call, "timeout", 0);
	const char *patience = oauth->host->config(oauth->call, "answer_timeout", 0);
	int64_t most = timeout ? (int64_t)strtoll(timeout, NULL, 10) * 1000 : RBR_HTTP_CONNECT_MS;
	int64_t left = oauth->host->remaining_ms(oauth->call);
	struct limits limits;

	limits.whole_ms = left < most ? left : most;
	limits.connect_ms = limits.whole_ms < RBR_HTTP_CONNECT_MS ? limits.whole_ms : RBR_HTTP_CONNECT_MS;
	if (patience && replay != RBR_REPLAY_SAFE && limits.whole_ms > 0)
		limits.whole_ms = limits.connect_ms + (int64_t)strtoll(patience, NULL, 10) * 1000;
	return limits;
}

/* The certificates that are believed decide whom secrets go to. One that is not there is libcurl's to complain about. */
static int
check_ca_file(const struct rbr_oauth *oauth)
{
	const char *ca_file = oauth->host->config(oauth->call, "ca_file", 0);

	return ca_file && access(ca_file, R_OK) == 0 ? oauth->host->trust(oauth->call, ca_file) : 0;
}

static int
request(const struct rbr_oauth *oauth, const char *url, const struct ringbearer_secret *body,
	const struct ringbearer_secret *authorization, enum rbr_replay replay, struct ringbearer_probe *probe,
	struct rbr_http_answer *ret_answer)
{
	struct rbr_transfer transfer = {
		.oauth = oauth, .answer = ret_answer, .replay = replay, .posts = body != NULL, .probe = probe};
	const struct limits limits = time_left(oauth, replay);
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json"), *longer = headers;
	CURL *curl;
	int rc = check_ca_file(oauth);

	if (rc < 0) {
		curl_slist_free_all(headers);
		return rc;
	}
	if (limits.whole_ms <= 0) {
		curl_slist_free_all(headers);
		return oauth->host->fail(
			oauth->call, RINGBEARER_E_NETWORK, "no time is left for the request; raise `timeout`");
	}
	ret_answer->body = oauth->host->secret_new("", 0);
	curl = start_curl();
	if (headers && authorization)
		longer = curl_slist_append(headers, oauth->host->secret_data(authorization));
	if (!curl || !headers || !longer || !ret_answer->body) {
		rc = oauth->host->fail(oauth->call, RINGBEARER_E_SYSTEM, "libcurl cannot be started");
	} else {
		transfer.curl = curl;
		set_transport(curl, oauth, url);
		set_limits(curl, &limits);
		set_request(curl, oauth, body, longer, &transfer);
		rc = perform(oauth, curl, url, limits.whole_ms, &transfer);
	}
	curl_easy_cleanup(curl);
	if (longer && longer->next) /* the copy of the header that libcurl made */
		explicit_bzero(longer->next->data, strlen(longer->next->data));
	curl_slist_free_all(headers);
	return rc;
}

int
rbr_http_post(const struct rbr_oauth *oauth, const char *key, const struct ringbearer_secret *body,
	const struct ringbearer_secret *authorization, enum rbr_replay replay, struct rbr_http_answer *ret_answer)
{
	const char *url = NULL;
	int rc = oauth->host->endpoint(oauth->call, key, &url);

	if (rc == 0 && !url)
		rc = oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG, "`%s` is not set; add it to the account", key);
	if (rc < 0)
		return rc;
	return request(oauth, url, body, authorization, replay, NULL, ret_answer);
}

int
rbr_http_get(const struct rbr_oauth *oauth, const char *url, struct rbr_http_answer *ret_answer)
{
	return request(oauth, url, NULL, NULL, RBR_REPLAY_SAFE, NULL, ret_answer);
}

int
rbr_http_probe(const struct rbr_oauth *oauth, const char *key, struct ringbearer_probe *ret_probe)
{
	struct rbr_http_answer answer = RBR_HTTP_ANSWER_EMPTY;
	const char *url = NULL;
	int rc = oauth->host->endpoint(oauth->call, key, &url);

	if (rc == 0 && !url)
		rc = oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG, "`%s` is not set; add it to the account", key);
	if (rc == 0)
		rc = request(oauth, url, NULL, NULL, RBR_REPLAY_SAFE, ret_probe, &answer);
	rbr_http_answer_wipe(oauth, &answer);
	return rc;
}
