/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/endpoint.h"
#include "accounts/file_trust.h"
#include "journal/rotation.h"
#include "local.h"
#include "person/blot.h"
#include "person/browser.h"
#include "person/log.h"
#include "person/terminal.h"
#include "protocol/secret.h"
#include "protocol/text.h"
#include "protocol/url-characters.h"

#define RETRY_AFTER_MAX 86400
#define INFORMING_MS 1000
#define PERSON_MS (120 * 1000) /* how long a prompt stays open */
/* What has been used up to ask cannot be asked for again: where the account says nothing, its answer may take longer. */
#define ANSWER_SECONDS 120
#define TEXT(number) #number
#define TEXT_OF(number) TEXT(number)
#define CONNECT_MS (10 * 1000) /* which they need before it leaves, at the most */
/* Text is blotted before it is cut, so that no half of a secret stays at the end. */
#define TEXT_MAX 8192

void
rbr_call_start(
	struct ringbearer_call *call, struct rbr_context *context, const struct rbr_account *account, bool interactive)
{
	memset(call, 0, sizeof *call);
	call->context = context;
	call->account = account;
	call->interactive = interactive;
	call->deadline_ms = rbr_now_ms() + rbr_account_seconds(account, RBR_KEY_TIMEOUT) * 1000;
}

int64_t
rbr_call_answer_ms(const struct ringbearer_call *call)
{
	const struct rbr_value *timeout = rbr_account_value(call->account, RBR_KEY_TIMEOUT, 0);

	return timeout && timeout->layer > RBR_LAYER_DEFAULT
		? rbr_account_seconds(call->account, RBR_KEY_TIMEOUT) * 1000
		: CONNECT_MS + ANSWER_SECONDS * 1000;
}

void
rbr_call_hurry(struct ringbearer_call *call)
{
	const int64_t soon = rbr_now_ms() + INFORMING_MS;

	if (call->deadline_ms > soon)
		call->deadline_ms = soon;
}

void
rbr_call_hide(struct ringbearer_call *call, const struct ringbearer_secret *secret)
{
	size_t i;

	if (!secret)
		return;
	for (i = 0; i < RBR_CALL_SECRETS_MAX; i++)
		if (!call->secrets[i]) {
			call->secrets[i] = secret;
			return;
		}
	call->mute = true;
}

void
rbr_call_reveal(struct ringbearer_call *call, const struct ringbearer_secret *secret)
{
	size_t i;

	for (i = 0; i < RBR_CALL_SECRETS_MAX; i++)
		if (secret && call->secrets[i] == secret)
			call->secrets[i] = NULL;
}

void
rbr_call_end(struct ringbearer_call *call)
{
	size_t i;

	for (i = 0; i < RBR_CALL_SECRETS_MAX; i++) {
		rbr_call_reveal(call, call->owned[i]);
		rbr_secret_free(call->owned[i]);
		call->owned[i] = NULL;
	}
}

/* In every form that it may have been sent in. */
static void
host_blot(struct ringbearer_call *call, char *text)
{
	if (call->mute)
		memset(text, '*', strlen(text));
	else
		rbr_blot(text, call->secrets, RBR_CALL_SECRETS_MAX);
}

static void
host_hide(struct ringbearer_call *call, const char *data, size_t size)
{
	size_t i;

	for (i = 0; i < RBR_CALL_SECRETS_MAX && call->owned[i]; i++)
		if (rbr_secret_equal(call->owned[i]->data, call->owned[i]->size, data, size))
			return;
	if (i < RBR_CALL_SECRETS_MAX)
		call->owned[i] = rbr_secret_new(data, size);
	if (i < RBR_CALL_SECRETS_MAX && call->owned[i])
		rbr_call_hide(call, call->owned[i]);
	else
		call->mute = true;
}

static void
host_clean(struct ringbearer_call *call, char *text)
{
	(void)call;
	rbr_sanitize(text);
}

static void make_text(struct ringbearer_call *call, char text[TEXT_MAX], const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

/* What a module says, without the secrets of the call. */
static void
make_text(struct ringbearer_call *call, char text[TEXT_MAX], const char *format, va_list arguments)
{
	if (vsnprintf(text, TEXT_MAX, format, arguments) < 0)
		text[0] = '\0';
	host_blot(call, text);
}

static void host_log(struct ringbearer_call *call, enum ringbearer_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
host_log(struct ringbearer_call *call, enum ringbearer_log_level level, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	if (level == RINGBEARER_LOG_TRACE && !call->context->trace)
		return;
	va_start(arguments, format);
	make_text(call, text, format, arguments);
	va_end(arguments);
	if (level == RINGBEARER_LOG_TRACE)
		rbr_trace(call->context, "%s", text);
	else
		rbr_warn(call->context, call->account->name, "%s", text);
}

static int host_fail(struct ringbearer_call *call, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int
host_fail(struct ringbearer_call *call, int code, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	make_text(call, text, format, arguments);
	va_end(arguments);
	return rbr_fail(&call->context->error, code, "%s", text);
}

static void
host_retry_after(struct ringbearer_call *call, long seconds)
{
	if (seconds < 0)
		seconds = 0;
	call->context->error.retry_after = seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds;
}

/* Whose account is it? One of the system's has its secrets where the system's are, for who may write there. */
static enum rbr_place
place_of(const struct rbr_account *account)
{
	char folder[PATH_MAX];
	struct stat status;
	size_t size;

	if (account->path[0] == '\0' || rbr_path_folder(RBR_PLACE_SYSTEM, "accounts/", folder, NULL) < 0)
		return RBR_PLACE_USER;
	size = strlen(folder);
	if (strncmp(account->path, folder, size) != 0)
		return RBR_PLACE_USER;
	if (geteuid() == 0 ||
		(rbr_path_state(RBR_PLACE_SYSTEM, folder, NULL) == 0 && stat(folder, &status) == 0 &&
			status.st_uid == geteuid()))
		return RBR_PLACE_SYSTEM;
	return RBR_PLACE_USER;
}

static const char *
host_folder(struct ringbearer_call *call, const char *key)
{
	enum rbr_place place = place_of(call->account);
	int rc = strcmp(key, "state_folder") == 0 ? rbr_path_state(place, call->folder, NULL)
						  : rbr_path_folder(place, "", call->folder, NULL);

	return rc < 0 ? NULL : call->folder;
}

static const char *
host_config(struct ringbearer_call *call, const char *key, size_t index)
{
	const struct rbr_value *value = rbr_account_value(call->account, rbr_key_find(key), index);

	if (strcmp(key, "account") == 0)
		return index == 0 ? call->account->name : NULL;
	if (strcmp(key, "account_file") == 0)
		return call->account->path[0] != '\0' ? call->account->path : NULL;
	/* Nobody learns of a place that no secret may be sent to. */
	if (value && rbr_endpoint_admit(call->account, (enum rbr_key)value->key, NULL) < 0)
		return NULL;
	if (strcmp(key, "state_folder") == 0)
		return host_folder(call, key);
	if (strcmp(key, "config_folder") == 0)
		return host_folder(call, key);
	if (strcmp(key, "credentials_folder") == 0)
		return rbr_path_credentials();
	if (strcmp(key, "request_scope") == 0) {
		value = rbr_account_value(call->account, RBR_KEY_SCOPE, index);
		return value && value->layer == RBR_LAYER_REQUEST ? value->text : NULL;
	}
	/* One more try in all, not one in each run. */
	if (strcmp(key, "refresh_retry") == 0 && call->rotation && call->rotation->sends_before > 0)
		return "never";
	/* As the issuer itself writes it: answers are compared with that. */
	if (strcmp(key, "issuer") == 0 && call->account->issuer[0] != '\0' && !call->metadata)
		return call->account->issuer;
	if (strcmp(key, "iss_required") == 0)
		return call->account->iss_required ? "yes" : NULL;
	if (strcmp(key, "interactive_hint") == 0)
		return call->context->interactive_hint;
	if (strcmp(key, "denied_hint") == 0)
		return call->account->denied_hint[0] != '\0' ? call->account->denied_hint : NULL;
	if (strcmp(key, "rejected_hint") == 0)
		return call->account->rejected_hint[0] != '\0' ? call->account->rejected_hint : NULL;
	if (strcmp(key, "answer_timeout") == 0) {
		value = rbr_account_value(call->account, RBR_KEY_TIMEOUT, 0);
		return value && value->layer > RBR_LAYER_DEFAULT ? NULL : TEXT_OF(ANSWER_SECONDS);
	}
	if (strcmp(key, "login_picture") == 0)
		return rbr_terminal_draws() ? "yes" : NULL;
	if (strcmp(key, "login_paste") == 0)
		return call->paste ? "yes" : NULL;
	if (strcmp(key, "login_no_browser") == 0)
		return call->no_browser ? "yes" : NULL;
	return value ? value->text : NULL;
}

static int
host_endpoint(struct ringbearer_call *call, const char *key, const char **ret_url)
{
	int found = rbr_key_find(key);
	int rc = found < 0 ? 0 : rbr_endpoint_admit(call->account, (enum rbr_key)found, &call->context->error);

	if (rc == 0)
		*ret_url = found < 0 ? NULL : rbr_account_get(call->account, (enum rbr_key)found);
	return rc;
}

static int
host_trust(struct ringbearer_call *call, const char *path)
{
	return rbr_trust_check(path, RBR_TRUST_USER, RINGBEARER_E_CONFIG, &call->context->error);
}

static int64_t
host_remaining_ms(struct ringbearer_call *call)
{
	int64_t left = call->deadline_ms - rbr_now_ms();

	return left > 0 ? left : 0;
}

static bool
host_interactive(struct ringbearer_call *call)
{
	return call->interactive;
}

static void
host_asking(struct ringbearer_call *call, bool begins)
{
	if (begins == call->asking || !call->interactive)
		return;
	call->asking = begins;
	if (begins)
		call->left_ms = host_remaining_ms(call);
	call->deadline_ms = rbr_now_ms() + (begins ? PERSON_MS : call->left_ms);
}

static int
host_sending(struct ringbearer_call *call)
{
	call->sent = rbr_clock_now();
	call->sent_ms = rbr_now_ms();
	return call->rotation ? rbr_rotation_mark(call->rotation) : 0;
}

static void
host_park(struct ringbearer_call *call, const void *bytes, size_t size)
{
	int64_t kept_ms;

	if (call->rotation)
		rbr_rotation_park(call->rotation, bytes, size);
	/* What has come must be kept, however much of the call's time went by until it came. */
	kept_ms = rbr_now_ms() + rbr_account_seconds(call->account, RBR_KEY_TIMEOUT) * 1000;
	if (call->deadline_ms < kept_ms)
		call->deadline_ms = kept_ms;
}

static void host_tell(struct ringbearer_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
host_tell(struct ringbearer_call *call, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	make_text(call, text, format, arguments);
	va_end(arguments);
	rbr_terminal_tell(text);
}

/* Nothing but an address comes before a person or to a browser. */
static bool
is_address(struct ringbearer_call *call, const char *url)
{
	if (rbr_has_url_characters(url))
		return true;
	rbr_warn(
		call->context, call->account->name, "the module gave an address that is none; report it to its author");
	return false;
}

static bool
host_visit(struct ringbearer_call *call, const char *url, const char *start)
{
	const char *named = rbr_browser_named();

	if (!is_address(call, url) || (start && !is_address(call, start)))
		return false;
	if (start && !call->no_browser && rbr_browser_open(start)) {
		host_tell(call,
			"Your browser opens to log in. If no window comes up, open this address there yourself; it is good once:\n\n"
			"  %s\n",
			start);
		return true;
	}
	host_tell(call, "Open this address to log in:\n\n  %s\n", url);
	if (call->no_browser)
		return false;
	if (named)
		host_tell(call, "No browser could be started here (BROWSER=%s is %s); open the address yourself.",
			named, strchr(named, '/') ? "no program" : "not on PATH");
	else
		host_tell(call, "No browser could be started here; open the address yourself.");
	return false;
}

static void
host_progress(struct ringbearer_call *call, const char *text)
{
	char shown[TEXT_MAX];

	(void)snprintf(shown, sizeof shown, "%s", text);
	host_blot(call, shown);
	rbr_terminal_progress(shown);
}

static void
host_discovered(struct ringbearer_call *call, const char *key, const char *value)
{
	if (call->metadata && rbr_message_add(call->metadata, key, value) < 0)
		rbr_trace(call->context, "the issuer's %s is not understood", key);
}

static int
host_ask(struct ringbearer_call *call, const char *prompt, struct ringbearer_secret **ret_line)
{
	struct ringbearer_secret *line = rbr_secret_new("", 0);
	int rc = line ? rbr_terminal_ask(prompt, line, &call->context->error) : rbr_fail_memory(&call->context->error);

	if (rc < 0)
		rbr_secret_free(line);
	else
		*ret_line = line;
	return rc;
}

static int
host_local_secret(struct ringbearer_call *call, const char *kind, struct ringbearer_secret **ret_value)
{
	struct rbr_local local;
	int rc = rbr_local_open(call, kind, &local);

	if (rc == 0)
		rc = rbr_local_lookup(&local, ret_value);
	/* The store that asks cannot do without: what it keeps must not be taken for absent. */
	if (rc == RINGBEARER_E_NO_SECRET)
		rc = call->context->error.code = RINGBEARER_E_STORE_UNAVAILABLE;
	if (rc == 0)
		host_hide(call, (*ret_value)->data, (*ret_value)->size);
	return rc;
}

static const char *
host_secret_data(const struct ringbearer_secret *secret)
{
	return rbr_secret_string(secret);
}

static size_t
host_secret_size(const struct ringbearer_secret *secret)
{
	return secret->size;
}

const struct ringbearer_host *
rbr_host(void)
{
	static const struct ringbearer_host host = {
		.abi = RINGBEARER_MODULE_ABI,
		.size = sizeof host,
		.log = host_log,
		.fail = host_fail,
		.hide = host_hide,
		.blot = host_blot,
		.clean = host_clean,
		.retry_after = host_retry_after,
		.config = host_config,
		.endpoint = host_endpoint,
		.trust = host_trust,
		.remaining_ms = host_remaining_ms,
		.interactive = host_interactive,
		.sending = host_sending,
		.park = host_park,
		.tell = host_tell,
		.visit = host_visit,
		.progress = host_progress,
		.discovered = host_discovered,
		.ask = host_ask,
		.asking = host_asking,
		.local_secret = host_local_secret,
		.secret_new = rbr_secret_new,
		.secret_append = rbr_secret_append,
		.secret_data = host_secret_data,
		.secret_size = host_secret_size,
		.secret_free = rbr_secret_free,
	};

	return &host;
}
