/* SPDX-License-Identifier: MIT */
/* Headers for one URI (EngFlow's credential helper specification, which Bazel and others follow). */
#include "config.h"

#include "formats.h"

int
rbr_format_bazel(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	int rc = rbr_secret_append_string(out, "{\"headers\":{\"Authorization\":[");

	if (rc == 0)
		rc = rbr_json_authorization(out, answer->credential);
	if (rc == 0)
		rc = rbr_secret_append_string(out, "]}");
	if (rc == 0)
		rc = rbr_json_time(out, "expires", answer->credential->expires);
	return rc < 0 ? rc : rbr_secret_append_string(out, "}\n");
}
