/* SPDX-License-Identifier: MIT */
/*
 * What docker-credential-… programs answer to `get`. The token is the password of HTTP Basic, with the account's user name, or
 * with one that registries which look at it know to mean a token. The user name `<token>` makes it an identity token, which
 * the caller takes to the registry's own token service.
 */
#include "config.h"

#include "formats.h"

int
rbr_format_docker(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	const struct rbr_credential *credential = answer->credential;
	int rc = rbr_secret_append_string(out, "{\"ServerURL\":");

	if (rc == 0)
		rc = rbr_json_string(out, answer->asked ? answer->asked : "");
	if (rc == 0)
		rc = rbr_secret_append_string(out, ",\"Username\":");
	if (rc == 0)
		rc = rbr_json_string(out, credential->username ? credential->username : RBR_DOCKER_USERNAME);
	if (rc == 0)
		rc = rbr_secret_append_string(out, ",\"Secret\":");
	if (rc == 0)
		rc = rbr_json_string(out, credential->token);
	return rc < 0 ? rc : rbr_secret_append_string(out, "}\n");
}
