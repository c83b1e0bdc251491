/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "transfer.h"

#include "clock.h"
#include "modules/json/json.h"

/* What is longer may not fit into the kernel, where an ordinary user has 20,000 bytes for everything. */
#define PARK_WHOLE_MAX 8192u
/* Of a long answer so many bytes must have come before it is searched again, or a byte at a time would take for ever. */
#define PARK_STEP 512u
/* A whole answer is not waited for any longer when nothing more has come for so long. */
#define WHOLE_MS 2000

/* A long answer's refresh token is all that must not be lost of it; one that a refusal shows must not be found. */
static void
park(struct rbr_transfer *transfer, const char *bytes, size_t size)
{
	const struct ringbearer_host *host = transfer->oauth->host;
	bool refusal = transfer->answer->refusal, found;
	struct rbr_json_span span;

	if (transfer->replay == RBR_REPLAY_SAFE)
		return;
	transfer->parked = size;
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
	struct rbr_transfer *transfer = user;
	const struct ringbearer_host *host = transfer->oauth->host;
	struct ringbearer_secret *body = transfer->answer->body;
	size_t room = RBR_HTTP_BODY_MAX - host->secret_size(body), taken = size * count;
	bool first = host->secret_size(body) == 0;
	long status = 0;

	(void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	transfer->answer->refusal = status < 200 || status >= 300;
	if (taken > room) {
		transfer->excess = RBR_HTTP_EXCESS_BODY;
		taken = room;
	}
	/* As far as it is up to us, nothing happens between the bytes' arrival and this. */
	if (first)
		park(transfer, data, taken);
	if (host->secret_append(body, data, taken) < 0)
		return 0;
	transfer->grown_ms = rbr_oauth_now_ms();
	if (!first &&
		(host->secret_size(body) <= PARK_WHOLE_MAX || host->secret_size(body) - transfer->parked >= PARK_STEP))
		park(transfer, host->secret_data(body), host->secret_size(body));
	return transfer->excess != RBR_HTTP_EXCESS_NONE ? 0 : taken;
}

/* The connection stands, TLS is agreed on, nothing has been sent. */
static int
before_request(void *user, char *to, char *from, int to_port, int from_port) /* NOLINT: libcurl's type */
{
	struct rbr_transfer *transfer = user;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	if (transfer->posts)
		transfer->answer->withheld = transfer->oauth->host->sending(transfer->oauth->call);
	transfer->answer->sent = transfer->answer->withheld == 0;
	return transfer->answer->sent ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* Also those of interim answers, of a proxy and of trailers. */
static size_t
take_header(char *data, size_t size, size_t count, void *user)
{
	struct rbr_transfer *transfer = user;

	if (rbr_headers_take(&transfer->headers, data, size * count))
		return size * count;
	transfer->excess = RBR_HTTP_EXCESS_HEADERS;
	return 0;
}

/* What libcurl takes from the connection, before it takes it apart: the one place that sees the bytes between chunks. */
static int
count_bytes(CURL *curl, curl_infotype kind, char *data, size_t size, void *user) /* NOLINT: libcurl's type */
{
	struct rbr_transfer *transfer = user;

	(void)curl;
	(void)data;
	if (kind == CURLINFO_HEADER_IN || kind == CURLINFO_DATA_IN)
		transfer->raw += size;
	return 0;
}

/* Some servers do not end what they have said: a length that is wrong by one, a chunk that never comes. An answer that is one whole
 * object is taken as it is when nothing follows; waiting on would gain nothing, and could lose it. */
static bool
is_whole(struct rbr_transfer *transfer)
{
	const struct ringbearer_host *host = transfer->oauth->host;
	const struct ringbearer_secret *body = transfer->answer->body;
	struct json_object *object;

	if (host->secret_size(body) == transfer->looked_at || rbr_oauth_now_ms() - transfer->grown_ms < WHOLE_MS)
		return transfer->whole;
	transfer->looked_at = host->secret_size(body);
	object = rbr_json_parse(host->secret_data(body), transfer->looked_at);
	transfer->whole = object != NULL;
	json_object_put(object);
	return transfer->whole;
}

static int
watch_bytes(
	void *user, curl_off_t due, curl_off_t got, curl_off_t to_send, curl_off_t sent) /* NOLINT: libcurl's type */
{
	struct rbr_transfer *transfer = user;

	(void)due;
	(void)got;
	(void)to_send;
	(void)sent;
	if (transfer->raw <= RBR_HTTP_RAW_MAX)
		return is_whole(transfer);
	transfer->excess = RBR_HTTP_EXCESS_FRAMES;
	return 1;
}

void
rbr_transfer_watch(struct rbr_transfer *transfer)
{
	(void)curl_easy_setopt(transfer->curl, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_PREREQFUNCTION, before_request);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_PREREQDATA, transfer);
	(void)curl_easy_setopt(
		transfer->curl, CURLOPT_DEBUGFUNCTION, count_bytes); /* what `verbose` would print goes there */
	(void)curl_easy_setopt(transfer->curl, CURLOPT_DEBUGDATA, transfer);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_VERBOSE, 1L);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_XFERINFOFUNCTION, watch_bytes);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_XFERINFODATA, transfer);
	(void)curl_easy_setopt(transfer->curl, CURLOPT_NOPROGRESS, 0L);
}

void
rbr_transfer_settle(struct rbr_transfer *transfer)
{
	const struct ringbearer_host *host = transfer->oauth->host;
	const struct ringbearer_secret *body = transfer->answer->body;

	if (host->secret_size(body) > transfer->parked)
		park(transfer, host->secret_data(body), host->secret_size(body));
}
