/* SPDX-License-Identifier: MIT */
/* URLs: a normalized one must not change when it is normalized again. */
#include "config.h"

#include "fuzz.h"
#include "protocol/fastpath/url.h"

static void
check_again(const struct rbr_url *url)
{
	char text[2 * RBR_URL_MAX], origin[RBR_URL_MAX], other[RBR_URL_MAX];
	struct rbr_url again;

	rbr_url_origin(url, origin, sizeof origin);
	if (url->port != 0)
		(void)snprintf(text, sizeof text, "%s%s", origin, url->path);
	else
		(void)snprintf(text, sizeof text, "%s://%s%s", url->scheme, url->host, url->path);
	if (strlen(text) >= RBR_URL_MAX)
		return; /* the port made it too long */
	FUZZ_EXPECT(rbr_url_parse(&again, text, "it", NULL) == 0);
	rbr_url_origin(&again, other, sizeof other);
	FUZZ_EXPECT(strcmp(origin, other) == 0);
	FUZZ_EXPECT(strcmp(url->path, again.path) == 0);
	FUZZ_EXPECT(rbr_url_covers(url, &again) >= 0 && rbr_url_covers(&again, url) >= 0);
	FUZZ_EXPECT(rbr_url_is_safe(url) == rbr_url_is_safe(&again));
}

FUZZ_UP_TO(3 * RBR_URL_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct rbr_error error = {0};
	struct rbr_url url;
	char shown[sizeof url.host];
	const char *percent;
	int rc = rbr_url_parse(&url, text, "it", &error);

	FUZZ_EXPECT(rc == error.code && fuzz_is_printable(error.detail));
	if (rc == 0) {
		FUZZ_EXPECT(
			memchr(url.scheme, '\0', sizeof url.scheme) && memchr(url.username, '\0', sizeof url.username));
		FUZZ_EXPECT(memchr(url.host, '\0', sizeof url.host) && memchr(url.path, '\0', sizeof url.path));
		FUZZ_EXPECT(url.path[0] == '/' && !strpbrk(url.path, " ?#\\") && fuzz_is_printable(url.path));
		FUZZ_EXPECT(!strstr(url.path, "/../") && !strstr(url.path, "/./"));
		FUZZ_EXPECT(!strpbrk(url.host, "@/?#\\ ") && fuzz_is_printable(url.host));
		FUZZ_EXPECT(url.host[0] == '[' || !strpbrk(url.host, ":[]"));
		for (percent = url.host; (percent = strchr(percent, '%')); percent++)
			FUZZ_EXPECT(
				strncmp(percent, url.host[0] == '[' ? "%25" : "%", url.host[0] == '[' ? 3 : 1) == 0);
		(void)snprintf(shown, sizeof shown, "%s", url.host);
		rbr_sanitize(shown);
		FUZZ_EXPECT(strcmp(shown, url.host) == 0); /* Unicode in it is seen */
		FUZZ_EXPECT(url.host[0] != '\0' || strncmp(url.scheme, "http", 4) != 0 ||
			url.scheme[4 + (url.scheme[4] == 's')]);
		FUZZ_EXPECT(url.port <= 65535);
		FUZZ_EXPECT(!rbr_url_is_safe(&url) || strcmp(url.scheme, "https") == 0 ||
			strncmp(url.host, "127.", 4) == 0 || strcmp(url.host, "[::1]") == 0);
		check_again(&url);
	}
	free(text);
	return 0;
}
