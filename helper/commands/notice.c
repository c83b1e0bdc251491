/* SPDX-License-Identifier: MIT */
/*
 * `notice`: tells the person at the desktop that an account needs a login, once until there is one, and starts it if they want.
 * Programs in the background have it run when they get no token; nobody waits for it. What it says is its own text: no
 * service has written anything of it.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts/account.h"
#include "cached.h"
#include "command.h"
#include "host/host.h"
#include "host/loader.h"
#include "journal/lock.h"
#include "needs.h"
#include "standing.h"

#define SHOWN_MS (INT64_C(24) * 3600 * 1000) /* a button that nobody has pressed by then is taken away */
#define TEXT_MAX 400

static bool
is_wanted(struct rbr_context *context, const struct rbr_account *account)
{
	return rbr_account_get(account, RBR_KEY_NOTIFY) ? rbr_account_yes(account, RBR_KEY_NOTIFY)
							: rbr_needs_login(context, account);
}

/* Has somebody logged in since this was started? */
static bool
is_over(struct rbr_context *context, const struct rbr_account *account)
{
	struct rbr_standing standing = {.name = account->name};

	rbr_standing_consult(context, account, &standing);
	return strcmp(standing.state, "valid") == 0;
}

/* Of many that come at the same time, one. */
static bool
is_first(struct rbr_context *context, const char *name)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	char lock_name[RBR_ACCOUNT_NAME_MAX + 16];

	(void)snprintf(lock_name, sizeof lock_name, "notice-%s", name);
	return rbr_lock_open(context, lock_name, &lock) == 0 && rbr_lock_try(lock) && rbr_cached_note_notice(name);
}

/* Takes the place of this program. */
static int
log_in(struct rbr_context *context, const char *name)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);

	if (size > 0) {
		path[size] = '\0';
		(void)execl(path, "ringbearer", "login", name, (char *)NULL);
	}
	return rbr_fail(
		&context->error, RINGBEARER_E_SYSTEM, "the login cannot be started; run `ringbearer login %s`", name);
}

static int
show(struct rbr_context *context, const struct rbr_account *account, bool *ret_pressed)
{
	const bool button = strcmp(rbr_account_get(account, RBR_KEY_GRANT), "authorization_code") == 0;
	struct ringbearer_message message = {
		.size = sizeof message, .title = "A login is needed", .button = button ? "Log in" : NULL};
	char text[TEXT_MAX];
	struct ringbearer_call call;
	struct rbr_notice notice;
	int rc = rbr_loader_notice(context, "desktop", &notice);

	(void)snprintf(text, sizeof text,
		"%s gets no token until somebody logs in: its login has ended, or there was none. The command: ringbearer login %s",
		account->name, account->name);
	message.text = text;
	rbr_call_start(&call, context, account, true);
	call.deadline_ms += SHOWN_MS;
	if (rc == 0 && notice.ops.show)
		rc = rbr_loader_check(context, notice.name, notice.ops.show(&call, &message, ret_pressed));
	else if (rc == 0)
		rc = rbr_fail(&context->error, RINGBEARER_E_MODULE, "the module %s shows nothing", notice.name);
	rbr_call_end(&call);
	return rc;
}

int
rbr_command_notice(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const char *name = NULL;
	bool pressed = false;
	int rc;

	if (rbr_option(context, argc, argv, options) == 0)
		return RINGBEARER_E_USAGE;
	rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0)
		rc = rbr_account_load(name, &account, &context->error);
	if (rc < 0 || !is_wanted(context, &account) || is_over(context, &account) || !is_first(context, name))
		return rc;
	rc = show(context, &account, &pressed);
	if (rc < 0)
		rbr_cached_forget_notice(name); /* nobody has seen it */
	return rc == 0 && pressed ? log_in(context, name) : rc;
}
