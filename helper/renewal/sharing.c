/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sharing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "journal/rotation.h"
#include "person/log.h"
#include "records.h"
#include "vault/shared.h"

#define LINE_SIZE 256
#define TIME_SIZE 32
#define PAUSE_SECONDS 60
#define RESUME_MS (2 * 1000)

struct telling {
	const struct rbr_shared *shared;
	ringbearer_store_teller tell;
	void *data;
	struct rbr_holder here;
};

bool
rbr_sharing_is_on(const struct rbr_vault *vault)
{
	const char *grant = rbr_account_get(vault->call->account, RBR_KEY_GRANT);

	return rbr_shared_is_possible(vault) && grant && strcmp(grant, "client_credentials") != 0 &&
		strcmp(grant, "api_key") != 0;
}

static const char *
show_time(int64_t seconds, char text[TIME_SIZE])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (!localtime_r(&when, &parts) || strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		(void)snprintf(text, TIME_SIZE, "%" PRId64, seconds);
	return text;
}

static const char *
whose(const struct telling *telling, const struct rbr_holder *holder)
{
	return rbr_holder_is_here(holder, &telling->here) ? " (this machine)" : "";
}

static void
tell_lease(const struct telling *telling)
{
	char line[LINE_SIZE], when[TIME_SIZE];
	struct rbr_holder holder;

	if (telling->shared->view.lease == 0)
		(void)snprintf(line, sizeof line, "nobody has it");
	else if (rbr_record_read_holder(telling->shared->view.holder, &holder))
		(void)snprintf(line, sizeof line, "%s%s since %s", holder.host, whose(telling, &holder),
			show_time(holder.since, when));
	else
		(void)snprintf(line, sizeof line, "somebody has it");
	telling->tell("lease", line, telling->data);
}

static void
tell_mark(const struct telling *telling)
{
	char line[LINE_SIZE], when[TIME_SIZE];
	struct rbr_mark mark;

	if (!rbr_record_read_mark(rbr_shared_record(telling->shared, RBR_RECORD_MARK), &mark))
		return;
	(void)snprintf(line, sizeof line, "%s%s sent the refresh token at %s, and its answer is not in the store",
		mark.by.host, whose(telling, &mark.by), show_time(mark.by.since, when));
	telling->tell("on its way", line, telling->data);
}

static void
tell_records(const struct telling *telling)
{
	const struct ringbearer_view *view = &telling->shared->view;
	char line[LINE_SIZE];
	int tokens = 0, verdicts = 0;
	size_t i;

	for (i = 0; i < view->record_count; i++) {
		tokens += strncmp(view->records[i].name, "token-", 6) == 0;
		verdicts += strncmp(view->records[i].name, "verdict-", 8) == 0;
	}
	(void)snprintf(line, sizeof line, "%d access token%s, %d refusal%s", tokens, tokens == 1 ? "" : "s", verdicts,
		verdicts == 1 ? "" : "s");
	telling->tell("shared", line, telling->data);
	if (rbr_shared_record(telling->shared, RBR_RECORD_DEAD))
		telling->tell("ended", "the service has refused the refresh token for good", telling->data);
}

static int
tell_parked(const struct telling *telling)
{
	RBR_CLEANUP(rbr_rotation_end) struct rbr_rotation rotation = {.signals_held = false};
	struct ringbearer_call *call = telling->shared->vault->call;
	int rc = rbr_rotation_start(&rotation, call->context, call->account, telling->shared->binding.endpoint);

	if (rc == 0 && rbr_rotation_is_parked(&rotation))
		telling->tell(
			"parked here", "an answer waits in this machine's memory for the next run", telling->data);
	return rc;
}

int
rbr_sharing_tell(struct rbr_vault *vault, ringbearer_store_teller tell, void *data)
{
	RBR_CLEANUP(rbr_shared_end) struct rbr_shared shared = {.vault = NULL};
	struct telling telling = {.shared = &shared, .tell = tell, .data = data};
	char line[LINE_SIZE];
	int rc = rbr_shared_start(&shared, vault);

	if (rc == 0)
		rc = rbr_shared_look(&shared);
	if (rc < 0)
		return rc;
	rbr_holder_here(vault->call->context, vault->call->account, &telling.here);
	if (shared.view.version == 0)
		(void)snprintf(line, sizeof line, "none: nobody has logged in");
	else
		(void)snprintf(line, sizeof line, "%" PRId64, shared.view.version);
	tell("version", line, data);
	tell_lease(&telling);
	tell_mark(&telling);
	tell_records(&telling);
	return tell_parked(&telling);
}

static int
offer(const struct rbr_exchange *exchange, struct rbr_shared *shared, const struct rbr_record_names *names)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	const struct ringbearer_secret *brought = exchange->tokens.refresh_token, *kept;
	struct ringbearer_record record = {.name = names->token, .value = &text};
	struct ringbearer_change change = {.size = sizeof change, .record_count = 1, .records = &record};
	int rc = rbr_record_write_token(exchange, names, &text, &record.seconds);

	if (rc == 0)
		rc = rbr_shared_look(shared);
	kept = shared->view.value;
	if (rc < 0 || !kept || !rbr_secret_equal(kept->data, kept->size, brought->data, brought->size))
		return rc; /* somebody has renewed already */
	change.if_version = shared->view.version;
	return rbr_shared_change(shared, &change);
}

void
rbr_sharing_offer(struct rbr_exchange *exchange)
{
	RBR_CLEANUP(rbr_shared_end) struct rbr_shared shared = {.vault = NULL};
	RBR_CLEANUP(rbr_record_names_wipe) struct rbr_record_names names = {.token = ""};
	struct rbr_context *context = exchange->call.context;
	const struct rbr_error before = context->error;

	if (!exchange->vault_open || !exchange->tokens.refresh_token || !rbr_shared_is_possible(&exchange->vault))
		return;
	if (rbr_record_names(exchange->call.account, &names) < 0 || rbr_shared_start(&shared, &exchange->vault) < 0 ||
		offer(exchange, &shared, &names) < 0)
		rbr_trace(context, "the token was not shared: %s", context->error.detail);
	context->error = before;
}

/* -- carrying it away -- */

static int
fail_paused(const struct rbr_shared *shared, const char *host)
{
	return rbr_fail(&shared->vault->call->context->error, RINGBEARER_E_BUSY,
		"the machine %s is renewing this login; nothing was changed, try again", host);
}

/* Who was cut off has the next refresh token, if anybody has. */
static int
check_mark(const struct rbr_shared *shared, const struct rbr_holder *here)
{
	const char *name = shared->vault->call->account->name;
	struct rbr_mark mark;

	if (!rbr_record_read_mark(rbr_shared_record(shared, RBR_RECORD_MARK), &mark) ||
		rbr_holder_is_here(&mark.by, here))
		return 0;
	return rbr_fail(&shared->vault->call->context->error, RINGBEARER_E_BUSY,
		"the machine %s was cut off while it renewed this login; run `ringbearer refresh %s` there, or, if it is gone, here, and "
		"then try again",
		mark.by.host, name);
}

int
rbr_sharing_pause(struct rbr_vault *vault, struct rbr_shared *shared)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	struct rbr_holder here, holder = {.host = "that has the lease"};
	int64_t own = 0;
	int rc;

	if (!rbr_sharing_is_on(vault))
		return 0;
	rc = rbr_shared_start(shared, vault);
	if (rc == 0)
		rc = rbr_shared_look(shared);
	if (rc < 0)
		return rc;
	rbr_holder_here(vault->call->context, vault->call->account, &here);
	if (rbr_record_write_holder(&here, &text) < 0)
		return rbr_fail_memory(&vault->call->context->error);
	if (rbr_record_read_holder(shared->view.holder, &holder) && rbr_holder_is_here(&holder, &here))
		own = shared->view.lease; /* of a run that has died: the machine's lock is the caller's */
	rc = rbr_shared_take(shared, rbr_secret_string(&text), PAUSE_SECONDS, own, NULL);
	if (rc == RINGBEARER_E_BUSY) {
		(void)rbr_record_read_holder(shared->view.holder, &holder);
		return fail_paused(shared, holder.host);
	}
	return rc < 0 ? rc : check_mark(shared, &here);
}

int
rbr_sharing_check(struct rbr_shared *shared)
{
	int rc = shared->lease != 0 ? rbr_shared_hold(shared, shared->lasts_ms + 1) : 0;

	return rc == RINGBEARER_E_BUSY ? fail_paused(shared, "that waited for it") : rc;
}

void
rbr_sharing_resume(struct rbr_shared *shared)
{
	struct ringbearer_change change = {.size = sizeof change, .if_lease = shared->lease, .release = true};
	struct ringbearer_call *call = shared->vault ? shared->vault->call : NULL;
	struct rbr_error before;

	if (call && shared->lease != 0) {
		before = call->context->error;
		call->deadline_ms = rbr_now_ms() + RESUME_MS;
		if (rbr_shared_change(shared, &change) < 0)
			rbr_trace(call->context, "the lease was not given back: %s", call->context->error.detail);
		call->context->error = before;
	}
	rbr_shared_end(shared);
}
