/* SPDX-License-Identifier: MIT */
/* `list`: the accounts and how they stand, from files and the kernel keyring alone: no secret is looked up. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "account.h"
#include "command.h"
#include "names.h"
#include "protocol/formats/formats.h"
#include "renewal.h"
#include "verdict.h"

struct standing {
	const char *name;
	const char *provider;
	const char *grant;
	const char *state; /* "valid", "none", "refused" or "broken" */
	int64_t expires; /* 0: not known */
	int64_t left;
	const char *detail; /* why it is refused or broken */
};

/* What the cache says of the account's own token. */
static void
consult_cache(struct rbr_context *context, const char *name, struct standing *standing)
{
	static const struct rbr_request any = {.min_valid = 0};
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;

	wish.request = &any;
	(void)snprintf(wish.account, sizeof wish.account, "%s", name);
	standing->state = "none";
	if (rbr_account_locate(name, &wish.located, &context->error) < 0 || rbr_wish_make_keys(&wish, NULL) < 0)
		return;
	if (rbr_wish_recall(context, &wish, &credential)) {
		standing->state = "valid";
		standing->expires = credential.expires;
		standing->left = rbr_credential_remaining(&credential, rbr_clock_now());
	} else if (rbr_verdict_recall(context, &wish.verdict_key, context->started_ms, true) < 0) {
		standing->state = "refused";
		standing->detail = context->error.detail;
	}
}

static void
print_line(const struct standing *standing)
{
	char state[64];

	if (strcmp(standing->state, "valid") == 0 && standing->expires != 0)
		(void)snprintf(state, sizeof state,
			standing->left < 120 ? "valid for %" PRId64 " s" : "valid for %" PRId64 " min",
			standing->left < 120 ? standing->left : standing->left / 60);
	else if (strcmp(standing->state, "none") == 0)
		(void)snprintf(state, sizeof state, "no token yet");
	else
		(void)snprintf(state, sizeof state, "%s", standing->state);
	(void)printf("%-24s %-14s %-20s %s\n", standing->name, standing->provider ? standing->provider : "-",
		standing->grant ? standing->grant : "-", state);
	if (standing->detail)
		(void)printf("    %s\n", standing->detail);
}

static int
json_member(struct ringbearer_secret *out, const char *name, const char *value)
{
	int rc = rbr_json_string(out, name);

	if (rc == 0)
		rc = rbr_secret_append(out, ":", 1);
	if (rc == 0)
		rc = value ? rbr_json_string(out, value) : rbr_secret_append(out, "null", 4);
	return rc < 0 ? rc : rbr_secret_append(out, ",", 1);
}

static int
print_json(struct ringbearer_secret *out, const struct standing *standing)
{
	char number[48];
	int rc = rbr_secret_append_string(out, out->size > 1 ? ",\n {" : "\n {");

	if (rc == 0)
		rc = json_member(out, "account", standing->name);
	if (rc == 0)
		rc = json_member(out, "provider", standing->provider);
	if (rc == 0)
		rc = json_member(out, "grant", standing->grant);
	if (rc == 0)
		rc = json_member(out, "state", standing->state);
	if (rc == 0 && standing->detail)
		rc = json_member(out, "detail", standing->detail);
	if (standing->expires != 0)
		(void)snprintf(number, sizeof number, "\"expires_at\":%" PRId64 "}", standing->expires);
	else
		(void)snprintf(number, sizeof number, "\"expires_at\":null}");
	return rc < 0 ? rc : rbr_secret_append_string(out, number);
}

static int
list_account(struct rbr_context *context, const char *name, bool json, struct ringbearer_secret *out)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct standing standing = {.name = name, .state = "broken"};

	if (rbr_account_load(name, &account, &context->error) < 0) {
		standing.detail = context->error.detail;
	} else {
		standing.provider = rbr_account_get(&account, RBR_KEY_PROVIDER);
		standing.grant = rbr_account_get(&account, RBR_KEY_GRANT);
		consult_cache(context, name, &standing);
	}
	if (json)
		return print_json(out, &standing);
	print_line(&standing);
	return 0;
}

enum { OPTION_JSON = 1 };

int
rbr_command_list(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON}, {NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	bool json = false;
	size_t i;
	int option, rc;

	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		json = true;
	}
	rc = rbr_no_argument(context, argc, argv);
	if (rc == 0)
		rc = rbr_account_visit(rbr_names_add, &names, &context->error);
	rbr_names_sort(&names);
	if (rc == 0 && json)
		rc = rbr_secret_append(&out, "[", 1);
	else if (rc == 0 && names.count > 0)
		(void)printf("%-24s %-14s %-20s %s\n", "ACCOUNT", "PROVIDER", "GRANT", "STATE");
	for (i = 0; rc == 0 && i < names.count; i++)
		rc = list_account(context, names.list[i], json, &out);
	if (rc == 0 && json)
		rc = rbr_secret_append_string(&out, "\n]\n");
	return rc < 0 ? rc : rbr_output(context, &out);
}
