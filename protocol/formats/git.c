/* SPDX-License-Identifier: MIT */
/*
 * git's credential protocol. A caller that announced `authtype` (git 2.46 and later) gets the token under its own
 * scheme, unless the server takes only Basic; an older one gets it as the password, with a user name, since it would ask for
 * one otherwise. `ephemeral` has the caller's other helpers not keep it.
 */
#include "config.h"

#include "formats.h"

#include <inttypes.h>
#include <stdio.h>

#define USERNAME_DEFAULT "oauth2"

static int
write_bearer(const struct rbr_credential *credential, struct rbr_message *message)
{
	int rc = rbr_message_add(message, "authtype", credential->type);

	return rc < 0 ? rc : rbr_message_add(message, "credential", credential->token);
}

static int
write_password(const struct rbr_answer *answer, struct rbr_message *message)
{
	const char *username = answer->credential->username ? answer->credential->username : answer->username;
	int rc = rbr_message_add(message, "username", username ? username : USERNAME_DEFAULT);

	return rc < 0 ? rc : rbr_message_add(message, "password", answer->credential->token);
}

/* git (2.46 and later) reports a refused token and gives up, unless it was told that the answer may be one of several: then it
 * comes back within the same command and brings `state[]` along, which says which token was refused. Once; a second token
 * that is refused is reported. */
static int
write_state(const struct rbr_answer *answer, struct rbr_message *message)
{
	char state[sizeof RBR_STATE_PREFIX + 20];
	int rc = rbr_message_add(message, "capability[]", "state");

	(void)snprintf(state, sizeof state, RBR_STATE_PREFIX "%" PRId64, answer->credential->obtained_ms);
	if (rc == 0)
		rc = rbr_message_add(message, "state[]", state);
	return rc < 0 || answer->again ? rc : rbr_message_add(message, "continue", "1");
}

int
rbr_format_git(const struct rbr_answer *answer, struct ringbearer_secret *out)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;
	const struct rbr_credential *credential = answer->credential;
	int rc = answer->authtype ? rbr_message_add(&message, "capability[]", "authtype") : 0;

	if (rc == 0)
		rc = answer->authtype && !answer->basic ? write_bearer(credential, &message)
							: write_password(answer, &message);
	if (rc == 0 && answer->authtype)
		rc = rbr_message_add(&message, "ephemeral", "1");
	if (rc == 0 && answer->keeps_state && credential->obtained_ms > 0)
		rc = write_state(answer, &message);
	if (rc == 0 && credential->expires != 0)
		rc = rbr_message_add_number(&message, "password_expiry_utc", credential->expires);
	if (rc == 0)
		rc = rbr_message_add(&message, "account", credential->account);
	if (rc == 0 && answer->authtype && !answer->basic && credential->username)
		rc = rbr_message_add(&message, "username", credential->username);
	if (rc == 0 && credential->scope)
		rc = rbr_message_add(&message, "scope", credential->scope);
	return rc < 0 ? RINGBEARER_E_SYSTEM : rbr_message_format(&message, out);
}
