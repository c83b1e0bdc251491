/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define END "\r\n\r\n"

/* Has the head, which ends before END_OF_IT, exactly one Host, and is it HOST? */
static bool
host_fits(const char *head, const char *end_of_it, const char *host)
{
	const char *line = head;
	unsigned found = 0;
	bool fits = false;

	while ((line = strstr(line, "\r\n")) && line < end_of_it) {
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

enum rbr_head_state
rbr_head_read(const char *text, size_t size, const char *host, struct rbr_head *ret_head)
{
	const char *end_of_it = strstr(text, END), *target = text + 4, *end, *query;

	if (strlen(text) != size)
		return RBR_HEAD_LONG;
	if (!end_of_it)
		return size >= RBR_HEAD_MAX - 1 ? RBR_HEAD_LONG : RBR_HEAD_MORE;
	if (strncmp(text, "GET ", 4) != 0)
		return RBR_HEAD_METHOD;
	end = target + strcspn(target, " \r\n");
	if (strncmp(end, " HTTP/1.", 8) != 0 || !host_fits(text, end_of_it, host))
		return RBR_HEAD_BAD;
	query = memchr(target, '?', (size_t)(end - target));
	ret_head->path = target;
	ret_head->path_size = (size_t)((query ? query : end) - target);
	ret_head->query = query ? query + 1 : NULL;
	ret_head->query_size = query ? (size_t)(end - query - 1) : 0;
	return RBR_HEAD_GOOD;
}
