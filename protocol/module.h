/* SPDX-License-Identifier: MIT */
/*
 * The module ABI: the only header that the author of a module needs. ringbearer-module(7) is its guide.
 *
 * A module is a shared object in ringbearer's module folder. `grant = device_code` in an account loads
 * grant-device-code.so, `store = my_vault` loads store-my-vault.so: a grant says how a token is obtained, a store
 * says where secrets rest. An input (input-json.so) reads what callers write in a language of their own. These are the
 * families. The module exports one symbol, ringbearer_module_init(), which returns its descriptor: who it is, and the
 * vtable of its family.
 *
 * The ABI number is major << 16 | minor. Another major is refused. Within a major all structs only grow at their end
 * and carry their own size, so older modules keep loading in a newer host: it copies the smaller of the two sizes
 * into a zeroed struct. A module looks at the host's `size` before it uses a function that a later minor added.
 *
 * A NULL operation means "not supported". Modules do not call each other, print nothing, install no signal handlers
 * and do not exit: they answer with 0 or a code of enum ringbearer_error, having said why through host->fail().
 * They run in a short-lived process, on one thread, under one call at a time. They are never unloaded.
 */
#ifndef RINGBEARER_MODULE_H
#define RINGBEARER_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringbearer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RINGBEARER_MODULE_ABI_MAJOR 1u
#define RINGBEARER_MODULE_ABI_MINOR 0u
#define RINGBEARER_MODULE_ABI (RINGBEARER_MODULE_ABI_MAJOR << 16 | RINGBEARER_MODULE_ABI_MINOR)

/* One request to a module: owned by the host, valid until the operation returns. */
struct ringbearer_call;

/* Bytes that are wiped when they are freed or grown. Always followed by a NUL that does not count. */
struct ringbearer_secret;

/* "Unknown" in ringbearer_tokens.expires_in. */
#define RINGBEARER_EXPIRES_UNKNOWN INT64_C(-1)

enum ringbearer_log_level {
	RINGBEARER_LOG_WARNING = 0, /* a person should know, the call goes on */
	RINGBEARER_LOG_TRACE = 1, /* shown with RINGBEARER_TRACE=1; never a secret */
};

/* What the host does for a module. Never NULL up to the `size` that the host states. */
struct ringbearer_host {
	uint32_t abi; /* RINGBEARER_MODULE_ABI of the host */
	uint32_t size; /* of this struct as the host knows it */

	/* Says something to the person behind the call. One line, no newline, no secrets. */
	void (*log)(struct ringbearer_call *call, enum ringbearer_log_level level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

	/* Records why the call fails and returns CODE, so that `return host->fail(…)` reads well. One line without a
	 * newline: what happened; what to do. What is not seen is replaced, and secrets that the host handed out for this
	 * call are blotted out in whatever form they come, in case a server echoes them. */
	int (*fail)(struct ringbearer_call *call, int code, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

	/* Has SIZE bytes of DATA (a code, a verifier) blotted out of messages from now on, too. */
	void (*hide)(struct ringbearer_call *call, const char *data, size_t size);

	/* Blots the secrets that the host handed out for this call out of TEXT, in place: for what a server wrote, before it is
	 * cut or put into another form. */
	void (*blot)(struct ringbearer_call *call, char *text);

	/* Replaces in TEXT, in place, what is not seen or would drive a terminal: for what a server wrote, before a person sees it in
	 * a place of the module's own. What the host shows is cleaned by the host. */
	void (*clean)(struct ringbearer_call *call, char *text);

	/* How many seconds the server wants to be left alone (Retry-After, RFC 9110 section 10.2.3). */
	void (*retry_after)(struct ringbearer_call *call, long seconds);

	/* The value of the account's KEY ("client_id", "token_endpoint", …) with defaults, provider and request applied,
	 * or NULL if it is not set; "account" is the account's name, "account_file" its file, "request_scope" the scope if
	 * the request itself names one, "interactive_hint" how the program that asks has a person asked, if it has a way
	 * of its own, "denied_hint" and "rejected_hint" what the provider's file says that it takes to consent and to
	 * change the application, "answer_timeout" how many seconds the answer to a request that has left and cannot be
	 * repeated may take whatever remaining_ms() says, where the account sets no `timeout`. INDEX counts the values of
	 * a key that may repeat, from 0. */
	const char *(*config)(struct ringbearer_call *call, const char *key, size_t index);

	/* Where a request with a secret goes: the account's endpoint KEY ("token_endpoint", "revocation_endpoint", …) in *RET_URL,
	 * NULL if it is not set. RINGBEARER_E_CONFIG, with the reason recorded, if it is one that secrets may not be sent to;
	 * config() has NULL for it then. */
	int (*endpoint)(struct ringbearer_call *call, const char *key, const char **ret_url);

	/* May the regular file PATH decide what runs or whom secrets go to? Only if nobody but root and the user can change it, or
	 * the folders above it. RINGBEARER_E_CONFIG, with the reason recorded, if not, or if it cannot be read. */
	int (*trust)(struct ringbearer_call *call, const char *path);

	/* Milliseconds left until the call's deadline; 0 when it has passed. Every wait must be bounded by it. */
	int64_t (*remaining_ms)(struct ringbearer_call *call);

	/* May this call ask a person something (an unlock prompt, a browser)? */
	bool (*interactive)(struct ringbearer_call *call);

	/* A request for tokens is about to leave: to be called when the connection stands and before the first byte is
	 * sent. Lifetimes count from here; and from here on it is uncertain whether the refresh token was used up, until
	 * the answer is kept. Other than 0: it must not leave, and the operation returns this code, which is recorded. */
	int (*sending)(struct ringbearer_call *call);

	/* Puts the bytes of an answer that may hold a new refresh token where the death of this process cannot reach
	 * them, before they are looked at. To be called for what has come so far each time some more has; `accept` gets
	 * them back. */
	void (*park)(struct ringbearer_call *call, const void *bytes, size_t size);

	/* Tells the person behind a login something, on lines of its own (it may have newlines). */
	void (*tell)(struct ringbearer_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

	/* Takes the person behind a login to URL (https, or http to a loopback literal). Opens a browser with START, an address on
	 * this machine that leads to URL, since all users of the machine can read what a browser was started with; returns whether
	 * one was started, and shows START then, else URL. None is started where that was ruled out, or if START is NULL. Both
	 * have characters of URLs only (RFC 3986 section 2), or nothing is opened or shown. */
	bool (*visit)(struct ringbearer_call *call, const char *url, const char *start);

	/* Shows a terminal what is being waited for, in place of the line before; "" takes the line away. */
	void (*progress)(struct ringbearer_call *call, const char *text);

	/* What the service's metadata say about KEY ("token_endpoint", …; "iss_required" with "yes"). Only discover() calls
	 * it. What the account or its provider sets stands above it. */
	void (*discovered)(struct ringbearer_call *call, const char *key, const char *value);

	/* Asks the person behind a login for one line, which is not shown. RINGBEARER_E_USAGE if there is no terminal. */
	int (*ask)(struct ringbearer_call *call, const char *prompt, struct ringbearer_secret **ret_line);

	/* A person is asked something elsewhere (in a keyring's window) from now on, or with BEGINS false has answered: what
	 * they take is not the call's time. remaining_ms() says meanwhile how long they may take. Only where interactive()
	 * says so. */
	void (*asking)(struct ringbearer_call *call, bool begins);

	/* For a store that is elsewhere: what this machine keeps for it in the store that the account names as `store_local`. KIND is
	 * RINGBEARER_LOCAL_SEAL or RINGBEARER_LOCAL_PASSWORD. RINGBEARER_E_STORE_UNAVAILABLE if there is none, with the commands
	 * that mend it: hand on what it returns. RINGBEARER_E_STORE_… The value is blotted out of messages and belongs to the module. */
	int (*local_secret)(struct ringbearer_call *call, const char *kind, struct ringbearer_secret **ret_value);

	/* Secret buffers. secret_new() returns NULL when memory is short, secret_append() RINGBEARER_E_SYSTEM or 0;
	 * secret_free(NULL) does nothing. secret_data() is valid until the buffer is appended to or freed. */
	struct ringbearer_secret *(*secret_new)(const void *data, size_t size);
	int (*secret_append)(struct ringbearer_secret *secret, const void *data, size_t size);
	const char *(*secret_data)(const struct ringbearer_secret *secret);
	size_t (*secret_size)(const struct ringbearer_secret *secret);
	void (*secret_free)(struct ringbearer_secret *secret);
};

/* What a machine keeps for a store that is elsewhere (host->local_secret()). */
#define RINGBEARER_LOCAL_SEAL "seal_key" /* 64 hexadecimal digits: the key that values are sealed with */
#define RINGBEARER_LOCAL_PASSWORD "store_password" /* of `store_user` */

/* Which stored secrets a grant wants to be handed (ringbearer_grant.needs). */
enum ringbearer_need {
	RINGBEARER_NEEDS_CLIENT_SECRET = 1 << 0, /* unless client_auth is "none" */
	RINGBEARER_NEEDS_REFRESH_TOKEN = 1 << 1,
	RINGBEARER_NEEDS_API_KEY = 1 << 2,
};

/* What a grant works with. Members that it did not ask for are NULL. */
struct ringbearer_grant_input {
	uint32_t size;
	const struct ringbearer_secret *client_secret;
	const struct ringbearer_secret *refresh_token;
	const struct ringbearer_secret *api_key;
};

/* What a grant brings back. Secrets are made with host->secret_new() and belong to the host after the call, even
 * when it fails. */
struct ringbearer_tokens {
	uint32_t size;
	struct ringbearer_secret *access_token; /* bytes 0x21 to 0x7E only */
	struct ringbearer_secret *refresh_token; /* NULL: none in the answer */
	const char *token_type; /* static storage; "Bearer" */
	int64_t expires_in; /* seconds from the moment the request was sent, or RINGBEARER_EXPIRES_UNKNOWN */
	struct ringbearer_secret *scope; /* as granted; NULL: the server did not say */
	struct ringbearer_secret
		*user; /* whom the service logged in, by a short name for people; NULL: it did not say */
	struct ringbearer_secret *id_token; /* where the account has `token = id_token`; bytes 0x21 to 0x7E only */
	int64_t id_expires; /* its own end, in seconds since 1970; 0: it does not say */
};

/* What names a stored secret. The members are the store's lookup key, all of them, always; `label` is for people. */
struct ringbearer_item {
	uint32_t size;
	const char *account; /* or "scheme://host:port" for a "password" */
	const char *kind; /* "client_secret", "refresh_token", "api_key", or "password" for what git stores */
	const char *client_id; /* "none" where there is none; the user's name for a "password" */
	const char *endpoint; /* where the secret may be sent */
	const char *label; /* for the keyring's own viewer; not part of the key; NULL in lookups */
};

typedef int (*ringbearer_item_visitor)(const struct ringbearer_item *item, void *data);

/*
 * The shared journal: what a store must be able to do so that many machines can share one login that rotates. All of it is about
 * one item, the refresh token. Each item has, beside its value,
 *
 * - a version, which is another each time the value is replaced, and never one that it has had;
 * - records: short named values that go by themselves at their time, and with the value that they are about: store() and
 *   erase() drop them, and touch no lease;
 * - a lease, which one machine has, for so many seconds unless it is kept up, with a number that grows each time it is taken.
 *
 * Each operation is one step that all machines see in the same order, and that is safe from the death of a part of the store when it
 * returns 0. RINGBEARER_E_BUSY is for what is not so (any more), and nothing was changed then. After RINGBEARER_E_STORE_UNAVAILABLE it is
 * not known whether something was: the host looks again before it builds on either.
 */

#define RINGBEARER_RECORDS_MAX 64 /* of an item */
#define RINGBEARER_UNLESS_MAX 4
#define RINGBEARER_RECORD_NAME_MAX 40 /* bytes, a to z, 0 to 9 and "-" */
#define RINGBEARER_RECORD_SIZE_MAX (128 * 1024) /* bytes of its value */
#define RINGBEARER_RECORD_SECONDS_MAX (10 * 24 * 3600)

struct ringbearer_record {
	const char *name;
	struct ringbearer_secret *value; /* in a change NULL: away with it */
	int64_t seconds; /* in a change: how long it stays; 0: until it is dropped */
	int64_t version; /* in a view: the step that wrote it, comparable with the view's `revision` */
};

/* An item as it was at one moment. The store makes it, with host->secret_new() for all that is secret, and the host has it from then on,
 * also after a failure; names are copied into it by the store. */
struct ringbearer_view {
	uint32_t size;
	int64_t revision; /* the moment: all that came before has a smaller number or this one */
	int64_t version; /* of the value; 0: there is none */
	struct ringbearer_secret *value;
	int64_t lease; /* the number of the lease; 0: nobody has it */
	struct ringbearer_secret *holder; /* who has it, as was said to acquire() */
	size_t record_count;
	struct ringbearer_record records[RINGBEARER_RECORDS_MAX]; /* those whose time is over are left out */
	char names[RINGBEARER_RECORDS_MAX][RINGBEARER_RECORD_NAME_MAX + 1];
};

/* A change of an item, all of it or nothing. */
struct ringbearer_change {
	uint32_t size;
	int64_t if_lease; /* only if this is the lease's number; 0: whoever has it */
	int64_t if_version; /* only if this is the value's version; 0: whichever it has */
	const struct ringbearer_secret *value; /* replaces the value, if there is one; NULL: it stays */
	bool release; /* the lease of if_lease ends with it */
	size_t record_count;
	const struct ringbearer_record *records;
};

/* A line about the store for people: "leader" with "b (https://…)". One whose NAME is RINGBEARER_ALARM is for what they should see to: what
 * happened; what to do. */
#define RINGBEARER_ALARM "alarm"
typedef void (*ringbearer_store_teller)(const char *name, const char *text, void *data);

/* What the way to a server looked like (ringbearer_grant.probe). */
struct ringbearer_probe {
	uint32_t size;
	int64_t server_time; /* what the server says that the time is, in seconds since 1970; 0: it does not say */
	int64_t certificate_ends; /* 0: not known, or there is none */
};

/*
 * The families: what a grant, a store, an input and a notice can do. Each vtable starts with its size and only grows at its end.
 */

/* How a token is obtained. */
struct ringbearer_grant {
	uint32_t size; /* sizeof(struct ringbearer_grant) that the module was compiled with */
	uint32_t needs; /* of enum ringbearer_need */

	/* Obtains an access token without a person. */
	int (*renew)(struct ringbearer_call *call, const struct ringbearer_grant_input *input,
		struct ringbearer_tokens *ret_tokens);

	/* Reads an answer that was parked by a process that died: fills RET_TOKENS as renew() would have. SIZE bytes that are
	 * no whole answer are RINGBEARER_E_MALFORMED_RESPONSE. */
	int (*accept)(
		struct ringbearer_call *call, const void *bytes, size_t size, struct ringbearer_tokens *ret_tokens);

	/* Obtains the standing grant with a person. What the login was told on its command line is in the configuration
	 * under "login_paste" and "login_no_browser" ("yes" or not set). */
	int (*authorize)(struct ringbearer_call *call, const struct ringbearer_grant_input *input,
		struct ringbearer_tokens *ret_tokens);

	/* After authorize(): the login has ended with CODE, everything included that the host had to do with the tokens.
	 * Lets a person who waits elsewhere know. */
	void (*conclude)(struct ringbearer_call *call, int code);

	/* Tells the server to forget TOKEN; KIND is "refresh_token" or "access_token" (RFC 7009). */
	int (*revoke)(struct ringbearer_call *call, const struct ringbearer_grant_input *input,
		const struct ringbearer_secret *token, const char *kind);

	/* Reads the metadata of the account's `issuer` (RFC 8414, OpenID Connect Discovery) and hands over what they say. */
	int (*discover)(struct ringbearer_call *call);

	/* Goes the way that a request to the account's endpoint KEY goes, and has the server answer to no more than its address:
	 * no parameter, no secret. Fails as a request would that does not get there; what the server makes of it is nothing. */
	int (*probe)(struct ringbearer_call *call, const char *key, struct ringbearer_probe *ret_probe);
};

/* Where secrets rest. Absent (RINGBEARER_E_NO_SECRET), locked, dismissed and unavailable are different answers and must
 * never be mistaken for one another. */
struct ringbearer_store {
	uint32_t size; /* sizeof(struct ringbearer_store) that the module was compiled with */

	/* Finds the value of ITEM. */
	int (*lookup)(
		struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value);

	/* Keeps VALUE under ITEM and replaces what was there. */
	int (*store)(struct ringbearer_call *call, const struct ringbearer_item *item,
		const struct ringbearer_secret *value);

	/* Removes ITEM; 0 also when there was none. */
	int (*erase)(struct ringbearer_call *call, const struct ringbearer_item *item);

	/* Calls VISIT for every item of ACCOUNT (of all accounts if NULL) until it returns non-zero, which list()
	 * returns. No values. The item that was changed last comes first, where the store knows. */
	int (*list)(struct ringbearer_call *call, const char *account, ringbearer_item_visitor visit, void *data);

	/* Makes what the store cannot do without (a key, a passphrase), unless that has been done, and tells where it is. */
	int (*prepare)(struct ringbearer_call *call);

	/* Opens a store that can be locked, for a while and for other processes as well; asks a person. And closes it. */
	int (*unlock)(struct ringbearer_call *call);
	int (*lock)(struct ringbearer_call *call);

	/* A lookup() will come, of one of the COUNT of ITEMS or of each, as far as that is known by now: begins what it would
	 * have to wait for, does not wait for it, and says nothing if it fails. */
	void (*expect)(struct ringbearer_call *call, const struct ringbearer_item *items, size_t count);

	/*
	 * The shared journal, all of these or none.
	 */

	/* How ITEM is now. 0 also if there is none: its version is 0 then. */
	int (*view)(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_view *ret_view);

	/* Takes ITEM's lease for SECONDS in the name of HOLDER (a text of up to 512 bytes, no secret), if nobody has it, or who has it
	 * has the number DISPLACES (0: nobody's is taken away). RET_VIEW is how the item is with that: the lease in it is
	 * the caller's. RINGBEARER_E_BUSY if somebody has it: RET_VIEW says who. And if there
	 * is a record of one of the names UNLESS (up to RINGBEARER_UNLESS_MAX, the last NULL; NULL: whatever there is): what the lease would
	 * have been for has been done. A lease lasts SECONDS
	 * at least, counted from when the call began, unless it is released or taken away, and not much longer. */
	int (*acquire)(struct ringbearer_call *call, const struct ringbearer_item *item, const char *holder,
		int64_t seconds, int64_t displaces, const char *const *unless, struct ringbearer_view *ret_view);

	/* The lease with the number LEASE, which this process has taken, lasts its SECONDS from now on again. RINGBEARER_E_BUSY if it has
	 * ended. */
	int (*keep)(struct ringbearer_call *call, const struct ringbearer_item *item, int64_t lease);

	/* Makes CHANGE. RINGBEARER_E_BUSY if its conditions are not met. *RET_VERSION is the value's afterwards. */
	int (*store_if)(struct ringbearer_call *call, const struct ringbearer_item *item,
		const struct ringbearer_change *change, int64_t *ret_version);

	/* Returns when anything about ITEM has changed after REVISION (of a view), its lease's end included, or MILLISECONDS have passed, or
	 * sooner: the host looks. It costs the store the same however many wait and for how long. */
	int (*wait)(struct ringbearer_call *call, const struct ringbearer_item *item, int64_t revision,
		int64_t milliseconds);

	/* Tells what people should know of the store's state: its endpoints and which of them answer, who leads, how full it is. Asks
	 * each part for itself and does not give up at the first that is silent. An error if no secret can be had. */
	int (*describe)(struct ringbearer_call *call, ringbearer_store_teller tell, void *data);
};

/* What reads a language of callers. */
struct ringbearer_input {
	uint32_t size; /* sizeof(struct ringbearer_input) that the module was compiled with */

	/* Turns the document in TEXT (a NUL that does not count follows), which a caller has written, into a message:
	 * lines `name=value`, where the name of a value inside of others has all of their names in it
	 * (`registry.index-url`), and `name[]` repeats for a list. What has no sound name is left out; what is no such
	 * document, has a name twice or a control character in a value is RINGBEARER_E_MALFORMED_REQUEST. */
	int (*flatten)(
		struct ringbearer_call *call, const char *text, size_t size, struct ringbearer_secret **ret_message);
};

/* What a person is told. */
struct ringbearer_message {
	uint32_t size;
	const char *title;
	const char *text;
	const char *button; /* NULL: none */
};

/* How a person is told something who is not at a terminal. */
struct ringbearer_notice {
	uint32_t size; /* sizeof(struct ringbearer_notice) that the module was compiled with */

	/* Shows MESSAGE, and returns when it is gone, or when the call's time is over, which is long here. *RET_PRESSED: its button was
	 * pressed. */
	int (*show)(struct ringbearer_call *call, const struct ringbearer_message *message, bool *ret_pressed);
};

/* What a module is. */
struct ringbearer_module {
	uint32_t abi; /* RINGBEARER_MODULE_ABI that the module was compiled with */
	uint32_t size; /* sizeof(struct ringbearer_module) that the module was compiled with */
	const char *name; /* the file's name without ".so", e.g. "grant-api-key" */
	const char *family; /* "grant", "store", "input" or "notice"; the file's name begins with it */
	const void *operations; /* of the family: struct ringbearer_grant, …_store, …_input or …_notice */
};

/*
 * The module's one export. HOST stays valid for the life of the process. Returns the module's descriptor (static
 * storage), or NULL if it cannot serve this host.
 */
RINGBEARER_EXPORT const struct ringbearer_module *ringbearer_module_init(
	uint32_t host_abi, const struct ringbearer_host *host);

#ifdef __cplusplus
}
#endif
#endif
