/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "password.h"

#include <string.h>
#include <strings.h>

static bool
has_secret(const struct rbr_message *message)
{
	return (rbr_message_get(message, "username") && rbr_message_get(message, "password")) ||
		(rbr_message_get(message, "authtype") && rbr_message_get(message, "credential"));
}

static bool
is_yes(const char *text) /* as git reads it */
{
	static const char *const noes[] = {"", "0", "false", "no", "off"};
	size_t i;

	for (i = 0; text && i < RBR_ARRAY_SIZE(noes); i++)
		if (strcasecmp(text, noes[i]) == 0)
			return false;
	return text;
}

/* 0: never. */
static int64_t
expiry_of(const struct rbr_message *message)
{
	return rbr_message_get_number(message, "password_expiry_utc", 0);
}

static bool
has_expired(const struct rbr_message *message, int64_t now)
{
	return expiry_of(message) > 0 && expiry_of(message) <= now;
}

/* Copies those of KEYS (NULL ends them) that FROM has. */
static int
pick(const struct rbr_message *from, const char *const *keys, struct rbr_message *to)
{
	int rc = 0;

	for (; rc == 0 && *keys; keys++)
		if (rbr_message_get(from, *keys))
			rc = rbr_message_add(to, *keys, rbr_message_get(from, *keys));
	return rc;
}

int
rbr_password_pack(const struct rbr_message *message, int64_t now, struct ringbearer_secret *ret_value)
{
	static const char *const keys[] = {
		"username", "password", "authtype", "credential", "oauth_refresh_token", NULL};
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message packed = RBR_MESSAGE_EMPTY;
	int rc;

	if (!has_secret(message) || is_yes(rbr_message_get(message, "ephemeral")) || has_expired(message, now))
		return RINGBEARER_E_NO_SECRET;
	rc = pick(message, keys, &packed);
	if (rc == 0 && expiry_of(message) > 0)
		rc = rbr_message_add_number(&packed, "password_expiry_utc", expiry_of(message));
	return rc < 0 ? rc : rbr_message_format(&packed, ret_value);
}

int
rbr_password_parse(const struct ringbearer_secret *value, struct rbr_message *ret_message, struct rbr_error *error)
{
	int rc = rbr_message_parse(ret_message, rbr_secret_string(value), value->size, RBR_DIALECT_WIRE,
		"the keyring's item", RINGBEARER_E_STORE_UNAVAILABLE, error);

	if (rc == 0 && !has_secret(ret_message))
		return rbr_fail(error, RINGBEARER_E_STORE_UNAVAILABLE,
			"the keyring's item is not one that ringbearer wrote; remove it in the keyring's viewer");
	return rc;
}

int
rbr_password_unpack(const struct ringbearer_secret *value, const char *username, bool authtype, int64_t now,
	struct ringbearer_secret *out, enum rbr_answerable *ret_fit, struct rbr_error *error)
{
	static const char *const whole[] = {"username", "password", "password_expiry_utc", "oauth_refresh_token", NULL};
	static const char *const scheme[] = {"authtype", "credential", "username", "password_expiry_utc", NULL};
	static const char *const rest[] = {"username", "oauth_refresh_token", NULL};
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message stored = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message answer = RBR_MESSAGE_EMPTY;
	enum rbr_answerable fit = RBR_ANSWERS_NOT;
	const char *owner;
	int rc = rbr_password_parse(value, &stored, error);

	if (rc < 0)
		return rc;
	owner = rbr_message_get(&stored, "username");
	if (username && strcmp(username, owner ? owner : "") != 0) {
		/* somebody else's */
	} else if (has_expired(&stored, now)) {
		if (rbr_message_get(&stored, "oauth_refresh_token")) {
			fit = RBR_ANSWERS_PARTLY;
			rc = pick(&stored, rest, &answer);
		}
	} else if (authtype && rbr_message_get(&stored, "credential")) {
		fit = RBR_ANSWERS;
		rc = rbr_message_add(&answer, "capability[]", "authtype");
		if (rc == 0)
			rc = pick(&stored, scheme, &answer);
	} else if (rbr_message_get(&stored, "password")) {
		fit = RBR_ANSWERS;
		rc = pick(&stored, whole, &answer);
	}
	if (rc == 0)
		rc = rbr_message_format(&answer, out);
	if (rc < 0)
		return rbr_fail_memory(error);
	*ret_fit = fit;
	return 0;
}
