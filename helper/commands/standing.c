/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "standing.h"

#include <stdio.h>

#include "journal/rotation.h"
#include "journal/verdict.h"
#include "protocol/fastpath/wish.h"
#include "protocol/formats/formats.h"
#include "renewal/sharing.h"
#include "vault/vault.h"

static void
consult_rotation(struct rbr_context *context, const struct rbr_account *account, bool *ret_pending,
	struct rbr_standing *standing)
{
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	char endpoint[RBR_BINDING_MAX];
	struct rbr_clock sent;
	int64_t sent_ms;
	bool known = rbr_vault_binding(account, RBR_KIND_REFRESH_TOKEN, endpoint, NULL) == 0 &&
		rbr_rotation_start(&rotation, context, account, endpoint) == 0;

	*ret_pending = known && rbr_rotation_recall(&rotation, &record, &sent, &sent_ms);
	standing->ended = known && standing->refresh_token != RBR_HOLDING_NONE && rbr_rotation_has_ended(&rotation);
}

void
rbr_standing_consult(struct rbr_context *context, const struct rbr_account *account, struct rbr_standing *standing)
{
	static const struct rbr_request any = {.min_valid = 0};
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	bool pending;

	wish.request = &any;
	(void)snprintf(wish.account, sizeof wish.account, "%s", account->name);
	standing->state = standing->refresh_token == RBR_HOLDING_NONE ? "needs_login" : "none";
	if (rbr_account_locate(account->name, &wish.located, &context->error) < 0 ||
		rbr_wish_make_keys(&wish, NULL) < 0)
		return;
	consult_rotation(context, account, &pending, standing);
	if (standing->ended)
		standing->detail = "the login has ended, the server refuses its refresh token; log in again";
	if (rbr_wish_recall(context, &wish, &credential)) {
		standing->state = "valid";
		standing->expires = credential.expires;
		standing->left = rbr_credential_remaining(&credential, rbr_clock_now());
	} else if (pending) {
		standing->state = "pending";
		standing->detail = "the next refresh token waits in memory; open the keyring and ask for a token";
	} else if (standing->refresh_token != RBR_HOLDING_NONE &&
		rbr_verdict_recall(context, &wish.verdict_key, context->started_ms, true) < 0) {
		standing->state = "refused";
		standing->detail = context->error.detail;
		standing->ended = standing->ended || context->error.code == RINGBEARER_E_LOGIN_REQUIRED;
	} else if (standing->ended) {
		standing->state = "needs_login";
	}
}

/* -- shared with other machines -- */

bool
rbr_standing_is_shared(struct rbr_context *context, const struct rbr_account *account)
{
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	struct rbr_vault vault;

	rbr_call_start(&call, context, account, false);
	return rbr_vault_open(&call, &vault) == 0 && rbr_sharing_is_on(&vault);
}

struct lines {
	struct ringbearer_secret *text;
	struct ringbearer_secret *json;
	int rc;
};

static void
add_line(const char *name, const char *text, void *data)
{
	struct lines *lines = data;
	int rc = lines->rc;

	if (rc == 0 && lines->text->size > 0)
		rc = rbr_secret_append_string(lines->text, "; ");
	if (rc == 0)
		rc = rbr_secret_append_string(lines->text, name);
	if (rc == 0)
		rc = rbr_secret_append_string(lines->text, ": ");
	if (rc == 0)
		rc = rbr_secret_append_string(lines->text, text);
	if (rc == 0 && lines->json && lines->json->size > 0)
		rc = rbr_secret_append(lines->json, ",", 1);
	if (rc == 0 && lines->json)
		rc = rbr_json_string(lines->json, name);
	if (rc == 0 && lines->json)
		rc = rbr_secret_append(lines->json, ":", 1);
	if (rc == 0 && lines->json)
		rc = rbr_json_string(lines->json, text);
	lines->rc = rc;
}

int
rbr_standing_shared(struct rbr_context *context, const struct rbr_account *account, int64_t milliseconds,
	struct ringbearer_secret *text, struct ringbearer_secret *json)
{
	RBR_CLEANUP(rbr_call_end) struct ringbearer_call call = {.context = NULL};
	struct lines lines = {text, json, 0};
	struct rbr_vault vault;
	int rc;

	rbr_call_start(&call, context, account, false);
	if (call.deadline_ms > rbr_now_ms() + milliseconds)
		call.deadline_ms = rbr_now_ms() + milliseconds;
	rc = rbr_vault_open(&call, &vault);
	if (rc == 0)
		rc = rbr_sharing_tell(&vault, add_line, &lines);
	return rc < 0 || lines.rc == 0 ? rc : rbr_fail_memory(&context->error);
}
