/* SPDX-License-Identifier: MIT */
/*
 * Assignments that sh (`eval`) and systemd (EnvironmentFile=) both read back to the byte. Within double quotes both take
 * a backslash before these four characters for an escape, and nothing else. A value without special characters stays
 * bare, for readers that know no quotes.
 */
#include "config.h"

#include "formats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ESCAPED "\"\\`$"
#define BARE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._+/="

static int
quote(struct ringbearer_secret *out, const char *text)
{
	int rc = rbr_secret_append(out, "\"", 1);

	while (rc == 0 && *text) {
		size_t plain = strcspn(text, ESCAPED);

		rc = rbr_secret_append(out, text, plain);
		text += plain;
		if (rc == 0 && *text)
			rc = rbr_secret_append(out, "\\", 1);
		if (rc == 0 && *text)
			rc = rbr_secret_append(out, text++, 1);
	}
	return rc < 0 ? rc : rbr_secret_append(out, "\"", 1);
}

int
rbr_format_env(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	const struct rbr_credential *credential = answer->credential;
	const char *token = credential->token;
	/* Set in any case: a shell must not keep the expiry of an earlier token. */
	char expires[64] = "\nRINGBEARER_EXPIRES_AT=\n";
	int rc = rbr_secret_append_string(out, "RINGBEARER_TOKEN=");

	if (rc == 0)
		rc = token[strspn(token, BARE)] == '\0' ? rbr_secret_append_string(out, token) : quote(out, token);
	if (credential->expires != 0)
		(void)snprintf(expires, sizeof expires, "\nRINGBEARER_EXPIRES_AT=%" PRId64 "\n", credential->expires);
	return rc < 0 ? rc : rbr_secret_append_string(out, expires);
}
