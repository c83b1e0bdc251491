/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "http_failure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "headers.h"

#define PROXY_SHOWN_MAX 256

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

/* The key that the request's address came from. */
static const char *
key_of(const struct rbr_oauth *oauth, const char *url)
{
	static const char *const keys[] = {"token_endpoint", "revocation_endpoint", "device_authorization_endpoint"};
	size_t i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const char *value = oauth->host->config(oauth->call, keys[i], 0);

		if (value && strcmp(value, url) == 0)
			return keys[i];
	}
	return "issuer";
}

/* The proxy that the account or the environment names, without user and password. */
static void
name_proxy(const struct rbr_oauth *oauth, char shown[PROXY_SHOWN_MAX])
{
	static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	const char *proxy = oauth->host->config(oauth->call, "proxy", 0), *start;
	size_t i;

	for (i = 0; !proxy && i < sizeof variables / sizeof variables[0]; i++)
		proxy = secure_getenv(variables[i]);
	if (!proxy)
		proxy = "";
	start = strrchr(proxy, '@');
	if (!start) {
		start = strstr(proxy, "://");
		start = start ? start + 2 : NULL;
	}
	(void)snprintf(shown, PROXY_SHOWN_MAX, "%.200s", start ? start + 1 : proxy);
}

/* The proxy has answered, and not with a connection: STATUS is its own. */
static int
fail_proxy(const struct rbr_oauth *oauth, long status)
{
	char proxy[PROXY_SHOWN_MAX];

	name_proxy(oauth, proxy);
	if (status == 407)
		return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"the proxy %s wants a user name and a password (status 407); have `proxy` or https_proxy name one that "
			"lets this machine through, with both in it where the proxy wants them",
			proxy);
	if (status >= 500)
		return oauth->host->fail(oauth->call, RINGBEARER_E_NETWORK,
			"the proxy %s does not get through to the service (status %ld); try again later, or set `proxy`",
			proxy, status);
	return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
		"the proxy %s refuses to connect to the service (status %ld); have the service's host allowed there, or set `proxy`",
		proxy, status);
}

static int
fail_malformed(const struct rbr_oauth *oauth, const struct rbr_http_failure *failure)
{
	static const char advice[] = "or ask the service's support";
	const char *key = key_of(oauth, failure->url);

	switch (failure->excess) {
	case RBR_HTTP_EXCESS_HEADERS:
		return oauth->host->fail(oauth->call, RINGBEARER_E_MALFORMED_RESPONSE,
			"the server sends more than %u bytes of header lines, or more than %u answers to one request; check `%s`, "
			"%s",
			RBR_HTTP_HEADER_BYTES_MAX, RBR_HTTP_ANSWERS_MAX, key, advice);
	case RBR_HTTP_EXCESS_FRAMES:
		return oauth->host->fail(oauth->call, RINGBEARER_E_MALFORMED_RESPONSE,
			"the server sends more than %u bytes around its answer; check `%s`, %s", RBR_HTTP_RAW_MAX, key,
			advice);
	default:
		return oauth->host->fail(oauth->call, RINGBEARER_E_MALFORMED_RESPONSE,
			"the server's answer is longer than %u bytes or is no HTTP; check `%s`, %s", RBR_HTTP_BODY_MAX,
			key, advice);
	}
}

static int
fail_network(const struct rbr_oauth *oauth, const struct rbr_http_failure *failure, const char *what)
{
	if (!failure->sent)
		return oauth->host->fail(oauth->call, RINGBEARER_E_NETWORK,
			"the server was not reached (%s); check the connection and try again", what);
	if (failure->code == CURLE_OPERATION_TIMEDOUT)
		return oauth->host->fail(oauth->call, RINGBEARER_E_NETWORK,
			"the server has the request and gave no whole answer in %" PRId64
			" s; raise `timeout` if the service is that slow, or try again later",
			(failure->waited_ms + 500) / 1000);
	return oauth->host->fail(oauth->call, RINGBEARER_E_NETWORK,
		"the server's answer did not arrive (%s); check the connection and try again", what);
}

int
rbr_http_explain(const struct rbr_oauth *oauth, CURL *curl, const struct rbr_http_failure *failure)
{
	const char *what = failure->detail[0] != '\0' ? failure->detail : curl_easy_strerror(failure->code);
	const char *ca_file = oauth->host->config(oauth->call, "ca_file", 0);
	/* libcurl says "unsupported protocol" as well to an answer that is no HTTP of this century, and "out of memory" to a line
	 * that is longer than it takes. */
	bool nonsense = failure->excess != RBR_HTTP_EXCESS_NONE ||
		(failure->sent &&
			(failure->code == CURLE_UNSUPPORTED_PROTOCOL || failure->code == CURLE_OUT_OF_MEMORY));
	int mine = nonsense ? RINGBEARER_E_MALFORMED_RESPONSE : code_for(failure->code);
	long connect_status = 0;

	if (ca_file && failure->code == CURLE_SSL_CACERT_BADFILE)
		return fail_ca_file(oauth, ca_file);
	(void)curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &connect_status);
	if (!failure->sent && connect_status >= 300)
		return fail_proxy(oauth, connect_status);
	switch (mine) {
	case RINGBEARER_E_MALFORMED_RESPONSE:
		return fail_malformed(oauth, failure);
	case RINGBEARER_E_TLS:
		return oauth->host->fail(oauth->call, mine,
			"the server's certificate is not accepted (%s); set `ca_file` if the server uses an authority of its own, and do "
			"not go on otherwise",
			what);
	case RINGBEARER_E_NETWORK:
		return fail_network(oauth, failure, what);
	default:
		return oauth->host->fail(oauth->call, mine, "the request cannot be made (%s); check `%s` and `proxy`",
			what, key_of(oauth, failure->url));
	}
}
