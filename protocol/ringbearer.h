/* SPDX-License-Identifier: MIT */
/*
 * libringbearer: what C programs may know of ringbearer.
 *
 * The library links libc alone, has no global state, touches no signal handler and never exits. Functions that
 * can fail return 0, or a negative code of enum ringbearer_error.
 */
#ifndef RINGBEARER_H
#define RINGBEARER_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define RINGBEARER_EXPORT __attribute__((visibility("default")))
#else
#define RINGBEARER_EXPORT
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

#ifdef __cplusplus
}
#endif
#endif
