/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/oauth/pkce.h"

static const char style[] =
	":root{color-scheme:light dark;--back:#f5f4f1;--card:#fff;--text:#222;--soft:#5d5a55;--line:#dedbd5;--good:#1c6b3c;"
	"--bad:#a3261c}"
	"@media(prefers-color-scheme:dark){:root{--back:#161719;--card:#202225;--text:#ececec;--soft:#a9a7a2;--line:#34363a;"
	"--good:#6fce95;--bad:#ff8f85}}"
	"*{box-sizing:border-box}"
	"body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1rem;background:var(--back);"
	"color:var(--text);font:1rem/1.55 system-ui,sans-serif}"
	"main{width:100%;max-width:30rem;padding:clamp(1.5rem,6vw,2.5rem);background:var(--card);border:1px solid var(--line);"
	"border-radius:.9rem}"
	"svg{display:block;width:2.75rem;height:2.75rem;margin-bottom:1.25rem;fill:none;stroke-width:2.4;stroke-linecap:round;"
	"stroke-linejoin:round}"
	".good svg{stroke:var(--good)}.bad svg{stroke:var(--bad)}"
	"h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25;font-weight:650;text-wrap:balance}"
	"p{margin:0;color:var(--soft);overflow-wrap:anywhere;text-wrap:pretty}"
	"footer{margin-top:1.6rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.85rem;color:var(--soft)}";

static const char tick[] = "<circle cx='16' cy='16' r='13'/><path d='m10.5 16.5 4 4 7.5-8.5'/>";
static const char cross[] = "<circle cx='16' cy='16' r='13'/><path d='m11.5 11.5 9 9m0-9-9 9'/>";

static const char *
reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 303:
		return "See Other";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 410:
		return "Gone";
	default:
		return "Bad Request";
	}
}

/* asprintf(), with NULL for no memory. */
__attribute__((format(printf, 1, 2))) static char *
print(const char *format, ...)
{
	va_list values;
	char *text;
	int size;

	va_start(values, format);
	size = vasprintf(&text, format, values);
	va_end(values);
	return size < 0 ? NULL : text;
}

/* Only the one style sheet above is allowed, by its hash: in base64, since not every browser takes base64url there. */
static char *
response(int status, const char *more, const char *body)
{
	unsigned char digest[RBR_SHA256_SIZE];
	char hash[RBR_RANDOM_TEXT_SIZE], *c;

	rbr_sha256(style, sizeof style - 1, digest);
	rbr_base64url(digest, hash);
	for (c = hash; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return print("HTTP/1.1 %d %s\r\n"
		     "Content-Type: text/html; charset=utf-8\r\n"
		     "Content-Length: %zu\r\n"
		     "Content-Security-Policy: default-src 'none'; style-src 'sha256-%s='; base-uri 'none'; "
		     "form-action 'none'; frame-ancestors 'none'\r\n"
		     "Cache-Control: no-store\r\n"
		     "Referrer-Policy: no-referrer\r\n"
		     "X-Content-Type-Options: nosniff\r\n"
		     "Cross-Origin-Opener-Policy: same-origin\r\n"
		     "Connection: close\r\n%s\r\n%s",
		status, reason(status), strlen(body), hash, more, body);
}

static const char *
entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* TEXT as HTML writes it, or NULL. */
static char *
escape(const char *text)
{
	char *safe = calloc(strlen(text) + 1, sizeof "&quot;" - 1), *to = safe;

	if (!safe)
		return NULL;
	for (; *text; text++) {
		const char *name = entity(*text);

		if (name)
			to = stpcpy(to, name);
		else
			*to++ = *text;
	}
	return safe;
}

char *
rbr_page(int status, bool good, const char *title, const char *text)
{
	char *safe_title = escape(title), *safe_text = escape(text), *body = NULL, *page = NULL;

	if (safe_title && safe_text)
		body = print(
			"<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
			"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>%s – ringbearer</title>"
			"<style>%s</style></head><body><main class=\"%s\"><svg viewBox=\"1.8 1.8 28.4 28.4\" "
			"aria-hidden=\"true\">%s</svg>"
			"<h1>%s</h1><p>%s</p><footer>ringbearer, on this computer</footer></main></body></html>\n",
			safe_title, style, good ? "good" : "bad", good ? tick : cross, safe_title, safe_text);
	if (body)
		page = response(status, status == 405 ? "Allow: GET\r\n" : "", body);
	free(safe_title);
	free(safe_text);
	free(body);
	return page;
}

char *
rbr_page_elsewhere(const char *location)
{
	char *line = print("Location: %s\r\n", location), *page = line ? response(303, line, "") : NULL;

	free(line);
	return page;
}
