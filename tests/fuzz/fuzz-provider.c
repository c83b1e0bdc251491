/* SPDX-License-Identifier: MIT */
/*
 * What `{tenant}` and its like become in a provider's values. The input's lines are the account's tenant and client_id and
 * the provider's tenant_domain; the last is a path. Whatever they are, the end of a host's name is the provider's.
 *
 *    link: -Wl,--wrap=rbr_provider_load
 */
#include "config.h"

#include "accounts/account.h"
#include "accounts/provider.h"
#include "fuzz.h"
#include "protocol/fastpath/url.h"

#define LINES 4
#define DOMAIN ".auth.example.com"

static char *lines[LINES];

int __wrap_rbr_provider_load(const char *name, struct rbr_provider *ret_provider, struct rbr_error *error);

int
__wrap_rbr_provider_load(const char *name, struct rbr_provider *ret_provider, struct rbr_error *error)
{
	struct ringbearer_secret path = RBR_SECRET_EMPTY;
	int rc = rbr_secret_append_string(&path, "https://api.example.com/");

	(void)name;
	strcpy(ret_provider->path, "provider");
	if (rc == 0)
		rc = rbr_secret_append_string(&path, lines[3]);
	if (rc == 0 && lines[2][0] != '\0')
		rc = rbr_message_add(&ret_provider->lines, "tenant_domain", lines[2]);
	if (rc == 0)
		rc = rbr_message_add(&ret_provider->lines, "token_endpoint", "https://{tenant}" DOMAIN "/{client_id}");
	if (rc == 0)
		rc = rbr_message_add(&ret_provider->lines, "revocation_endpoint", "https://{tenant}/revoke");
	if (rc == 0)
		rc = rbr_message_add(&ret_provider->lines, "device_authorization_endpoint", rbr_secret_string(&path));
	rbr_secret_wipe(&path);
	return rc < 0 ? rbr_fail(error, RINGBEARER_E_CONFIG, "provider: no such line") : 0;
}

static bool
ends_with(const char *text, const char *tail)
{
	size_t size = strlen(text), tail_size = strlen(tail);

	return size > tail_size && strcasecmp(text + size - tail_size, tail) == 0;
}

/* Is HOST what TEXT begins with up to one of END? A dot at its end is not kept. */
static bool
is_host_of(const char *host, const char *text, const char *end)
{
	size_t size = strcspn(text, end);

	return strncasecmp(host, text, size > 0 && text[size - 1] == '.' ? size - 1 : size) == 0;
}

static void
check_hosts(const struct rbr_account *account)
{
	const char *tenant = rbr_account_get(account, RBR_KEY_TENANT);
	char domain[RBR_URL_MAX];
	struct rbr_url url;

	FUZZ_EXPECT(ends_with(
		rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT), rbr_account_get(account, RBR_KEY_CLIENT_ID)));
	FUZZ_EXPECT(rbr_url_parse(&url, rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT), "it", NULL) == 0);
	FUZZ_EXPECT(ends_with(url.host, DOMAIN) && url.username[0] == '\0' && url.port == 443);
	FUZZ_EXPECT(rbr_url_parse(&url, rbr_account_get(account, RBR_KEY_REVOCATION_ENDPOINT), "it", NULL) == 0);
	FUZZ_EXPECT(is_host_of(url.host, tenant, ":"));
	if (lines[2][0] != '\0' && !strpbrk(tenant, ".:")) {
		(void)snprintf(domain, sizeof domain, "%s.%s", tenant, lines[2]);
		FUZZ_EXPECT(is_host_of(url.host, domain, ":/?#"));
	}
	FUZZ_EXPECT(
		rbr_url_parse(&url, rbr_account_get(account, RBR_KEY_DEVICE_AUTHORIZATION_ENDPOINT), "it", NULL) == 0);
	FUZZ_EXPECT(strcmp(url.host, "api.example.com") == 0);
}

FUZZ_UP_TO(3 * RBR_LINE_MAX)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct rbr_error error = {0};
	char *text = fuzz_string(data, size), *at = text;
	size_t i;
	int rc;

	for (i = 0; i < LINES; i++) {
		lines[i] = at;
		at += strcspn(at, "\n");
		if (*at != '\0')
			*at++ = '\0';
	}
	rc = rbr_message_add(&message, "provider", "fuzzed");
	if (rc == 0)
		rc = rbr_message_add(&message, "grant", "device_code");
	if (rc == 0)
		rc = rbr_message_add(&message, "tenant", lines[0]);
	if (rc == 0)
		rc = rbr_message_add(&message, "client_id", lines[1]);
	if (rc == 0) {
		rc = rbr_account_assemble("fuzzed", &message, "it", &account, &error);
		FUZZ_EXPECT(rc == 0 || (rc == RINGBEARER_E_CONFIG && account.count == 0 && error.detail[0] != '\0'));
		FUZZ_EXPECT(fuzz_is_printable(error.detail));
		if (rc == 0)
			check_hosts(&account);
	}
	rbr_account_wipe(&account);
	rbr_message_wipe(&message);
	free(text);
	return 0;
}
