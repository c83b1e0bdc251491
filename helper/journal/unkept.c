/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unkept.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "person/log.h"
#include "protocol/cache.h"
#include "protocol/memory.h"

#define USUAL_TOKEN 4096
#define PROBE_SECONDS 1

/* One line for a run, whichever comes first. */
static void
say(struct rbr_context *context, const char *account, const char *consequence)
{
	char folder[RBR_MEMORY_PATH_MAX];
	const char *reason = rbr_memory_folder(folder) ? "no room" : strerror(errno);

	if (context->said_unkept)
		return;
	context->said_unkept = true;
	rbr_warn(context, account,
		"neither the kernel's keyring nor a folder in memory (%s: %s) can keep anything more: %s; give this user room in "
		"/dev/shm or a /run/user/%u, both on tmpfs",
		folder, reason, consequence, geteuid());
}

void
rbr_unkept_token(struct rbr_context *context, const char *account)
{
	say(context, account, "tokens are not cached, each call asks the service for another");
}

void
rbr_unkept_rotation(struct rbr_context *context, const char *account)
{
	say(context, account,
		"the renewal is not protected, if it is cut off the login may be lost; and tokens are not cached");
}

void
rbr_unkept_check(struct rbr_context *context)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;
	char text[USUAL_TOKEN];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	if (rbr_cache_key_add(&key, "probe") < 0 || rbr_message_add(&record, "text", text) < 0)
		return;
	if (rbr_cache_write(&key, &record, PROBE_SECONDS))
		rbr_cache_drop(&key);
	else
		say(context, NULL, "tokens are not cached, and a renewal that is cut off may lose its login");
}
