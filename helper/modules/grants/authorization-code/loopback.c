/* SPDX-License-Identifier: MIT */
/*
 * A listener for one visitor whom anybody on this machine can impersonate.
 *
 * It is open before the browser starts and until the end, on loopback addresses only, and where the redirect URI says
 * `localhost` on both families, since a browser may take either. It answers GET on one exact path with the Host that was
 * asked for, one request for each connection, at most RBR_CALLBACK_MAX bytes of head; what is wrong is answered and
 * forgotten, and the wait goes on: only the state, which nobody else has seen, ends it. Connections are served side by
 * side, so that one that says nothing keeps nobody waiting.
 *
 * The code arrives in the address. The visitor is sent on at once to /done, where the page with the outcome waits for the
 * exchange with the server to end.
 */
#include "config.h"

#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules/oauth/clock.h"
#include "page.h"

#define VISITORS_MAX 16
#define VISIT_MS 5000 /* for a head to arrive */
#define FINISH_MS 3000 /* for the browser to ask for the page it was sent to */
#define DONE_PATH "/done"
#define OTHER_DONE_PATH "/finished" /* where the registered path is the one above */
#define PATH_DEFAULT "/callback"

struct visitor {
	int socket; /* -1: free */
	int64_t since;
	size_t size;
	char head[RBR_CALLBACK_MAX];
};

struct wait {
	struct rbr_loopback *loopback;
	const char *state;
	struct rbr_callback *callback;
	const char *page; /* what /done shows; NULL while that is not known */
	bool over;
	struct visitor visitors[VISITORS_MAX];
};

/* -- opening -- */

static int
listen_on(const struct sockaddr *address, socklen_t size)
{
	int one = 1, descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (descriptor < 0)
		return -1;
	(void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (address->sa_family == AF_INET6)
		(void)setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(descriptor, address, size) == 0 && listen(descriptor, VISITORS_MAX) == 0)
		return descriptor;
	(void)close(descriptor);
	return -1;
}

static int
listen_v4(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t size = sizeof address;
	int descriptor;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	descriptor = listen_on((const struct sockaddr *)&address, size);
	if (descriptor >= 0 && getsockname(descriptor, (struct sockaddr *)&address, &size) == 0)
		*port = ntohs(address.sin_port);
	return descriptor;
}

static int
listen_v6(uint16_t *port)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6, .sin6_port = htons(*port), .sin6_addr = in6addr_loopback};
	socklen_t size = sizeof address;
	int descriptor = listen_on((const struct sockaddr *)&address, size);

	if (descriptor >= 0 && getsockname(descriptor, (struct sockaddr *)&address, &size) == 0)
		*port = ntohs(address.sin6_port);
	return descriptor;
}

struct place {
	char host[32]; /* "127.0.0.1", "[::1]" or "localhost" */
	uint16_t port; /* 0: any */
	char path[RBR_REDIRECT_MAX];
};

/* http://HOST[:PORT]/PATH with one of the three hosts. */
static bool
parse_registered(const char *uri, struct place *place)
{
	static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost"};
	const char *rest = NULL;
	char *end;
	size_t i;
	long port;

	if (strncmp(uri, "http://", 7) != 0 || strlen(uri) >= RBR_REDIRECT_MAX || strchr(uri, '#') || strchr(uri, '?'))
		return false;
	for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		if (strncmp(uri + 7, hosts[i], strlen(hosts[i])) == 0) {
			(void)snprintf(place->host, sizeof place->host, "%s", hosts[i]);
			rest = uri + 7 + strlen(hosts[i]);
		}
	if (!rest)
		return false;
	place->port = 0;
	if (*rest == ':') {
		port = strtol(rest + 1, &end, 10);
		if (end == rest + 1 || port < 0 || port > 65535)
			return false;
		place->port = (uint16_t)port;
		rest = end;
	}
	if (*rest != '/' && *rest != '\0')
		return false;
	(void)snprintf(place->path, sizeof place->path, "%s", *rest ? rest : "/");
	return true;
}

int
rbr_loopback_open(const struct rbr_oauth *oauth, const char *registered, struct rbr_loopback *ret_loopback)
{
	struct place place = {.host = "127.0.0.1", .port = 0, .path = PATH_DEFAULT};
	bool fixed, wants_v4, wants_v6, taken;
	uint16_t port;

	*ret_loopback = RBR_LOOPBACK_CLOSED;
	if (registered && !parse_registered(registered, &place))
		return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"`redirect_uri` is no loopback address that can be listened on; run the login with --paste");
	fixed = registered && place.port != 0;
	port = place.port;
	wants_v4 = strcmp(place.host, "[::1]") != 0;
	wants_v6 = strcmp(place.host, "127.0.0.1") != 0;
	/* Both families where one is free: whichever the browser takes, nobody else sits there. */
	ret_loopback->sockets[0] = listen_v4(&port);
	taken = ret_loopback->sockets[0] < 0 && wants_v4 && (!wants_v6 || errno == EADDRINUSE);
	ret_loopback->sockets[1] = listen_v6(&port);
	taken = taken || (ret_loopback->sockets[1] < 0 && wants_v6 && (!wants_v4 || errno == EADDRINUSE));
	if (taken || (ret_loopback->sockets[0] < 0 && ret_loopback->sockets[1] < 0)) {
		rbr_loopback_close(ret_loopback);
		return oauth->host->fail(oauth->call, RINGBEARER_E_SYSTEM,
			"%s:%u cannot be listened on (%s); end the program that has it, or run the login with --paste",
			place.host, place.port, strerror(EADDRINUSE));
	}
	(void)snprintf(ret_loopback->path, sizeof ret_loopback->path, "%s", place.path);
	if (port == 80) /* browsers leave the default port out (RFC 9110 section 7.2) */
		(void)snprintf(ret_loopback->host, sizeof ret_loopback->host, "%s", place.host);
	else
		(void)snprintf(ret_loopback->host, sizeof ret_loopback->host, "%s:%u", place.host, port);
	if (fixed)
		(void)snprintf(ret_loopback->redirect_uri, sizeof ret_loopback->redirect_uri, "%s", registered);
	else
		(void)snprintf(ret_loopback->redirect_uri, sizeof ret_loopback->redirect_uri, "http://%s:%u%.400s",
			place.host, port, place.path);
	return 0;
}

void
rbr_loopback_close(struct rbr_loopback *loopback)
{
	size_t i;

	for (i = 0; i < 2; i++)
		if (loopback->sockets[i] >= 0)
			(void)close(loopback->sockets[i]);
	*loopback = RBR_LOOPBACK_CLOSED;
}

/* -- visits -- */

static void
end_visit(struct visitor *visitor)
{
	(void)shutdown(visitor->socket, SHUT_WR);
	(void)close(visitor->socket);
	visitor->socket = -1;
	explicit_bzero(visitor->head, visitor->size);
	visitor->size = 0;
}

static void
answer(struct visitor *visitor, const char *response)
{
	size_t size = strlen(response), sent = 0;

	while (sent < size) {
		ssize_t each = send(visitor->socket, response + sent, size - sent, MSG_NOSIGNAL);

		if (each <= 0)
			break; /* pages are small: what does not fit into the socket's buffer is not worth waiting for */
		sent += (size_t)each;
	}
	end_visit(visitor);
}

static void
answer_page(struct visitor *visitor, int status, const char *title, const char *text)
{
	char *page = rbr_page(status, false, title, text);

	answer(visitor, page);
	g_free(page);
}

/* Does the head have exactly one Host, and is it HOST? */
static bool
host_fits(const char *head, const char *host)
{
	const char *line = head;
	unsigned found = 0;
	bool fits = false;

	while ((line = strstr(line, "\r\n"))) {
		line += 2;
		if (strncasecmp(line, "host:", 5) == 0) {
			const char *value = line + 5 + strspn(line + 5, " \t");

			found++;
			fits = strncasecmp(value, host, strlen(host)) == 0 &&
				strncmp(value + strlen(host) + strspn(value + strlen(host), " \t"), "\r\n", 2) == 0;
		}
	}
	return found == 1 && fits;
}

static bool
same(const char *a, const char *b)
{
	size_t i, size = strlen(b);
	unsigned char difference = 0;

	if (strlen(a) != size)
		return false;
	for (i = 0; i < size; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

static const char *
done_path(const struct rbr_loopback *loopback)
{
	return strcmp(loopback->path, DONE_PATH) == 0 ? OTHER_DONE_PATH : DONE_PATH;
}

static void
take_callback(struct wait *wait, struct visitor *visitor, const char *query, size_t size)
{
	struct rbr_callback *callback = wait->callback;
	char *elsewhere;

	if (wait->over || !wait->state || !rbr_callback_parse(query, size, callback) || !callback->state ||
		!same(callback->state, wait->state) || (!callback->code && !callback->error)) {
		if (!wait->over)
			memset(callback, 0, sizeof *callback);
		answer_page(visitor, 400, "This is not the login that was started",
			"The address does not belong to the login that is waiting. Go back to the page of the service, or start the login "
			"again in the terminal.");
		return;
	}
	wait->over = true;
	elsewhere = rbr_page_elsewhere(done_path(wait->loopback));
	answer(visitor, elsewhere);
	g_free(elsewhere);
}

/* A whole head is there: "GET target HTTP/1.x". A visitor who is early for /done stays connected. */
static void
serve(struct wait *wait, struct visitor *visitor)
{
	const char *target = visitor->head + 4, *done = done_path(wait->loopback), *end, *query;
	size_t path_size = strlen(wait->loopback->path);

	if (strncmp(visitor->head, "GET ", 4) != 0) {
		answer_page(visitor, 405, "Only GET is answered here", "Start the login again in the terminal.");
		return;
	}
	end = target + strcspn(target, " \r\n");
	if (strncmp(end, " HTTP/1.", 8) != 0 || !host_fits(visitor->head, wait->loopback->host)) {
		answer_page(visitor, 400, "This request is not understood", "Start the login again in the terminal.");
		return;
	}
	query = memchr(target, '?', (size_t)(end - target));
	if ((size_t)((query ? query : end) - target) == path_size &&
		strncmp(target, wait->loopback->path, path_size) == 0)
		take_callback(wait, visitor, query ? query + 1 : end, query ? (size_t)(end - query - 1) : 0);
	else if ((size_t)(end - target) != strlen(done) || strncmp(target, done, strlen(done)) != 0)
		answer_page(visitor, 404, "There is nothing here", "Start the login again in the terminal.");
	else if (wait->page) {
		answer(visitor, wait->page);
		wait->over = true;
	}
}

static void
read_from(struct wait *wait, struct visitor *visitor)
{
	ssize_t got = recv(visitor->socket, visitor->head + visitor->size, sizeof visitor->head - 1 - visitor->size, 0);

	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			end_visit(visitor);
		return;
	}
	visitor->size += (size_t)got;
	visitor->head[visitor->size] = '\0';
	if (strlen(visitor->head) == visitor->size && strstr(visitor->head, "\r\n\r\n"))
		serve(wait, visitor);
	else if (visitor->size == sizeof visitor->head - 1 || strlen(visitor->head) != visitor->size)
		answer_page(visitor, 400, "This request is too long", "Start the login again in the terminal.");
}

static void
welcome(struct wait *wait, int listener)
{
	int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visitor *oldest = &wait->visitors[0];
	size_t i;

	if (descriptor < 0)
		return;
	for (i = 0; i < VISITORS_MAX && oldest->socket >= 0; i++)
		if (wait->visitors[i].socket < 0 || wait->visitors[i].since < oldest->since)
			oldest = &wait->visitors[i];
	if (oldest->socket >= 0)
		end_visit(oldest);
	oldest->socket = descriptor;
	oldest->since = rbr_oauth_now_ms();
}

/* One round: waits at most MILLISECONDS for something to happen, and serves it. */
static void
turn(struct wait *wait, int64_t milliseconds)
{
	struct pollfd polled[2 + VISITORS_MAX];
	size_t i;

	for (i = 0; i < 2 + VISITORS_MAX; i++)
		polled[i] = (struct pollfd){
			.fd = i < 2 ? wait->loopback->sockets[i] : wait->visitors[i - 2].socket, .events = POLLIN};
	if (poll(polled, 2 + VISITORS_MAX, (int)(milliseconds < 500 ? milliseconds : 500)) < 0)
		return;
	for (i = 0; i < VISITORS_MAX; i++)
		if (wait->visitors[i].socket >= 0 && (polled[i + 2].revents & (POLLIN | POLLHUP | POLLERR)))
			read_from(wait, &wait->visitors[i]);
	for (i = 0; i < 2; i++)
		if (polled[i].fd >= 0 && (polled[i].revents & POLLIN))
			welcome(wait, polled[i].fd);
	for (i = 0; i < VISITORS_MAX; i++)
		if (wait->visitors[i].socket >= 0 && rbr_oauth_now_ms() - wait->visitors[i].since > VISIT_MS)
			end_visit(&wait->visitors[i]);
}

static struct wait *
begin(struct rbr_loopback *loopback)
{
	struct wait *wait = g_new0(struct wait, 1);
	size_t i;

	wait->loopback = loopback;
	for (i = 0; i < VISITORS_MAX; i++)
		wait->visitors[i].socket = -1;
	return wait;
}

static void
end(struct wait *wait)
{
	size_t i;

	for (i = 0; i < VISITORS_MAX; i++)
		if (wait->visitors[i].socket >= 0)
			end_visit(&wait->visitors[i]);
	g_free(wait);
}

int
rbr_loopback_wait(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, const char *state, int64_t milliseconds,
	struct rbr_callback *ret_callback)
{
	int64_t deadline = rbr_oauth_now_ms() + milliseconds;
	struct wait *wait = begin(loopback);
	bool over;

	wait->state = state;
	wait->callback = ret_callback;
	while (!wait->over && rbr_oauth_now_ms() < deadline)
		turn(wait, deadline - rbr_oauth_now_ms());
	over = wait->over;
	end(wait);
	if (over)
		return 0;
	return oauth->host->fail(oauth->call, RINGBEARER_E_LOGIN_REQUIRED,
		"nobody came back from the service's page in time; run `ringbearer login %s` again",
		oauth->host->config(oauth->call, "account", 0));
}

void
rbr_loopback_finish(
	const struct rbr_oauth *oauth, struct rbr_loopback *loopback, bool good, const char *title, const char *text)
{
	int64_t deadline = rbr_oauth_now_ms() + FINISH_MS;
	char *page = rbr_page(200, good, title, text);
	struct wait *wait = begin(loopback);
	struct rbr_callback ignored;

	(void)oauth;
	wait->callback = &ignored;
	wait->page = page;
	while (!wait->over && rbr_oauth_now_ms() < deadline)
		turn(wait, deadline - rbr_oauth_now_ms());
	end(wait);
	g_free(page);
}
