/* SPDX-License-Identifier: MIT */
/* Where the listener sits: its sockets, and the addresses that lead to it. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"
#include "modules/oauth/pkce.h"
#include "protocol/writer.h"

#define BACKLOG 16
#define START_PATH "/start/"
#define TRIES 8 /* for a port that is free in both families */

struct place {
	char host[32]; /* "127.0.0.1", "[::1]" or "localhost" */
	uint16_t port; /* 0: any */
	char path[RBR_REDIRECT_MAX];
};

/* -- sockets -- */

/* A port that was chosen in advance may still have connections of an earlier login; one that is free has none, and is shared
 * with nobody (RFC 8252 appendix B). */
static int
listen_on(const struct sockaddr *address, socklen_t size, bool chosen)
{
	int one = 1, descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), reason;

	if (descriptor < 0)
		return -1;
	if (chosen)
		(void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (address->sa_family == AF_INET6)
		(void)setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(descriptor, address, size) == 0 && listen(descriptor, BACKLOG) == 0)
		return descriptor;
	reason = errno;
	(void)close(descriptor);
	errno = reason;
	return -1;
}

static int
listen_v4(uint16_t *port, bool chosen)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t size = sizeof address;
	int descriptor;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	descriptor = listen_on((const struct sockaddr *)&address, size, chosen);
	if (descriptor >= 0 && getsockname(descriptor, (struct sockaddr *)&address, &size) == 0)
		*port = ntohs(address.sin_port);
	return descriptor;
}

static int
listen_v6(uint16_t *port, bool chosen)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6, .sin6_port = htons(*port), .sin6_addr = in6addr_loopback};
	socklen_t size = sizeof address;
	int descriptor = listen_on((const struct sockaddr *)&address, size, chosen);

	if (descriptor >= 0 && getsockname(descriptor, (struct sockaddr *)&address, &size) == 0)
		*port = ntohs(address.sin6_port);
	return descriptor;
}

/* Both families where one is free: whichever the browser takes, nobody else sits there. 0, or why the ones that PLACE wants
 * cannot be had: EADDRINUSE if they are taken. */
static int
listen_at(const struct place *place, struct rbr_loopback *loopback, uint16_t *port)
{
	bool wants_v4 = strcmp(place->host, "[::1]") != 0, wants_v6 = strcmp(place->host, "127.0.0.1") != 0;
	bool chosen = place->port != 0;
	int v4_reason, v6_reason;

	*port = place->port;
	loopback->sockets[0] = listen_v4(port, chosen);
	v4_reason = loopback->sockets[0] < 0 ? errno : 0;
	loopback->sockets[1] = listen_v6(port, chosen);
	v6_reason = loopback->sockets[1] < 0 ? errno : 0;
	if ((wants_v4 && v4_reason == EADDRINUSE) || (wants_v6 && v6_reason == EADDRINUSE))
		return EADDRINUSE;
	if (wants_v4 && v4_reason == 0)
		return 0;
	return wants_v6 ? v6_reason : v4_reason;
}

/* -- places -- */

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

/* Where nothing is registered: any port, of IPv6 if there is no other, and a path of the account's own. */
static int
listen_anywhere(const char *account, struct place *place, struct rbr_loopback *loopback, uint16_t *port)
{
	int reason;

	*place = (struct place){.host = "127.0.0.1"};
	(void)snprintf(place->path, sizeof place->path, "%s/%s", RBR_CALLBACK_PATH, account);
	reason = listen_at(place, loopback, port);
	if (reason == 0 || loopback->sockets[1] < 0)
		return reason;
	(void)snprintf(place->host, sizeof place->host, "[::1]");
	return 0;
}

/* The sockets of REGISTERED, or of anywhere. A port that is free in one family only is let go. */
static int
listen_for(
	const char *account, const char *registered, struct place *place, struct rbr_loopback *loopback, uint16_t *port)
{
	int reason = 0, i;

	for (i = 0; i < TRIES; i++) {
		reason =
			registered ? listen_at(place, loopback, port) : listen_anywhere(account, place, loopback, port);
		if (reason == 0)
			return 0;
		rbr_loopback_close(loopback);
		if (place->port != 0)
			break;
	}
	return reason;
}

int
rbr_loopback_open(const struct rbr_oauth *oauth, const char *registered, struct rbr_loopback *ret_loopback)
{
	const char *account = oauth->host->config(oauth->call, "account", 0);
	struct place place = {.port = 0};
	struct rbr_writer host, uri;
	uint16_t port = 0;
	int reason;

	*ret_loopback = RBR_LOOPBACK_CLOSED;
	ret_loopback->of_account = !registered;
	if (registered && !parse_registered(registered, &place))
		return oauth->host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"`redirect_uri` is no loopback address that can be listened on; run the login with --paste");
	reason = listen_for(account, registered, &place, ret_loopback, &port);
	if (reason != 0)
		return oauth->host->fail(oauth->call, RINGBEARER_E_SYSTEM,
			"%s:%u cannot be listened on (%s); %s, or run the login with --paste", place.host, place.port,
			strerror(reason),
			reason == EADDRINUSE ? "end the program that has it" : "see to the loopback interface");
	(void)snprintf(ret_loopback->path, sizeof ret_loopback->path, "%s", place.path);
	host = rbr_writer_start(ret_loopback->host, sizeof ret_loopback->host);
	rbr_write_text(&host, place.host);
	if (port != 80) /* browsers leave the default port out (RFC 9110 section 7.2) */
		rbr_write_format(&host, ":%u", port);
	uri = rbr_writer_start(ret_loopback->redirect_uri, sizeof ret_loopback->redirect_uri);
	if (registered && place.port != 0)
		rbr_write_text(&uri, registered);
	else
		rbr_write_format(&uri, "http://%s:%u%s", place.host, port, place.path);
	if (rbr_writer_fits(&uri))
		return 0;
	rbr_loopback_close(ret_loopback);
	return oauth->host->fail(
		oauth->call, RINGBEARER_E_CONFIG, "`redirect_uri` is too long; register a shorter one at the service");
}

int
rbr_loopback_lead(const struct rbr_oauth *oauth, struct rbr_loopback *loopback, const char *destination)
{
	struct rbr_writer start = rbr_writer_start(loopback->start, sizeof loopback->start);
	char word[RBR_RANDOM_TEXT_SIZE];
	int rc = rbr_random_text(oauth, word);

	if (rc < 0)
		return rc;
	rbr_write_format(&start, "http://%s", loopback->host); /* which has room left: it is a host and a port */
	loopback->start_path = rbr_writer_at(&start);
	rbr_write_text(&start, START_PATH);
	rbr_write_text(&start, word);
	loopback->destination = destination;
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
