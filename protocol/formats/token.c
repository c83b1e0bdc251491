/* SPDX-License-Identifier: MIT */
/* The bare token: for PassCmd, passwordeval and $(…). */
#include "config.h"

#include "formats.h"

int
rbr_format_token(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	const struct rbr_credential *credential = answer->credential;
	int rc = rbr_secret_append_string(out, credential->id_token ? credential->id_token : credential->token);

	return rc < 0 ? rc : rbr_secret_append(out, "\n", 1);
}
