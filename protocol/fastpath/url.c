/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "protocol/writer.h"

#define PORT_MAX 65535

static bool
copy(char *to, size_t room, const char *from, size_t size)
{
	if (size >= room)
		return false;
	memcpy(to, from, size);
	to[size] = '\0';
	return true;
}

static void
lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

unsigned
rbr_url_default_port(const char *scheme)
{
	if (strcmp(scheme, "https") == 0)
		return 443;
	if (strcmp(scheme, "http") == 0)
		return 80;
	return 0;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_unreserved(int c)
{
	return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Un-escapes what needs no escape and writes the other escapes in upper case. False: a broken escape, or a
 * character that no URL may have. */
static bool
normalize_escapes(const char *from, size_t size, char *to)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c <= 0x20 || c == 0x7f || c == '\\')
			return false;
		if (c != '%') {
			*to++ = (char)c;
			continue;
		}
		if (size - i < 3 || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
			return false;
		c = (unsigned char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
		i += 2;
		if (is_unreserved(c)) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = digits[c >> 4];
			*to++ = digits[c & 15];
		}
	}
	*to = '\0';
	return true;
}

/* Removes "." and ".." segments in place (RFC 3986 section 5.2.4). PATH begins with a slash. */
static void
remove_dots(char *path)
{
	char *in = path, *out = path;

	while (*in) {
		size_t segment = strcspn(in + 1, "/");
		bool last = in[1 + segment] == '\0';

		if (segment == 1 && in[1] == '.') {
			if (last)
				*out++ = '/';
		} else if (segment == 2 && in[1] == '.' && in[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (last)
				*out++ = '/';
		} else {
			memmove(out, in, segment + 1);
			out += segment + 1;
		}
		in += segment + 1;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

static bool
parse_port(struct rbr_url *url, const char *text, size_t size)
{
	unsigned long port = 0;
	size_t i;

	url->port = rbr_url_default_port(url->scheme);
	for (i = 0; i < size; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		port = port * 10 + (unsigned long)(text[i] - '0');
		if (port > PORT_MAX)
			return false;
	}
	if (size > 0)
		url->port = (unsigned)port;
	return size == 0 || port > 0;
}

/* A user name is compared as it is meant. False if an escape is broken or hides a control character. */
static bool
unescape(char *to, size_t room, const char *from, size_t size)
{
	size_t i, used = 0;

	for (i = 0; i < size; i++) {
		int c = (unsigned char)from[i];

		if (c == '%') {
			if (size - i < 3 || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
				return false;
			c = hex(from[i + 1]) * 16 + hex(from[i + 2]);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f || used + 1 >= room)
			return false;
		to[used++] = (char)c;
	}
	to[used] = '\0';
	return true;
}

/* A letter, then letters, digits and "+-." (RFC 3986 section 3.1), before what COLON begins. */
static bool
parse_scheme(struct rbr_url *url, const char *text, const char *colon)
{
	size_t i, size = (size_t)(colon - text);

	for (i = 0; i < size; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("+-.", text[i]))
			return false;
	if (!isalpha((unsigned char)*text) || !copy(url->scheme, sizeof url->scheme, text, size))
		return false;
	lower(url->scheme);
	return true;
}

/* A host that is no address, made comparable: in lower case, without escapes where it can be, and without the final dot, which
 * says that it is absolute. Unicode stays (accounts/match.h makes punycode of it). With ESCAPED what is not ASCII is escaped,
 * since it is no text that is seen. False: it does not fit, or has what would end a host. */
static bool
normalize_host(struct rbr_writer *writer, const char *from, size_t size, bool escaped)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c == '%') {
			if (size - i < 3 || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
				return false;
			c = (unsigned char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
			i += 2;
			if (c < 0x20 || c == 0x7f || strchr("/?#@:[]\\", c))
				return false;
		} else if (c < 0x80 && !is_unreserved(c)) {
			return false;
		}
		if (is_unreserved(c) || (c >= 0x80 && !escaped)) {
			rbr_write_char(writer, (char)tolower(c));
		} else {
			rbr_write_char(writer, '%');
			rbr_write_char(writer, digits[c >> 4]);
			rbr_write_char(writer, digits[c & 15]);
		}
	}
	if (writer->used > 1 && writer->text[writer->used - 1] == '.' && writer->text[writer->used - 2] != '.')
		rbr_writer_back(writer, writer->used - 1);
	return rbr_writer_fits(writer);
}

/* [address], or [address%25zone] (RFC 6874) */
static bool
normalize_address(struct rbr_writer *writer, const char *from, size_t size)
{
	bool zone = false;
	size_t i;

	for (i = 0; i < size; i++) {
		if (from[i] == '%' && !zone) {
			zone = true;
			rbr_write_text(writer, "%25");
			i += i + 2 < size && from[i + 1] == '2' && from[i + 2] == '5' ? 2 : 0;
		} else if (is_unreserved((unsigned char)from[i]) || strchr("[]:", from[i])) {
			rbr_write_char(writer, (char)tolower((unsigned char)from[i]));
		} else {
			return false;
		}
	}
	return rbr_writer_fits(writer);
}

static bool
take_host(struct rbr_url *url, const char *host, size_t size)
{
	struct rbr_writer writer = rbr_writer_start(url->host, sizeof url->host);
	const char *shown = url->host;
	uint32_t code = 0;
	size_t each;

	if (size > 0 && *host == '[')
		return normalize_address(&writer, host, size);
	if (!normalize_host(&writer, host, size, false))
		return false;
	for (; *shown; shown += each) {
		each = rbr_text_character(shown, &code);
		if (each > 0 && rbr_text_is_shown(code))
			continue;
		writer = rbr_writer_start(url->host, sizeof url->host);
		return normalize_host(&writer, host, size, true);
	}
	return true;
}

/* [user[:password]@]host[:port] */
static bool
parse_authority(struct rbr_url *url, const char *text, size_t size)
{
	const char *at = memrchr(text, '@', size), *end = text + size, *host = text, *tail;
	size_t host_size, i;

	if (at) {
		const char *colon = memchr(text, ':', (size_t)(at - text));

		/* Browsers take a backslash for a slash: the host would be another one for them. */
		for (i = 0; i < (size_t)(at - text); i++)
			if ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f || text[i] == '\\')
				return false;
		if (!unescape(url->username, sizeof url->username, text, (size_t)((colon ? colon : at) - text)))
			return false;
		host = at + 1;
	}
	if (host < end && *host == '[') {
		tail = memchr(host, ']', (size_t)(end - host));
		if (!tail)
			return false;
		tail++;
	} else {
		tail = memchr(host, ':', (size_t)(end - host));
		if (!tail)
			tail = end;
	}
	host_size = (size_t)(tail - host);
	if ((host_size == 0 && rbr_url_default_port(url->scheme) != 0) || (tail < end && *tail != ':') ||
		!take_host(url, host, host_size))
		return false;
	return parse_port(url, tail < end ? tail + 1 : tail, tail < end ? (size_t)(end - tail - 1) : 0);
}

int
rbr_url_parse(struct rbr_url *ret_url, const char *text, const char *what, struct rbr_error *error)
{
	struct rbr_url url = {.port = 0};
	const char *colon = strstr(text, "://"), *authority, *path;
	size_t authority_size, path_size;

	if (strlen(text) >= RBR_URL_MAX)
		return rbr_fail(
			error, RINGBEARER_E_CONFIG, "%s: the URL is longer than %d bytes", what, RBR_URL_MAX - 1);
	if (!colon || !parse_scheme(&url, text, colon))
		return rbr_fail(
			error, RINGBEARER_E_CONFIG, "%s: `%.80s` is no URL; write https://host/path", what, text);
	authority = colon + 3;
	authority_size = strcspn(authority, "/?#");
	path = authority + authority_size;
	path_size = strcspn(path, "?#");
	if (!parse_authority(&url, authority, authority_size))
		return rbr_fail(
			error, RINGBEARER_E_CONFIG, "%s: `%.80s` has a host or port that cannot be read", what, text);
	if (!normalize_escapes(path, path_size, url.path))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"%s: `%.80s` has a path with characters that must be escaped", what, text);
	if (url.path[0] == '\0')
		(void)copy(url.path, sizeof url.path, "/", 1);
	remove_dots(url.path);
	*ret_url = url;
	return 0;
}

void
rbr_url_origin(const struct rbr_url *url, char *origin, size_t size)
{
	struct rbr_writer writer = rbr_writer_start(origin, size);

	rbr_write_text(&writer, url->scheme);
	rbr_write_text(&writer, "://");
	rbr_write_text(&writer, url->host);
	rbr_write_char(&writer, ':');
	rbr_write_decimal(&writer, url->port);
}

bool
rbr_url_same_origin(const struct rbr_url *a, const struct rbr_url *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

long
rbr_url_path_covers(const char *prefix, const char *path)
{
	size_t size = strlen(prefix);

	while (size > 0 && prefix[size - 1] == '/')
		size--;
	if (strncmp(prefix, path, size) != 0 || (path[size] != '\0' && path[size] != '/'))
		return -1;
	return (long)size;
}

long
rbr_url_covers(const struct rbr_url *prefix, const struct rbr_url *url)
{
	return rbr_url_same_origin(prefix, url) ? rbr_url_path_covers(prefix->path, url->path) : -1;
}

bool
rbr_url_is_safe(const struct rbr_url *url)
{
	struct in_addr address;

	if (strcmp(url->scheme, "https") == 0)
		return true;
	if (strcmp(url->scheme, "http") != 0)
		return false;
	if (strcmp(url->host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, url->host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}
