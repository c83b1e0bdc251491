/* SPDX-License-Identifier: MIT */
/*
 * libringbearer: access tokens for C programs. libringbearer(3) is its guide.
 *
 * The library links libc alone, has no global state, touches no signal handler and never exits. Functions that
 * can fail return 0, or a negative code of enum ringbearer_error. What is called ret_… is set on success only, unless
 * it says otherwise. Any number of threads may call at once, as long as nobody changes or frees what another uses.
 */
#ifndef RINGBEARER_H
#define RINGBEARER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define RINGBEARER_EXPORT __attribute__((visibility("default")))
#define RINGBEARER_MUST_CHECK __attribute__((warn_unused_result))
#else
#define RINGBEARER_EXPORT
#define RINGBEARER_MUST_CHECK
#endif

/*
 * The one vocabulary of errors. Each code has a name on the wire (`error=`), an exit status of the ringbearer
 * program and a line of advice; ringbearer-protocol(7) lists them all. Values are stable: new ones are
 * appended.
 */
enum ringbearer_error {
	RINGBEARER_OK = 0,
	RINGBEARER_E_NO_ACCOUNT = -1, /* no account answers this request */
	RINGBEARER_E_AMBIGUOUS_ACCOUNT = -2, /* two accounts answer it equally well */
	RINGBEARER_E_USAGE = -3, /* the command line is wrong */
	RINGBEARER_E_MALFORMED_REQUEST = -4, /* the request on standard input is wrong */
	RINGBEARER_E_LOGIN_REQUIRED = -5, /* a person must log in */
	RINGBEARER_E_STORE_LOCKED = -6, /* the keyring is locked */
	RINGBEARER_E_STORE_DISMISSED = -7, /* a person closed the keyring's prompt */
	RINGBEARER_E_STORE_UNAVAILABLE = -8, /* there is no keyring, or it does not answer */
	RINGBEARER_E_NO_SECRET = -9, /* the keyring is open and holds no such secret */
	RINGBEARER_E_NETWORK = -10, /* the server was not reached */
	RINGBEARER_E_TEMPORARILY_UNAVAILABLE = -11, /* the server asks to come back later */
	RINGBEARER_E_BUSY = -12, /* another process renews and took too long */
	RINGBEARER_E_ROTATION_UNCERTAIN = -13, /* the refresh token may have been used up */
	RINGBEARER_E_CLIENT_REJECTED = -14, /* the server does not accept the client (invalid_client) */
	RINGBEARER_E_ACCESS_DENIED = -15, /* a person or the server said no */
	RINGBEARER_E_INSUFFICIENT_SCOPE = -16, /* the token cannot have a scope that was asked for */
	RINGBEARER_E_FORBIDDEN = -17, /* refused for this address or user (HTTP 403 and kin) */
	RINGBEARER_E_CONFIG = -18, /* a configuration file or value is wrong */
	RINGBEARER_E_MODULE = -19, /* a module is missing or does not fit */
	RINGBEARER_E_TLS = -20, /* the server's certificate is not trusted */
	RINGBEARER_E_MALFORMED_RESPONSE = -21, /* the server answered nonsense */
	RINGBEARER_E_SYSTEM = -22, /* out of memory, or a system call failed */
};

/* The library's version, e.g. "0.1.0". Static storage. */
RINGBEARER_EXPORT const char *ringbearer_version(void);

/* The name of CODE on the wire, e.g. "login_required"; "ok" for 0 and "system" for a code it does not know.
 * Static storage. */
RINGBEARER_EXPORT const char *ringbearer_error_name(int code);

/* The exit status of the ringbearer program for CODE: 0 for 0, otherwise 1 to 8 as ringbearer-protocol(7)
 * lists them. */
RINGBEARER_EXPORT int ringbearer_error_exit_status(int code);

/* One line in English that says what to do about CODE; "" for 0. Static storage. */
RINGBEARER_EXPORT const char *ringbearer_error_advice(int code);

/* What is asked for. */
struct ringbearer_request;

/* An access token or API key, and what is known about it. */
struct ringbearer_credential;

/* Why there is none. */
struct ringbearer_failure;

/* An empty request; NULL if memory is short. */
RINGBEARER_EXPORT struct ringbearer_request *ringbearer_request_new(void) RINGBEARER_MUST_CHECK;

/* Wipes and frees REQUEST (may be NULL). */
RINGBEARER_EXPORT void ringbearer_request_free(struct ringbearer_request *request);

/*
 * Sets KEY of REQUEST to a copy of VALUE, instead of the value that it had; NULL takes the key away. `resource` alone
 * adds to the values that are there. Keys and values are those of `get` in ringbearer-protocol(7): account, url,
 * username, scope, resource, min_valid (seconds), interactive ("auto" or "never"). What the values mean is looked at by
 * ringbearer_get(). RINGBEARER_E_USAGE for any other key, a value with a line feed or carriage return, an empty
 * resource, more than 65535 bytes in key and value, or more than 100 values in all; RINGBEARER_E_SYSTEM if memory is
 * short. REQUEST is unchanged then.
 */
RINGBEARER_EXPORT int ringbearer_request_set(
	struct ringbearer_request *request, const char *key, const char *value) RINGBEARER_MUST_CHECK;

/* Has REQUEST run the program PATH (absolute) where the installed `ringbearer` would be run. RINGBEARER_E_USAGE if
 * the path is not absolute, RINGBEARER_E_SYSTEM if memory is short. */
RINGBEARER_EXPORT int ringbearer_request_set_program(
	struct ringbearer_request *request, const char *path) RINGBEARER_MUST_CHECK;

/*
 * Answers REQUEST: from the kernel's keyring in this process, or else by running `ringbearer get`, which renews.
 *
 * TIMEOUT_MS milliseconds later at the latest it returns, a few milliseconds for taking leave of the program not
 * counted; 0: nothing is run; negative: as long as the program takes (it has limits of its own). RINGBEARER_E_BUSY if
 * that time was not enough.
 *
 * Any code of enum ringbearer_error. RINGBEARER_E_MALFORMED_REQUEST if a value cannot be what it is; RINGBEARER_E_USAGE
 * if the process has another effective than real user or group; RINGBEARER_E_CONFIG if the program cannot be run.
 * RET_FAILURE (may be NULL) is set on failure only, to what has to be freed, or to NULL if memory is short.
 */
RINGBEARER_EXPORT int ringbearer_get(const struct ringbearer_request *request, int timeout_ms,
	struct ringbearer_credential **ret_credential, struct ringbearer_failure **ret_failure) RINGBEARER_MUST_CHECK;

/*
 * Says that a server refused the token of CREDENTIAL (HTTP 401, `invalid_token`): it is dropped from the cache, and the
 * next ringbearer_get() renews. A token that has taken its place meanwhile stays. CREDENTIAL is not freed.
 * RINGBEARER_E_USAGE as above.
 */
RINGBEARER_EXPORT int ringbearer_reject(const struct ringbearer_credential *credential);

/* What CREDENTIAL holds; the strings live as long as it does. The token has bytes 0x21 to 0x7E; the type is "Bearer". */
RINGBEARER_EXPORT const char *ringbearer_credential_token(const struct ringbearer_credential *credential);
RINGBEARER_EXPORT const char *ringbearer_credential_type(const struct ringbearer_credential *credential);
RINGBEARER_EXPORT const char *ringbearer_credential_account(const struct ringbearer_credential *credential);

/* The account's user name, and the scope as it was granted; NULL where that is not known. */
RINGBEARER_EXPORT const char *ringbearer_credential_username(const struct ringbearer_credential *credential);
RINGBEARER_EXPORT const char *ringbearer_credential_scope(const struct ringbearer_credential *credential);

/* When the token expires, in seconds since 1970; 0 if the service did not say: it is never made up. */
RINGBEARER_EXPORT int64_t ringbearer_credential_expires(const struct ringbearer_credential *credential);

/* A line for a person that came with the token; NULL if there is nothing to say. The token is good all the same. */
RINGBEARER_EXPORT const char *ringbearer_credential_notice(const struct ringbearer_credential *credential);

/* Wipes and frees CREDENTIAL (may be NULL). */
RINGBEARER_EXPORT void ringbearer_credential_free(struct ringbearer_credential *credential);

/* A line for a person without secrets: what happened; what to do. Never NULL; FAILURE may be. */
RINGBEARER_EXPORT const char *ringbearer_failure_detail(const struct ringbearer_failure *failure);

/* Seconds for which the server wants to be left alone; 0 if it did not say. FAILURE may be NULL. */
RINGBEARER_EXPORT long ringbearer_failure_retry_after(const struct ringbearer_failure *failure);

/* Frees FAILURE (may be NULL). */
RINGBEARER_EXPORT void ringbearer_failure_free(struct ringbearer_failure *failure);

#ifdef __cplusplus
}
#endif
#endif
