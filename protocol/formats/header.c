/* SPDX-License-Identifier: MIT */
/* An HTTP header line (RFC 6750 section 2.1): for `curl -H @file`. */
#include "config.h"

#include "formats.h"

int
rbr_format_header(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	int rc = rbr_secret_append_string(out, "Authorization: ");

	if (rc == 0)
		rc = rbr_secret_append_string(out, answer->credential->type);
	if (rc == 0)
		rc = rbr_secret_append(out, " ", 1);
	return rc < 0 ? rc : rbr_format_token(answer, out);
}
