/* SPDX-License-Identifier: MIT */
/*
 * systemd: the service manager connects to a socket to read a credential for a unit, and sends nothing. Who asks for what
 * stands in the address that it has bound; the answer is the bare token, since the bytes become the file's.
 */
#include "config.h"

#include "systemd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "accounts/account.h"
#include "accounts/keys.h"
#include "commands/command.h"
#include "renewal/broker.h"

#define COOKIE_DIGITS_MAX 16

bool
rbr_unit_request_parse(const char *address, size_t size, struct rbr_unit_request *ret_request)
{
	static const char between[] = "/unit/";
	char text[sizeof(struct sockaddr_un)];
	size_t digits, unit;

	if (size < 2 || size > sizeof text || address[0] != '\0' || memchr(address + 1, '\0', size - 1))
		return false;
	memcpy(text, address + 1, size - 1);
	text[size - 1] = '\0';
	digits = strspn(text, "0123456789abcdef");
	if (digits == 0 || digits > COOKIE_DIGITS_MAX || strncmp(text + digits, between, sizeof between - 1) != 0)
		return false;
	address = text + digits + sizeof between - 1;
	unit = strspn(address, RBR_UNIT_CHARACTERS);
	if (unit == 0 || address[unit] != '/' || address[unit + 1] == '\0' || strchr(address + unit + 1, '/'))
		return false;
	(void)snprintf(ret_request->unit, sizeof ret_request->unit, "%.*s", (int)unit, address);
	(void)snprintf(ret_request->credential, sizeof ret_request->credential, "%s", address + unit + 1);
	return true;
}

bool
rbr_unit_is_allowed(const char *allowed, const char *unit)
{
	const char *at = strchr(unit, '@'), *type = strrchr(unit, '.');
	size_t prefix = at ? (size_t)(at + 1 - unit) : 0;

	if (strcmp(allowed, unit) == 0)
		return true;
	return at && type && type > at && strncmp(allowed, unit, prefix) == 0 && strcmp(allowed + prefix, type) == 0;
}

/* Only the system's service manager, or the user's own, may say which unit asks. */
static int
check_peer(struct rbr_context *context)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"standard input is no socket; systemd runs this, see ringbearer(1)");
	if (peer.uid != 0 && peer.uid != geteuid())
		return rbr_fail(&context->error, RINGBEARER_E_FORBIDDEN,
			"user %u has connected; only root and user %u may", (unsigned)peer.uid, (unsigned)geteuid());
	return 0;
}

static int
identify(struct rbr_context *context, struct rbr_unit_request *ret_request)
{
	struct sockaddr_un address = {.sun_family = AF_UNSPEC};
	socklen_t size = sizeof address;
	int rc = check_peer(context);

	if (rc < 0)
		return rc;
	if (getpeername(STDIN_FILENO, (struct sockaddr *)&address, &size) < 0)
		return rbr_fail(
			&context->error, RINGBEARER_E_SYSTEM, "who has connected cannot be told: %s", strerror(errno));
	if (address.sun_family != AF_UNIX || size <= offsetof(struct sockaddr_un, sun_path) ||
		!rbr_unit_request_parse(address.sun_path, size - offsetof(struct sockaddr_un, sun_path), ret_request))
		return rbr_fail(&context->error, RINGBEARER_E_MALFORMED_REQUEST,
			"no service manager has connected; use the socket in LoadCredential= only");
	return 0;
}

static int
check_unit(struct rbr_context *context, const struct rbr_account *account, const char *unit)
{
	const struct rbr_value *value;
	size_t i;

	for (i = 0; (value = rbr_account_value(account, RBR_KEY_ALLOW_UNIT, i)); i++)
		if (rbr_unit_is_allowed(value->text, unit))
			return 0;
	return rbr_fail(&context->error, RINGBEARER_E_FORBIDDEN,
		"the unit %s may not have a token; add `allow_unit = %s` to the account if it should", unit, unit);
}

static int
answer(struct rbr_context *context, const char *account)
{
	RBR_CLEANUP(rbr_request_wipe) struct rbr_request request = RBR_REQUEST_EMPTY;
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential credential = RBR_CREDENTIAL_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	int rc = rbr_message_add(&request.message, "account", account);

	if (rc == 0)
		rc = rbr_request_understand(&request, &context->error);
	if (rc == 0)
		rc = rbr_broker_answer(context, &request, RBR_IF_NEEDED, &wish, &credential);
	if (rc < 0)
		return rc;
	return rbr_secret_append_string(&out, credential.token) < 0 ? rbr_fail_memory(&context->error)
								    : rbr_output(context, &out);
}

int
rbr_command_systemd(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	static const struct option none[] = {{NULL, 0, NULL, 0}};
	struct rbr_unit_request request;
	int rc = 0;

	if (rbr_option(context, argc, argv, none) != -1)
		return RINGBEARER_E_USAGE;
	rc = rbr_no_argument(context, argc, argv);
	if (rc == 0)
		rc = identify(context, &request);
	if (rc < 0)
		return rc;
	rc = rbr_account_check_name(request.credential, &context->error);
	if (rc < 0)
		return rc;
	(void)snprintf(context->account, sizeof context->account, "%.*s", RBR_ACCOUNT_NAME_MAX, request.credential);
	rc = rbr_account_load(context->account, &account, &context->error);
	if (rc == 0)
		rc = check_unit(context, &account, request.unit);
	return rc < 0 ? rc : answer(context, account.name);
}
