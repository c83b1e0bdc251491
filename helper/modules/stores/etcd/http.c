/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "protocol/writer.h"

#define URL_MAX 4608
#define POLL_MS 1000
#define AHEAD_MS 100 /* that an answer which nobody looks at is waited for, for the connection's sake */

/* One for a request, and one for what is sent ahead of it; the connections are in `all`. */
static CURL *kept, *ahead;
static CURLM *all;
static bool multiplexes;

/* A request under way. */
struct transfer {
	const struct rbr_etcd *etcd;
	const struct rbr_etcd_post *post;
	struct rbr_etcd_reply *reply;
	int64_t begun_ms;
	unsigned sent; /* how often its first byte was about to leave */
	size_t line; /* where the one begins that is not whole yet */
	bool enough; /* the line taker wants no more */
	bool unheard;
};

static const char *
config(const struct rbr_etcd *etcd, const char *key)
{
	return etcd->host->config(etcd->call, key, 0);
}

void
rbr_etcd_reply_wipe(const struct rbr_etcd *etcd, struct rbr_etcd_reply *reply)
{
	etcd->host->secret_free(reply->body);
	memset(reply, 0, sizeof *reply);
}

/* -- what comes -- */

/* A NUL goes behind it. */
static bool
take_line(struct transfer *transfer, const char *text, size_t size)
{
	char *line = strndup(text, size);

	if (!line || strlen(line) != size || !transfer->post->take_line(line, size, transfer->post->data))
		transfer->enough = true;
	free(line);
	return !transfer->enough;
}

/* Hands over the lines that are whole. */
static bool
take_lines(struct transfer *transfer)
{
	const struct ringbearer_host *host = transfer->etcd->host;
	const struct ringbearer_secret *body = transfer->reply->body;
	const char *text = host->secret_data(body), *begin = text + transfer->line, *end;

	while ((end = memchr(begin, '\n', host->secret_size(body) - (size_t)(begin - text)))) {
		if (end > begin && !take_line(transfer, begin, (size_t)(end - begin)))
			return false;
		begin = end + 1;
	}
	transfer->line = (size_t)(begin - text);
	return true;
}

static size_t
take_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *transfer = user;
	struct rbr_etcd_reply *reply = transfer->reply;
	const struct ringbearer_host *host = transfer->etcd->host;
	size_t taken = size * count;
	long status = 0;

	if (taken > RBR_ETCD_ANSWER_MAX - host->secret_size(reply->body)) {
		reply->excess = true;
		return 0;
	}
	if (host->secret_append(reply->body, data, taken) < 0)
		return 0;
	(void)curl_easy_getinfo(kept, CURLINFO_RESPONSE_CODE, &status);
	return transfer->post->take_line && status == 200 && !take_lines(transfer) ? 0 : taken;
}

static size_t
take_header(char *data, size_t size, size_t count, void *user) /* NOLINT: libcurl's type */
{
	struct transfer *transfer = user;

	(void)data;
	transfer->reply->header_bytes += size * count;
	if (transfer->reply->header_bytes <= RBR_ETCD_HEADERS_MAX)
		return size * count;
	transfer->reply->excess = true;
	return 0;
}

/* The connection stands, nothing has been sent. The second time for one request is libcurl's own doing. */
static int
before_request(void *user, char *to, char *from, int to_port, int from_port) /* NOLINT: libcurl's type */
{
	struct transfer *transfer = user;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	return ++transfer->sent == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static int
look_at_time(
	void *user, curl_off_t due, curl_off_t got, curl_off_t to_send, curl_off_t sent) /* NOLINT: libcurl's type */
{
	struct transfer *transfer = user;

	(void)due;
	(void)got;
	(void)to_send;
	(void)sent;
	transfer->unheard = transfer->post->heard && !*transfer->post->heard &&
		rbr_etcd_now_ms() - transfer->begun_ms > transfer->post->limits.connect_ms;
	return transfer->unheard;
}

/* -- the request -- */

/* One that is not there is for the message of the request. */
static int
check_file(const struct rbr_etcd *etcd, const char *key)
{
	const char *path = config(etcd, key);

	if (!path)
		return 0;
	if (access(path, R_OK) < 0)
		return etcd->host->fail(etcd->call, RINGBEARER_E_CONFIG,
			"`%s`: %s cannot be read (%s); name a PEM file that this user can read", key, path,
			strerror(errno));
	return etcd->host->trust(etcd->call, path);
}

int
rbr_etcd_http_check(const struct rbr_etcd *etcd)
{
	const char *key = config(etcd, "store_certificate_key");
	struct stat status;
	int rc = check_file(etcd, "store_ca_file");

	if (rc == 0)
		rc = check_file(etcd, "store_certificate");
	if (rc == 0)
		rc = check_file(etcd, "store_certificate_key");
	if (rc == 0 && key && stat(key, &status) == 0 && (status.st_mode & S_IROTH))
		rc = etcd->host->fail(etcd->call, RINGBEARER_E_CONFIG,
			"`store_certificate_key`: everybody on this machine can read %s; take that right away with chmod o= and have a "
			"new certificate made",
			key);
	if (rc == 0 && !config(etcd, "store_certificate") != !key)
		rc = etcd->host->fail(etcd->call, RINGBEARER_E_CONFIG,
			"`store_certificate` and `store_certificate_key` belong together; set both or none");
	return rc;
}

static bool
start(void)
{
	if (all)
		return true;
	/* What the environment must not decide. */
	(void)unsetenv("SSLKEYLOGFILE"); /* it would write the keys of the connection to a file */
	(void)unsetenv("CURL_SSL_BACKEND");
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	kept = curl_easy_init();
	ahead = curl_easy_init();
	all = kept && ahead ? curl_multi_init() : NULL;
	if (!all)
		rbr_etcd_http_end();
	return all != NULL;
}

void
rbr_etcd_http_end(void)
{
	curl_easy_cleanup(kept);
	curl_easy_cleanup(ahead);
	(void)curl_multi_cleanup(all);
	kept = ahead = NULL;
	all = NULL;
	multiplexes = false;
}

bool
rbr_etcd_http_multiplexes(void)
{
	return multiplexes;
}

bool
rbr_etcd_is_plain(const char *url)
{
	return strncasecmp(url, "http:", 5) == 0;
}

static void
set_transport(CURL *curl, const struct rbr_etcd *etcd, const char *url)
{
	const char *ca_file = config(etcd, "store_ca_file"), *certificate = config(etcd, "store_certificate");
	const char *proxy = config(etcd, "proxy"), *version = config(etcd, "ip_version");
	const char *protocol = rbr_etcd_is_plain(url) ? "http" : "https";

	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocol);
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	if (ca_file) {
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
		(void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (certificate && strcmp(protocol, "https") == 0) {
		(void)curl_easy_setopt(curl, CURLOPT_SSLCERT, certificate);
		(void)curl_easy_setopt(curl, CURLOPT_SSLKEY, config(etcd, "store_certificate_key"));
	}
	/* A store of one's own network: what the environment has for the rest of the world is not for it. */
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (proxy && strcmp(proxy, "none") != 0 && strcmp(protocol, "https") == 0) {
		(void)curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
		(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
	}
	if (version && *version == '4')
		(void)curl_easy_setopt(curl, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	else if (version && *version == '6')
		(void)curl_easy_setopt(curl, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V6);
}

/* Takes what comes, and leaves it. */
static size_t
ignore(char *data, size_t size, size_t count, void *user) /* NOLINT: libcurl's type */
{
	(void)data;
	(void)user;
	return size * count;
}

/* What is the same for a request and for what goes ahead of it. */
static void
set_body(CURL *curl, const struct rbr_etcd_post *post, const struct ringbearer_host *host,
	const struct ringbearer_secret *body, struct curl_slist *headers)
{
	(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, host->secret_data(body)); /* not copied */
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)host->secret_size(body));
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "ringbearer/" PACKAGE_VERSION);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)post->limits.whole_ms);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)post->limits.connect_ms);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, ignore);
}

static void
set_request(struct transfer *transfer)
{
	(void)curl_easy_setopt(kept, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(kept, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(kept, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(kept, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(kept, CURLOPT_PREREQFUNCTION, before_request);
	(void)curl_easy_setopt(kept, CURLOPT_PREREQDATA, transfer);
	if (!transfer->post->take_line)
		return;
	/* It ends by being cut off. */
	(void)curl_easy_setopt(kept, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(kept, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(kept, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(kept, CURLOPT_XFERINFOFUNCTION, look_at_time);
	(void)curl_easy_setopt(kept, CURLOPT_XFERINFODATA, transfer);
	(void)curl_easy_setopt(kept, CURLOPT_NOPROGRESS, 0L);
}

/* Does the other side say why it does not like our certificate? With TLS 1.3 that comes late, as an alert. */
static bool
is_certificate_alert(const char *text)
{
	static const char *const words[] = {
		"certificate required", "bad certificate", "unknown ca", "certificate unknown", "certificate expired"};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

/* Did the other side close the connection? libcurl says it in many ways. */
static bool
is_closing(CURLcode code, const char *text)
{
	static const CURLcode codes[] = {
		CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM};
	size_t i;

	for (i = 0; i < sizeof codes / sizeof *codes; i++)
		if (code == codes[i])
			return true;
	return strstr(text, "reset by peer") || strstr(text, "Broken pipe");
}

/* Is there a connection, and no TLS on it? libcurl's TLS libraries have many words for that, and one for a partner who speaks it
 * and says no. */
static bool
is_without_tls(const struct transfer *transfer, CURLcode code, const char *text)
{
	return !rbr_etcd_is_plain(transfer->post->endpoint) && transfer->sent == 0 && !strstr(text, "alert") &&
		(code == CURLE_SSL_CONNECT_ERROR || strstr(text, "reset by peer"));
}

static enum rbr_etcd_cause
find_cause(const struct transfer *transfer, CURLcode code, const char *text)
{
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
		code == CURLE_SSL_INVALIDCERTSTATUS || is_certificate_alert(text))
		return RBR_ETCD_DISBELIEF;
	if (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM)
		return RBR_ETCD_OWN_FILES;
	if (transfer->reply->excess || code == CURLE_OUT_OF_MEMORY) /* the word for a line that is too long */
		return RBR_ETCD_NOT_ETCD;
	if (code == CURLE_OPERATION_TIMEDOUT || transfer->unheard || transfer->reply->status != 0)
		return RBR_ETCD_UNREACHED;
	if (is_without_tls(transfer, code, text))
		return RBR_ETCD_NO_TLS;
	if (transfer->sent > 1 || is_closing(code, text))
		return rbr_etcd_is_plain(transfer->post->endpoint) ? RBR_ETCD_PLAIN : RBR_ETCD_CLOSED;
	return code == CURLE_SSL_CONNECT_ERROR ? RBR_ETCD_CLOSED : RBR_ETCD_UNREACHED;
}

static void
explain(struct transfer *transfer, CURLcode code, const char *detail)
{
	struct rbr_etcd_reply *reply = transfer->reply;
	const char *what = detail[0] != '\0' ? detail : curl_easy_strerror(code);

	reply->outcome = transfer->sent > 0 ? RBR_ETCD_UNKNOWN : RBR_ETCD_NOT_SENT;
	reply->silent = code == CURLE_OPERATION_TIMEDOUT || transfer->unheard;
	reply->cause = find_cause(transfer, code, what);
	reply->closed = reply->cause == RBR_ETCD_PLAIN || reply->cause == RBR_ETCD_NO_TLS ||
		(reply->cause == RBR_ETCD_CLOSED && code != CURLE_SSL_CONNECT_ERROR);
	if (reply->excess)
		what = "its answer is too long";
	else if (reply->cause == RBR_ETCD_NO_TLS)
		what = "no TLS came about with it";
	else if (reply->closed)
		what = "it closed the connection without a word";
	else if (reply->silent)
		what = transfer->sent > 0 ? "it took the request and gave no answer in time" : "it does not answer";
	else if (code == CURLE_COULDNT_CONNECT)
		what = "nothing listens there";
	else if (code == CURLE_OUT_OF_MEMORY && transfer->sent > 0) /* libcurl's word for a line that is too long */
		what = "its answer is no HTTP";
	(void)snprintf(reply->why, sizeof reply->why, "%s", what);
	transfer->etcd->host->clean(transfer->etcd->call, reply->why);
}

/* Is CURL done? */
static bool
is_done(CURL *curl, CURLcode *ret_code)
{
	const CURLMsg *message;
	bool done = false;
	int left;

	while ((message = curl_multi_info_read(all, &left)))
		if (message->msg == CURLMSG_DONE && message->easy_handle == curl) {
			*ret_code = message->data.result;
			done = true;
		}
	return done;
}

/* Runs the request, and what goes ahead of it, side by side. */
static CURLcode
run(bool with_ahead)
{
	static const struct timespec head_start = {.tv_nsec = 200 * 1000};
	CURLcode code = CURLE_FAILED_INIT;
	int64_t until_ms = INT64_MAX;
	int running = 1;
	bool done = false;

	/* Its bytes leave on the connection that is there. etcd takes both up side by side, and what comes at one time in either order. */
	if (with_ahead) {
		(void)curl_multi_add_handle(all, ahead);
		(void)curl_multi_perform(all, &running);
		(void)nanosleep(&head_start, NULL);
		running = 1;
	}
	if (curl_multi_add_handle(all, kept) != CURLM_OK)
		running = 0;
	while (running > 0 && rbr_etcd_now_ms() < until_ms) {
		if (curl_multi_perform(all, &running) != CURLM_OK)
			break;
		if (is_done(kept, &code) || done) {
			until_ms = done ? until_ms : rbr_etcd_now_ms() + AHEAD_MS;
			done = true;
		}
		if (running > 0)
			(void)curl_multi_poll(all, NULL, 0, done ? AHEAD_MS : POLL_MS, NULL);
	}
	if (with_ahead)
		(void)curl_multi_remove_handle(all, ahead);
	(void)curl_multi_remove_handle(all, kept);
	return code;
}

static void
perform(struct transfer *transfer, const char *url)
{
	const struct rbr_etcd *etcd = transfer->etcd;
	struct rbr_etcd_reply *reply = transfer->reply;
	const char *before = transfer->post->ahead.path;
	char detail[CURL_ERROR_SIZE] = "";
	long version = 0;
	CURLcode code;

	(void)curl_easy_setopt(kept, CURLOPT_ERRORBUFFER, detail);
	etcd->host->log(
		etcd->call, RINGBEARER_LOG_TRACE, "POST %s%s%s", url, before ? ", with " : "", before ? before : "");
	transfer->begun_ms = rbr_etcd_now_ms();
	code = run(before != NULL);
	(void)curl_easy_setopt(kept, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_getinfo(kept, CURLINFO_RESPONSE_CODE, &reply->status);
	reply->outcome = RBR_ETCD_ANSWERED;
	if (code != CURLE_OK && !transfer->enough)
		explain(transfer, code, detail);
	if (!transfer->post->take_line)
		multiplexes = code == CURLE_OK &&
			curl_easy_getinfo(kept, CURLINFO_HTTP_VERSION, &version) == CURLE_OK &&
			version == CURL_HTTP_VERSION_2_0;
	etcd->host->log(etcd->call, RINGBEARER_LOG_TRACE, "%s: status %ld, %zu bytes",
		reply->outcome == RBR_ETCD_ANSWERED ? "answered" : reply->why, reply->status,
		etcd->host->secret_size(reply->body));
}

/* Returns the longer list; what was there stays, and is the caller's, if memory is short. */
static bool
add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);

	if (longer)
		*headers = longer;
	return longer != NULL;
}

/* The copies that libcurl has made of them: one is a token. */
static void
free_headers(struct curl_slist *headers)
{
	struct curl_slist *each;

	for (each = headers; each; each = each->next)
		explicit_bzero(each->data, strlen(each->data));
	curl_slist_free_all(headers);
}

static bool
make_headers(const struct rbr_etcd *etcd, const struct rbr_etcd_post *post, struct curl_slist **ret_headers)
{
	/* With "hasleader" a node that knows no leader says so, instead of waiting for one; without "Expect" nothing waits for a
	 * permission to send what is long. */
	static const char *const lines[] = {"Content-Type: application/json", "Accept: application/json",
		"Grpc-Metadata-hasleader: true", "Expect:"};
	const struct ringbearer_host *host = etcd->host;
	struct ringbearer_secret *authorization;
	bool whole = true;
	size_t i;

	for (i = 0; whole && i < sizeof lines / sizeof *lines; i++)
		whole = add_header(ret_headers, lines[i]);
	if (!whole || !post->token)
		return whole;
	authorization = host->secret_new("Authorization: ", 15);
	whole = authorization &&
		host->secret_append(authorization, host->secret_data(post->token), host->secret_size(post->token)) ==
			0 &&
		add_header(ret_headers, host->secret_data(authorization));
	host->secret_free(authorization);
	return whole;
}

/* ENDPOINT with PATH below it. */
static bool
write_url(char url[URL_MAX], const char *endpoint, const char *path)
{
	struct rbr_writer writer = rbr_writer_start(url, URL_MAX);
	size_t size = strlen(endpoint);

	while (size > 0 && endpoint[size - 1] == '/')
		size--;
	rbr_write(&writer, endpoint, size);
	rbr_write_text(&writer, path);
	return rbr_writer_fits(&writer);
}

static void
set_ahead(const struct rbr_etcd *etcd, const struct rbr_etcd_post *post, struct curl_slist *headers)
{
	char url[URL_MAX];

	if (!post->ahead.path || !write_url(url, post->endpoint, post->ahead.path))
		return;
	set_transport(ahead, etcd, url);
	set_body(ahead, post, etcd->host, post->ahead.body, headers);
}

int
rbr_etcd_http_post(const struct rbr_etcd *etcd, const struct rbr_etcd_post *post, struct rbr_etcd_reply *ret_reply)
{
	struct transfer transfer = {.etcd = etcd, .post = post, .reply = ret_reply};
	struct curl_slist *headers = NULL;
	char url[URL_MAX];
	int rc = 0;

	memset(ret_reply, 0, sizeof *ret_reply);
	if (!write_url(url, post->endpoint, post->path))
		return etcd->host->fail(
			etcd->call, RINGBEARER_E_CONFIG, "`store_endpoint` is too long; mend the account");
	ret_reply->body = etcd->host->secret_new("", 0);
	if (!ret_reply->body || !start() || !make_headers(etcd, post, &headers)) {
		rc = etcd->host->fail(etcd->call, RINGBEARER_E_SYSTEM, "libcurl cannot be started");
	} else {
		set_transport(kept, etcd, url);
		set_body(kept, post, etcd->host, post->body, headers);
		set_request(&transfer);
		set_ahead(etcd, post, headers);
		perform(&transfer, url);
		curl_easy_reset(kept); /* nothing of this call stays but the connections */
		curl_easy_reset(ahead);
	}
	free_headers(headers);
	return rc;
}
