/* SPDX-License-Identifier: MIT */
/* The answer to `get` in cargo's credential provider protocol. cargo keeps it until it ends, or for as long as it runs where
 * that is not known. */
#include "config.h"

#include "formats.h"

#include <inttypes.h>
#include <stdio.h>

int
rbr_format_cargo(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	int64_t expires = answer->credential->expires;
	char cache[96] = ",\"cache\":\"session\"";
	int rc = rbr_secret_append_string(out, "{\"Ok\":{\"kind\":\"get\",\"token\":");

	if (expires != 0)
		(void)snprintf(cache, sizeof cache, ",\"cache\":\"expires\",\"expiration\":%" PRId64, expires);
	if (rc == 0)
		rc = rbr_json_authorization(out, answer->credential);
	if (rc == 0)
		rc = rbr_secret_append_string(out, cache);
	return rc < 0 ? rc : rbr_secret_append_string(out, ",\"operation_independent\":true}}\n");
}
