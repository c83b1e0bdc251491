/* SPDX-License-Identifier: MIT */
/* The bare token: for PassCmd, passwordeval and $(…). */
#include "config.h"

#include "formats.h"

int
rbr_format_token(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	int rc = rbr_secret_append_string(out, answer->credential->token);

	return rc < 0 ? rc : rbr_secret_append(out, "\n", 1);
}
