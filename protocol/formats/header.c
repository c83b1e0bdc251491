/* SPDX-License-Identifier: MIT */
/* An HTTP header line (RFC 6750 section 2.1): for `curl -H @file`. */
#include "config.h"

#include "formats.h"

int
rbr_append_authorization(struct ringbearer_secret *out, const struct rbr_credential *credential)
{
	int rc = rbr_secret_append_string(out, credential->type);

	if (rc == 0)
		rc = rbr_secret_append(out, " ", 1);
	return rc < 0 ? rc : rbr_secret_append_string(out, credential->token);
}

int
rbr_format_header(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	int rc = rbr_secret_append_string(out, "Authorization: ");

	if (rc == 0)
		rc = rbr_append_authorization(out, answer->credential);
	return rc < 0 ? rc : rbr_secret_append(out, "\n", 1);
}
