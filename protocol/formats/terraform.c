/* SPDX-License-Identifier: MIT */
/* The credentials object of Terraform and OpenTofu. */
#include "config.h"

#include "formats.h"

int
rbr_format_terraform(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	int rc = rbr_secret_append_string(out, "{\"token\":");

	if (rc == 0)
		rc = rbr_json_string(out, answer->credential->token);
	return rc < 0 ? rc : rbr_secret_append_string(out, "}\n");
}
