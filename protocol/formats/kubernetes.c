/* SPDX-License-Identifier: MIT */
/* A Kubernetes ExecCredential (client.authentication.k8s.io). kubectl keeps it until the time that it names, or for as long as
 * it runs where there is none. */
#include "config.h"

#include "formats.h"

#define VERSION_DEFAULT "client.authentication.k8s.io/v1"

int
rbr_format_kubernetes(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	const struct rbr_credential *credential = answer->credential;
	int rc = rbr_secret_append_string(out, "{\"apiVersion\":");

	if (rc == 0)
		rc = rbr_json_string(out, answer->version ? answer->version : VERSION_DEFAULT);
	if (rc == 0)
		rc = rbr_secret_append_string(out, ",\"kind\":\"ExecCredential\",\"status\":{\"token\":");
	if (rc == 0)
		rc = rbr_json_string(out, credential->id_token ? credential->id_token : credential->token);
	if (rc == 0)
		rc = rbr_json_time(out, "expirationTimestamp",
			credential->id_token ? credential->id_expires : credential->expires);
	return rc < 0 ? rc : rbr_secret_append_string(out, "}}\n");
}
