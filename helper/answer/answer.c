/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "answer.h"

#include <stdio.h>

#include "cli/ask.h"
#include "renewal/broker.h"
#include "renewal/inference.h"
#include "vault/storage.h"

/* For a place without an account: what git had stored. */
static int
answer_from_storage(struct rbr_context *context, const struct rbr_request *request)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	int rc = rbr_storage_get(context, request, &out);

	return rc < 0 ? rc : rbr_output(context, &out);
}

int
rbr_answer(struct rbr_context *context, const struct rbr_request *request)
{
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	int rc;

	context->in_background = true;
	rc = rbr_broker_answer(context, request, RBR_IF_NEEDED, &wish, &credential);

	(void)snprintf(context->account, sizeof context->account, "%s", wish.account);
	if (rc == RINGBEARER_E_NO_ACCOUNT && !request->account && request->format->write == rbr_format_git)
		return answer_from_storage(context, request);
	if (rc == 0 && request->format->one_way)
		rbr_inference_apply(context, &wish, &credential);
	if (rc == 0)
		rc = rbr_hand_out(context, request, &credential);
	if (rc == 0 && request->format->one_way)
		context->unfinished = 0; /* the person was warned, and the answer is good */
	if (rc == 0)
		rbr_broker_renew_ahead(context, &wish, &credential);
	return rc;
}
