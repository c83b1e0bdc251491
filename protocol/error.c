/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	int exit_status;
	const char *name;
	const char *advice;
} vocabulary[] = {
	{RINGBEARER_OK, 0, "ok", ""},
	{RINGBEARER_E_NO_ACCOUNT, 1, "no_account", "see `ringbearer list`, or make one with `ringbearer add`"},
	{RINGBEARER_E_AMBIGUOUS_ACCOUNT, 1, "ambiguous_account", "name the account, or give each a `username`"},
	{RINGBEARER_E_USAGE, 2, "usage", "see `ringbearer help`"},
	{RINGBEARER_E_MALFORMED_REQUEST, 2, "malformed_request", "see ringbearer-protocol(7)"},
	{RINGBEARER_E_LOGIN_REQUIRED, 3, "login_required", "a person must consent again"},
	{RINGBEARER_E_STORE_LOCKED, 4, "store_locked", "unlock the keyring and try again"},
	{RINGBEARER_E_STORE_DISMISSED, 4, "store_dismissed", "try again and answer the keyring's prompt"},
	{RINGBEARER_E_STORE_UNAVAILABLE, 4, "store_unavailable", "start a session with a keyring service"},
	{RINGBEARER_E_NO_SECRET, 4, "no_secret", "give it with `ringbearer secret ACCOUNT`"},
	{RINGBEARER_E_NETWORK, 5, "network", "check the connection and try again"},
	{RINGBEARER_E_TEMPORARILY_UNAVAILABLE, 5, "temporarily_unavailable", "try again later"},
	{RINGBEARER_E_BUSY, 5, "busy", "try again later"},
	{RINGBEARER_E_ROTATION_UNCERTAIN, 5, "rotation_uncertain", "try `ringbearer refresh ACCOUNT`"},
	{RINGBEARER_E_CLIENT_REJECTED, 6, "client_rejected", "replace the secret with `ringbearer secret ACCOUNT`"},
	{RINGBEARER_E_ACCESS_DENIED, 6, "access_denied", "ask the service's administrator"},
	{RINGBEARER_E_INSUFFICIENT_SCOPE, 6, "insufficient_scope", "ask for a scope that the account may have"},
	{RINGBEARER_E_FORBIDDEN, 6, "forbidden", "ask the service's administrator"},
	{RINGBEARER_E_CONFIG, 7, "config", "see `ringbearer show ACCOUNT`"},
	{RINGBEARER_E_MODULE, 7, "module", "install the package that brings the module"},
	{RINGBEARER_E_TLS, 7, "tls", "set `ca_file` if the server uses an authority of its own"},
	{RINGBEARER_E_MALFORMED_RESPONSE, 8, "malformed_response", "check the endpoint and ask the service's support"},
	{RINGBEARER_E_SYSTEM, 5, "system", "try again"},
};

static size_t
place(int code)
{
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(vocabulary); i++)
		if (vocabulary[i].code == code)
			return i;
	return RBR_ARRAY_SIZE(vocabulary) - 1;
}

const char *
ringbearer_version(void)
{
	return PACKAGE_VERSION;
}

const char *
ringbearer_error_name(int code)
{
	return vocabulary[place(code)].name;
}

int
ringbearer_error_exit_status(int code)
{
	return vocabulary[place(code)].exit_status;
}

const char *
ringbearer_error_advice(int code)
{
	return vocabulary[place(code)].advice;
}

int
rbr_error_from_name(const char *name)
{
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(vocabulary); i++)
		if (strcmp(vocabulary[i].name, name) == 0)
			return vocabulary[i].code;
	return RINGBEARER_E_SYSTEM;
}

int
rbr_fail(struct rbr_error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return code;
	error->code = code;
	va_start(arguments, format);
	if (vsnprintf(error->detail, sizeof error->detail, format, arguments) < 0)
		error->detail[0] = '\0';
	va_end(arguments);
	rbr_sanitize(error->detail);
	return code;
}

int
rbr_fail_memory(struct rbr_error *error)
{
	return rbr_fail(error, RINGBEARER_E_SYSTEM, "out of memory");
}
