/* SPDX-License-Identifier: MIT */
/*
 * A listener for one visitor whom anybody on this machine can impersonate.
 *
 * It is open before the browser starts and until the end, on loopback addresses only, and where the redirect URI says
 * `localhost` on both families, since a browser may take either. It answers GET on one exact path with the Host that was
 * asked for, one request for each connection, at most RBR_HEAD_MAX bytes of head; what is wrong is answered and
 * forgotten, and the wait goes on: only the state, which nobody else has seen, ends it. Connections are served side by
 * side, so that one that says nothing keeps nobody waiting.
 *
 * A browser's command line is there for every user to read. What is on it is an address of the listener's own, good once,
 * that leads to the service's page: the request and its state never show. Whoever reads that address can still try to be
 * first, and to log the person in to an account that is not theirs; so while a browser was given it, the kernel is asked whose
 * each connection is, and other users are turned away.
 *
 * The code arrives in the address. The visitor is sent on at once to /done, where the page with the outcome waits for the
 * exchange with the server to end.
 */
#include "config.h"

#include "loopback.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "head.h"
#include "modules/oauth/clock.h"
#include "page.h"
#include "peer.h"

#define VISITORS_MAX 16
#define VISIT_MS 5000 /* for a head to arrive */
#define FINISH_MS 3000 /* for the browser to ask for the page it was sent to */
#define DONE_PATH "/done"
#define OTHER_DONE_PATH "/finished" /* where the registered path is the one above */

struct visitor {
	int socket; /* -1: free */
	int64_t since;
	size_t size;
	char head[RBR_HEAD_MAX];
};

struct wait {
	const struct rbr_oauth *oauth;
	struct rbr_loopback *loopback;
	const char *state;
	struct rbr_callback *callback;
	const char *page; /* what /done shows; NULL while that is not known */
	bool start_only;
	bool over;
	bool astray; /* the state came back, and to another path */
	struct visitor visitors[VISITORS_MAX];
};

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
	size_t size = response ? strlen(response) : 0, sent = 0; /* NULL: no memory for it */

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
	free(page);
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

static bool
is_path(const struct rbr_head *head, const char *path)
{
	return head->path_size == strlen(path) && memcmp(head->path, path, head->path_size) == 0;
}

static const char *
done_path(const struct rbr_loopback *loopback)
{
	return strcmp(loopback->path, DONE_PATH) == 0 ? OTHER_DONE_PATH : DONE_PATH;
}

/* Does QUERY have the state that is waited for? Then the callback has what it says. */
static bool
is_ours(const struct wait *wait, const char *query, size_t size)
{
	struct rbr_callback *callback = wait->callback;
	bool may_come = wait->loopback->started || !wait->loopback->guarded;

	if (wait->over || !wait->state || !may_come)
		return false;
	if (rbr_callback_parse(query, size, callback) && callback->state && same(callback->state, wait->state))
		return true;
	memset(callback, 0, sizeof *callback);
	return false;
}

static void
take_callback(struct wait *wait, struct visitor *visitor, const char *query, size_t size)
{
	char *elsewhere;

	if (!is_ours(wait, query, size) || (!wait->callback->code && !wait->callback->error)) {
		if (!wait->over)
			memset(wait->callback, 0, sizeof *wait->callback);
		answer_page(visitor, 400, "This is not the login that was started",
			"The address does not belong to the login that is waiting. Go back to the page of the service, or start the login "
			"again in the terminal.");
		return;
	}
	wait->over = true;
	elsewhere = rbr_page_elsewhere(done_path(wait->loopback));
	answer(visitor, elsewhere);
	free(elsewhere);
}

/* Where each account has a path of its own: is this the path of another? */
static bool
is_of_another_account(const struct rbr_loopback *loopback, const struct rbr_head *head)
{
	size_t size = strlen(RBR_CALLBACK_PATH);

	return loopback->of_account && head->path_size >= size && memcmp(head->path, RBR_CALLBACK_PATH, size) == 0 &&
		(head->path_size == size || head->path[size] == '/');
}

/* The state is nobody else's business: who brings it to another account's address was sent there by a service that the browser
 * was led to by another (RFC 9700 section 4.4). Nothing of it is believed, and the login is over. */
static void
refuse_astray(struct wait *wait, struct visitor *visitor)
{
	explicit_bzero(wait->callback, sizeof *wait->callback);
	wait->astray = wait->over = true;
	answer_page(visitor, 400, "This answer came to the wrong address",
		"It may have been meant for another service, and nothing of it was believed. Start the login again in the terminal.");
}

static void
set_out(struct wait *wait, struct visitor *visitor)
{
	char *elsewhere;

	if (wait->loopback->started) {
		answer_page(visitor, 410, "This address was opened before",
			"It is good once. If it was not you, press Ctrl-C in the terminal and start the login again.");
		return;
	}
	wait->loopback->started = true;
	elsewhere = rbr_page_elsewhere(wait->loopback->destination);
	answer(visitor, elsewhere);
	free(elsewhere);
	wait->over = wait->over || wait->start_only;
}

static void
turn_away(const struct wait *wait, struct visitor *visitor)
{
	if (!wait->loopback->warned)
		wait->oauth->host->log(wait->oauth->call, RINGBEARER_LOG_WARNING,
			"another user of this machine came to the address of the login, and was turned away; if that was your browser, "
			"run the login with --no-browser");
	wait->loopback->warned = true;
	answer_page(visitor, 403, "This is the login of another user",
		"Only the user who started it can go on here. If that is you, run the login with --no-browser.");
}

/* A visitor who is early for /done stays connected. */
static void
serve(struct wait *wait, struct visitor *visitor, const struct rbr_head *head)
{
	struct rbr_loopback *loopback = wait->loopback;

	if (loopback->guarded && rbr_peer_is_another(visitor->socket))
		turn_away(wait, visitor);
	else if (is_path(head, loopback->path))
		take_callback(wait, visitor, head->query ? head->query : "", head->query_size);
	else if (!head->query && loopback->destination && is_path(head, loopback->start_path))
		set_out(wait, visitor);
	else if (head->query && is_of_another_account(loopback, head) && is_ours(wait, head->query, head->query_size))
		refuse_astray(wait, visitor);
	else if (head->query || !is_path(head, done_path(loopback)))
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
	static const char again[] = "Start the login again in the terminal.";
	struct rbr_head head;

	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			end_visit(visitor);
		return;
	}
	visitor->size += (size_t)got;
	visitor->head[visitor->size] = '\0';
	switch (rbr_head_read(visitor->head, visitor->size, wait->loopback->host, &head)) {
	case RBR_HEAD_GOOD:
		serve(wait, visitor, &head);
		break;
	case RBR_HEAD_METHOD:
		answer_page(visitor, 405, "Only GET is answered here", again);
		break;
	case RBR_HEAD_BAD:
		answer_page(visitor, 400, "This request is not understood", again);
		break;
	case RBR_HEAD_LONG:
		answer_page(visitor, 400, "This request is too long", again);
		break;
	case RBR_HEAD_MORE:
		break;
	}
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

static void
begin(struct wait *wait, const struct rbr_oauth *oauth, struct rbr_loopback *loopback)
{
	size_t i;

	memset(wait, 0, sizeof *wait);
	wait->oauth = oauth;
	wait->loopback = loopback;
	for (i = 0; i < VISITORS_MAX; i++)
		wait->visitors[i].socket = -1;
}

static void
end(struct wait *wait)
{
	size_t i;

	for (i = 0; i < VISITORS_MAX; i++)
		if (wait->visitors[i].socket >= 0)
			end_visit(&wait->visitors[i]);
}

bool
rbr_loopback_wait_start(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, int64_t milliseconds)
{
	int64_t deadline = rbr_oauth_now_ms() + milliseconds;
	struct wait wait;
	struct rbr_callback ignored;

	begin(&wait, oauth, loopback);
	wait.callback = &ignored;
	wait.start_only = true;
	while (!wait.over && rbr_oauth_now_ms() < deadline)
		turn(&wait, deadline - rbr_oauth_now_ms());
	end(&wait);
	return loopback->started;
}

int
rbr_loopback_wait(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, const char *state, int64_t milliseconds,
	struct rbr_callback *ret_callback)
{
	int64_t deadline = rbr_oauth_now_ms() + milliseconds;
	struct wait wait;
	bool over, astray;

	begin(&wait, oauth, loopback);
	wait.state = state;
	wait.callback = ret_callback;
	while (!wait.over && rbr_oauth_now_ms() < deadline)
		turn(&wait, deadline - rbr_oauth_now_ms());
	over = wait.over;
	astray = wait.astray;
	end(&wait);
	if (over && !astray)
		return 0;
	if (astray)
		return oauth->host->fail(oauth->call, RINGBEARER_E_ACCESS_DENIED,
			"an answer came back to another address than this login's (%s); it may have been meant for another service, and "
			"nothing of it was believed; run `ringbearer login %s` again",
			loopback->redirect_uri, oauth->host->config(oauth->call, "account", 0));
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
	struct wait wait;
	struct rbr_callback ignored;

	begin(&wait, oauth, loopback);
	wait.callback = &ignored;
	wait.page = page;
	while (!wait.over && rbr_oauth_now_ms() < deadline)
		turn(&wait, deadline - rbr_oauth_now_ms());
	end(&wait);
	free(page);
}
