/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "headers.h"

#include <string.h>
#include <strings.h>

static bool
begins_with(const char *data, size_t size, const char *name)
{
	return size >= strlen(name) && strncasecmp(data, name, strlen(name)) == 0;
}

/* Only a redirect's host is kept, for the message: its path and whom it names may be secrets. */
static void
take_location(struct rbr_headers *headers, const char *data, size_t size)
{
	const char *host = memmem(data, size, "://", 3), *end = data + size, *p, *at;

	headers->location_host[0] = '\0';
	if (!host)
		return;
	host += 3;
	for (p = host; p < end && *p != '\0' && !strchr("/?# \r\n", *p); p++)
		;
	at = memrchr(host, '@', (size_t)(p - host));
	if (at)
		host = at + 1;
	if ((size_t)(p - host) < sizeof headers->location_host) {
		memcpy(headers->location_host, host, (size_t)(p - host));
		headers->location_host[p - host] = '\0';
	}
}

bool
rbr_headers_take(struct rbr_headers *headers, const char *data, size_t size)
{
	static const char location[] = "location:";

	if (size > RBR_HTTP_HEADER_BYTES_MAX - headers->bytes)
		return false;
	headers->bytes += size;
	if (begins_with(data, size, "HTTP/")) {
		headers->location_host[0] = '\0';
		return ++headers->answers <= RBR_HTTP_ANSWERS_MAX;
	}
	if (begins_with(data, size, location))
		take_location(headers, data + sizeof location - 1, size - (sizeof location - 1));
	return true;
}
