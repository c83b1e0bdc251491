/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "checks.h"
#include "host/host.h"
#include "host/loader.h"
#include "protocol/writer.h"
#include "renewal/discovery.h"

#define TEXT_MAX 16384
#define SUBJECT_MAX 300
#define CLOCK_SECONDS 60 /* so far apart, lifetimes and signatures suffer */
#define DAY 86400
#define ENDS_SOON (7 * DAY)

static const char key[] = "token_endpoint";

/* All that decides how the endpoint is reached: two of the same text are one. */
static void
name_way(const struct rbr_account *account, char text[TEXT_MAX])
{
	static const enum rbr_key keys[] = {RBR_KEY_TOKEN_ENDPOINT, RBR_KEY_ISSUER, RBR_KEY_REVOCATION_ENDPOINT,
		RBR_KEY_CA_FILE, RBR_KEY_PROXY, RBR_KEY_IP_VERSION};
	struct rbr_writer writer = rbr_writer_start(text, TEXT_MAX);
	const char *value;
	size_t i;

	rbr_write_text(&writer, "way");
	for (i = 0; i < RBR_ARRAY_SIZE(keys); i++) {
		value = rbr_account_get(account, keys[i]);
		rbr_write_format(&writer, "\n%s", value ? value : "");
	}
}

/* Scheme, host and port; without a name that only the service knows. */
static void
name_subject(const char *url, char subject[SUBJECT_MAX])
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	(void)snprintf(subject, SUBJECT_MAX, "%.*s", (int)strcspn(host, "/?#"), host);
}

static bool
is_plain(const char *url)
{
	return strncmp(url, "http://", 7) == 0;
}

static void
tell(struct rbr_checkup *checkup, const char *subject, bool plain, const struct ringbearer_probe *probe)
{
	int64_t now = time(NULL), apart = probe->server_time - now, left = probe->certificate_ends - now;
	char certificate[64] = "", clock[64] = "the server does not say what time it is";

	if (probe->server_time != 0 && (apart > CLOCK_SECONDS || apart < -CLOCK_SECONDS)) {
		rbr_ill(checkup, subject, RINGBEARER_E_CONFIG,
			"this machine's clock is %" PRId64 " s %s the server's; set it: `timedatectl set-ntp true`",
			apart > 0 ? apart : -apart, apart > 0 ? "behind" : "ahead of");
		return;
	}
	if (probe->server_time != 0)
		(void)snprintf(clock, sizeof clock, "the clocks agree");
	if (probe->certificate_ends != 0)
		(void)snprintf(certificate, sizeof certificate, " (%s%" PRId64 " days)",
			left < ENDS_SOON ? "only " : "", left / DAY);
	rbr_well(checkup, subject, "reached, %s%s, %s", plain ? "on this machine without TLS" : "certificate accepted",
		certificate, clock);
}

static void
probe(struct rbr_checkup *checkup, struct ringbearer_call *call, const struct rbr_grant *grant, const char *subject)
{
	const char *url = rbr_account_get(call->account, RBR_KEY_TOKEN_ENDPOINT);
	struct ringbearer_probe seen = {.size = sizeof seen};

	if (!url)
		rbr_ill(checkup, subject, RINGBEARER_E_CONFIG, "`%s` is not set; add it to %s", key,
			call->account->path);
	else if (!grant->ops.probe)
		rbr_unchecked(checkup, subject, "the grant `%s` has no way to look", grant->name);
	else if (rbr_loader_check(checkup->context, grant->name, grant->ops.probe(call, key, &seen)) < 0)
		rbr_ill_by_error(checkup, subject, NULL);
	else
		tell(checkup, subject, is_plain(url), &seen);
}

void
rbr_check_endpoint(struct rbr_checkup *checkup, struct rbr_account *account, struct rbr_done *done)
{
	const char *issuer = rbr_account_get(account, RBR_KEY_ISSUER);
	bool asked = issuer && !rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT);
	char text[TEXT_MAX], subject[SUBJECT_MAX];
	struct ringbearer_call call;
	struct rbr_grant grant;
	int rc;

	name_way(account, text);
	if (rbr_loader_grant(checkup->context, rbr_account_get(account, RBR_KEY_GRANT), &grant) < 0 ||
		!(grant.ops.needs & (RINGBEARER_NEEDS_CLIENT_SECRET | RINGBEARER_NEEDS_REFRESH_TOKEN)))
		return;
	if (rbr_done_before(done, text)) {
		(void)!rbr_discovery_recall(account, &checkup->context->error);
		return;
	}
	rbr_call_start(&call, checkup->context, account, false);
	if (asked) {
		name_subject(issuer, subject);
		rc = rbr_discovery_apply(&call, &grant, account, RBR_KEY_TOKEN_ENDPOINT, RBR_FRESH);
		if (rc < 0) {
			rbr_ill_by_error(checkup, subject, NULL);
			rbr_call_end(&call);
			return;
		}
		rbr_well(checkup, subject, "the issuer says where its endpoints are");
	}
	name_subject(rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT) ? rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT)
								      : "endpoint",
		subject);
	probe(checkup, &call, &grant, subject);
	rbr_call_end(&call);
}
