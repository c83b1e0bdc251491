/* SPDX-License-Identifier: MIT */
/* One JSON object on one line. `expires_at` (seconds since 1970) and `scope` are left out where they are not known. */
#include "config.h"

#include "formats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One character that is not plain. What nobody would see, and bytes that are none, are escaped: a terminal may be where this
 * goes. */
static int
put_character(struct ringbearer_secret *out, const char **text)
{
	char escape[sizeof "\\uXXXX\\uXXXX"];
	uint32_t code = 0xfffd;
	size_t size = rbr_text_character(*text, &code);
	int rc;

	if (size > 1 && rbr_text_is_shown(code))
		rc = rbr_secret_append(out, *text, size);
	else if (code < 0x10000)
		rc = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code);
	else
		rc = snprintf(escape, sizeof escape, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
			(unsigned)(0xdc00 | (code & 0x3ff)));
	*text += size > 0 ? size : 1;
	return rc > 0 ? rbr_secret_append_string(out, escape) : rc;
}

int
rbr_json_string(struct ringbearer_secret *out, const char *text)
{
	int rc = rbr_secret_append(out, "\"", 1);

	while (rc == 0 && *text) {
		size_t plain = 0;

		while ((unsigned char)text[plain] >= 0x20 && (unsigned char)text[plain] < 0x7f && text[plain] != '"' &&
			text[plain] != '\\')
			plain++;
		rc = rbr_secret_append(out, text, plain);
		text += plain;
		if (rc == 0 && *text)
			rc = put_character(out, &text);
	}
	return rc < 0 ? rc : rbr_secret_append(out, "\"", 1);
}

int
rbr_json_authorization(struct ringbearer_secret *out, const struct rbr_credential *credential)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret value = RBR_SECRET_EMPTY;
	int rc = rbr_append_authorization(&value, credential);

	return rc < 0 ? rc : rbr_json_string(out, rbr_secret_string(&value));
}

/* The C library's own would bring time zones along. Days are counted from 1 March of the year 0, so that leap days come
 * last. */
int
rbr_json_time(struct ringbearer_secret *out, const char *name, int64_t seconds)
{
	int64_t days = seconds / 86400 + 719468, second = seconds % 86400, era = days / 146097,
		day_of_era = days % 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
	char text[96];

	if (seconds <= 0)
		return 0;
	(void)snprintf(text, sizeof text,
		",\"%s\":\"%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64 "Z\"",
		name, year_of_era + era * 400 + (month <= 2), month, day - (153 * shifted + 2) / 5 + 1, second / 3600,
		second / 60 % 60, second % 60);
	return rbr_secret_append_string(out, text);
}

static int
member(struct ringbearer_secret *out, const char *name, const char *value)
{
	int rc = rbr_secret_append(
		out, out->data[out->size - 1] == '{' ? "" : ",", out->data[out->size - 1] == '{' ? 0 : 1);

	if (rc == 0)
		rc = rbr_json_string(out, name);
	if (rc == 0)
		rc = rbr_secret_append(out, ":", 1);
	return rc < 0 ? rc : rbr_json_string(out, value);
}

int
rbr_format_json(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	const struct rbr_credential *credential = answer->credential;
	char number[48];
	int rc = rbr_secret_append(out, "{", 1);

	if (rc == 0)
		rc = member(out, "account", credential->account);
	if (rc == 0)
		rc = member(out, "token_type", credential->type);
	if (rc == 0)
		rc = member(out, "access_token", credential->token);
	if (rc == 0 && credential->scope)
		rc = member(out, "scope", credential->scope);
	if (rc == 0 && credential->expires != 0) {
		(void)snprintf(number, sizeof number, ",\"expires_at\":%" PRId64, credential->expires);
		rc = rbr_secret_append_string(out, number);
	}
	return rc < 0 ? rc : rbr_secret_append(out, "}\n", 2);
}
