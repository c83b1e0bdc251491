/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "modules/json/json.h"

#define LOW_SPEED_BYTES 1L
#define LOW_SPEED_SECONDS 15L
/* What is longer may not fit into the kernel, where an ordinary user has 20,000 bytes for everything. */
#define PARK_WHOLE_MAX 8192u

struct transfer {
	const struct rbr_oauth *oauth;
	struct rbr_http_answer *answer;
	CURL *curl;
	enum rbr_replay replay;
	bool posts;
	bool too_long;
};

void
rbr_http_answer_wipe(const struct rbr_oauth *oauth, struct rbr_http_answer *answer)
{
	oauth->host->secret_free(answer->body);
	*answer = RBR_HTTP_ANSWER_EMPTY;
}

/* A long answer's refresh token is all that must not be lost of it; one that a refusal shows must not be found. */
static void
park(const struct transfer *transfer, const char *bytes, size_t size)
{
	const struct ringbearer_host *host = transfer->oauth->host;
	bool refusal = transfer->answer->refusal, found;
	struct rbr_json_span span;

	if (transfer->replay == RBR_REPLAY_SAFE)
		return;
	found = (refusal || size > PARK_WHOLE_MAX) && rbr_json_find(bytes, size, "refresh_token", &span);
	if (!found)
		host->park(transfer->oauth->call, bytes, size);
	else if (!refusal)
		host->park(transfer->oauth->call, span.text, span.size);
}

/* What is too long is taken up to the limit: it may hold the next refresh token. */
static size_t
take_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;
	const struct ringbearer_host *host = transfer->oauth->host;
	struct ringbearer_secret *body = transfer->answer->body;
	size_t room = RBR_HTTP_BODY_MAX - host->secret_size(body), taken = size * count;
	bool first = host->secret_size(body) == 0;
	long status = 0;

	(void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	transfer->answer->refusal = status < 200 || status >= 300;
	if (taken > room) {
		transfer->too_long = true;
		taken = room;
	}
	/* As far as it is up to us, nothing happens between the bytes' arrival and this. */
	if (first)
		park(transfer, data, taken);
	if (host->secret_append(body, data, taken) < 0)
		return 0;
	if (!first)
		park(transfer, host->secret_data(body), host->secret_size(body));
	return transfer->too_long ? 0 : taken;
}

/* The connection stands, TLS is agreed on, nothing has been sent. */
static int
before_request(void *user, char *to, char *from, int to_port, int from_port) /* NOLINT: libcurl's type */
{
	struct transfer *transfer = user;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	transfer->answer->sent = true;
	if (transfer->posts)
		transfer->oauth->host->sending(transfer->oauth->call);
	return CURL_PREREQFUNC_OK;
}

/* Only a redirect's host is kept, for the message. */
static size_t
take_header(char *data, size_t size, size_t count, void *user)
{
	static const char name[] = "location:";
	struct transfer *transfer = user;
	char *host = transfer->answer->location_host;
	size_t length = size * count, start, end;

	if (length < sizeof name || strncasecmp(data, name, sizeof name - 1) != 0)
		return length;
	for (start = sizeof name - 1; start + 3 < length && strncmp(data + start, "://", 3) != 0; start++)
		;
	if (start + 3 >= length)
		return length;
	start += 3;
	for (end = start; end < length && !strchr("/?# \r\n", data[end]); end++)
		;
	if (end - start < RBR_HTTP_LOCATION_HOST_MAX) {
		memcpy(host, data + start, end - start);
		host[end - start] = '\0';
	}
	return length;
}

/* What the environment must not decide. */
static CURL *
start_curl(void)
{
	(void)unsetenv("SSLKEYLOGFILE"); /* it would write the keys of the connection to a file */
	(void)unsetenv("CURL_SSL_BACKEND");
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
}

static void
set_transport(CURL *curl, const struct rbr_oauth *oauth, const char *url)
{
	const char *ca_file = oauth->host->config(oauth->call, "ca_file", 0);
	const char *proxy = oauth->host->config(oauth->call, "proxy", 0);
	const char *version = oauth->host->config(oauth->call, "ip_version", 0);
	const char *protocol = strncasecmp(url, "http:", 5) == 0 ? "http" : "https";

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

static void
set_limits(CURL *curl, int64_t remaining)
{
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)remaining);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(remaining < RBR_HTTP_CONNECT_MS ? remaining : RBR_HTTP_CONNECT_MS));
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

static void
set_request(CURL *curl, const struct rbr_oauth *oauth, const struct ringbearer_secret *body, struct curl_slist *headers,
	struct transfer *transfer)
{
	if (body) {
		(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, oauth->host->secret_data(body)); /* not copied */
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)oauth->host->secret_size(body));
	}
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "ringbearer/" PACKAGE_VERSION);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
	(void)curl_easy_setopt(curl, CURLOPT_PREREQDATA, transfer);
}

/* ca_file, and not the server, is what is wrong. */
static int
fail_ca_file(const struct rbr_oauth *oauth, const char *ca_file)
{
	const struct ringbearer_host *host = oauth->host;

	if (access(ca_file, R_OK) < 0)
		return host->fail(oauth->call, RINGBEARER_E_TLS,
			"`ca_file`: %s cannot be read (%s); name a PEM file with "
			"the authority's certificate",
			ca_file, strerror(errno));
	return host->fail(oauth->call, RINGBEARER_E_TLS,
		"`ca_file`: %s has no certificate that can be read; name a PEM file with the authority's certificate",
		ca_file);
}

/* What a CURLcode means to us. */
static int
code_for(CURLcode code)
{
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_LOGIN_DENIED:
		return RINGBEARER_E_CONFIG;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return RINGBEARER_E_TLS;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
		return RINGBEARER_E_SYSTEM;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return RINGBEARER_E_MALFORMED_RESPONSE;
	default:
		return RINGBEARER_E_NETWORK;
	}
}

static int
explain(const struct rbr_oauth *oauth, CURLcode code, const char *detail, const struct transfer *transfer)
{
	const struct ringbearer_host *host = oauth->host;
	/* libcurl says "unsupported protocol" as well to an answer that is no HTTP of this century. */
	bool nonsense = transfer->too_long || (code == CURLE_UNSUPPORTED_PROTOCOL && transfer->answer->sent);
	int mine = nonsense ? RINGBEARER_E_MALFORMED_RESPONSE : code_for(code);
	const char *what = detail[0] != '\0' ? detail : curl_easy_strerror(code);
	const char *ca_file = host->config(oauth->call, "ca_file", 0);

	if (ca_file && code == CURLE_SSL_CACERT_BADFILE)
		return fail_ca_file(oauth, ca_file);
	switch (mine) {
	case RINGBEARER_E_MALFORMED_RESPONSE:
		return host->fail(oauth->call, mine,
			"the server's answer is longer than %u bytes or is no HTTP; check `token_endpoint`",
			RBR_HTTP_BODY_MAX);
	case RINGBEARER_E_TLS:
		return host->fail(oauth->call, mine,
			"the server's certificate is not accepted (%s); set `ca_file` if the server uses an authority of its own, and do "
			"not go on otherwise",
			what);
	case RINGBEARER_E_NETWORK:
		return host->fail(
			oauth->call, mine, "the server was not reached (%s); check the connection and try again", what);
	default:
		return host->fail(
			oauth->call, mine, "the request cannot be made (%s); check `token_endpoint` and `proxy`", what);
	}
}

static int
perform(const struct rbr_oauth *oauth, CURL *curl, const char *url, struct transfer *transfer)
{
	char detail[CURL_ERROR_SIZE] = "";
	curl_off_t retry_after = 0;
	CURLcode code;

	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "%s %s", transfer->posts ? "POST" : "GET", url);
	code = curl_easy_perform(curl);
	if (code == CURLE_OK || transfer->too_long)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &transfer->answer->status);
	if (code != CURLE_OK)
		return explain(oauth, code, detail, transfer);
	(void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	transfer->answer->retry_after = retry_after > 0 ? (long)retry_after : 0;
	oauth->host->log(oauth->call, RINGBEARER_LOG_TRACE, "answered with status %ld, %zu bytes",
		transfer->answer->status, oauth->host->secret_size(transfer->answer->body));
	return 0;
}

/* For one request: what is left of the call, and never more than the account's timeout. */
static int64_t
time_left(const struct rbr_oauth *oauth)
{
	const char *timeout = oauth->host->config(oauth->call, "timeout", 0);
	int64_t most = timeout ? (int64_t)strtoll(timeout, NULL, 10) * 1000 : RBR_HTTP_CONNECT_MS;
	int64_t left = oauth->host->remaining_ms(oauth->call);

	return left < most ? left : most;
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
	const struct ringbearer_secret *authorization, enum rbr_replay replay, struct rbr_http_answer *ret_answer)
{
	struct transfer transfer = {.oauth = oauth, .answer = ret_answer, .replay = replay, .posts = body != NULL};
	int64_t remaining = time_left(oauth);
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json"), *longer = headers;
	CURL *curl;
	int rc = check_ca_file(oauth);

	if (rc < 0) {
		curl_slist_free_all(headers);
		return rc;
	}
	if (remaining <= 0) {
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
		set_limits(curl, remaining);
		set_request(curl, oauth, body, longer, &transfer);
		rc = perform(oauth, curl, url, &transfer);
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
	return request(oauth, url, body, authorization, replay, ret_answer);
}

int
rbr_http_get(const struct rbr_oauth *oauth, const char *url, struct rbr_http_answer *ret_answer)
{
	return request(oauth, url, NULL, NULL, RBR_REPLAY_SAFE, ret_answer);
}
