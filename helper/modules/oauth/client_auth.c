/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client_auth.h"

#include <string.h>

#include "form.h"

#define HEADER "Authorization: Basic "

/* id:secret, each form-encoded on its own unless the service wants them raw. */
static int
pair(const struct rbr_oauth *oauth, const char *client_id, const struct ringbearer_secret *secret,
	struct ringbearer_secret *out)
{
	const struct ringbearer_host *host = oauth->host;
	const char *encoding = host->config(oauth->call, "basic_encoding", 0);
	int rc;

	if (encoding && strcmp(encoding, "raw") == 0) {
		rc = host->secret_append(out, client_id, strlen(client_id));
		if (rc == 0)
			rc = host->secret_append(out, ":", 1);
		return rc < 0 ? rc : host->secret_append(out, host->secret_data(secret), host->secret_size(secret));
	}
	rc = rbr_form_encode(oauth, out, client_id, strlen(client_id));
	if (rc == 0)
		rc = host->secret_append(out, ":", 1);
	return rc < 0 ? rc : rbr_form_encode(oauth, out, host->secret_data(secret), host->secret_size(secret));
}

static int
basic(const struct rbr_oauth *oauth, const char *client_id, const struct ringbearer_secret *secret,
	struct ringbearer_secret **ret_header)
{
	const struct ringbearer_host *host = oauth->host;
	struct ringbearer_secret *plain = host->secret_new("", 0),
				 *header = host->secret_new(HEADER, sizeof HEADER - 1);
	int rc = plain && header ? pair(oauth, client_id, secret, plain) : RINGBEARER_E_SYSTEM;

	if (rc == 0)
		rc = rbr_base64(oauth, header, host->secret_data(plain), host->secret_size(plain));
	host->secret_free(plain);
	if (rc < 0) {
		host->secret_free(header);
		return host->fail(oauth->call, rc, "out of memory");
	}
	*ret_header = header;
	return 0;
}

int
rbr_client_auth(const struct rbr_oauth *oauth, const struct ringbearer_secret *secret, struct ringbearer_secret *body,
	struct ringbearer_secret **ret_header)
{
	const struct ringbearer_host *host = oauth->host;
	const char *client_id = host->config(oauth->call, "client_id", 0);
	const char *method = host->config(oauth->call, "client_auth", 0);
	int rc;

	*ret_header = NULL;
	if (!client_id)
		return host->fail(oauth->call, RINGBEARER_E_CONFIG,
			"`client_id` is not set; add the one that the service issued");
	if (strcmp(method, "client_secret_basic") == 0)
		return basic(oauth, client_id, secret, ret_header);
	rc = rbr_form_add(oauth, body, "client_id", client_id);
	if (rc == 0 && strcmp(method, "client_secret_post") == 0)
		rc = rbr_form_add_secret(oauth, body, "client_secret", secret);
	return rc < 0 ? host->fail(oauth->call, rc, "out of memory") : 0;
}
