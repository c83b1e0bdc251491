/* SPDX-License-Identifier: MIT */
/*
 * libringbearer's way to a token: what the program's own short way is, in the caller's process, and the program for all
 * else.
 *
 * A token that is to be renewed ahead of time is handed out at once, and the program is sent to renew it in the
 * background. That it was sent is a record in the kernel's keyring with a life of some seconds, so that a caller who
 * asks a thousand times a second, in however many threads and processes, does not start a thousand programs.
 */
#include "config.h"
#include "folders.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "child.h"
#include "protocol/fastpath/hit.h"

#define PROGRAM RBR_BINDIR "/ringbearer"
#define LINES_MAX 100u
#define AHEAD_SECONDS 10 /* between two programs that are sent to renew the same token */
#define RESOURCE "resource[]"

struct ringbearer_request {
	struct rbr_request wanted;
	int rc; /* what rbr_request_understand() said of it, and why */
	struct rbr_error error;
	struct ringbearer_secret text; /* as the program reads it */
	char *program; /* NULL: the installed one */
	/* For the real user who made it alone: where the last answer came from, see rbr_cache_read_again(). */
	uid_t maker;
	atomic_long *seen;
};

struct ringbearer_credential {
	struct rbr_credential known;
	char *notice;
};

struct ringbearer_failure {
	struct rbr_error error;
};

/* The user database is libc's business with modules of its own: without HOME the program decides. */
const char *
rbr_home(void)
{
	return NULL;
}

static int
begin(struct ringbearer_request *request)
{
	int rc;

	request->maker = getuid();
	request->seen = malloc(sizeof *request->seen);
	if (!request->seen)
		return RINGBEARER_E_SYSTEM;
	atomic_init(request->seen, 0);
	rc = rbr_message_add(&request->wanted.message, "capability[]", "authtype");
	if (rc == 0)
		rc = rbr_message_add(&request->wanted.message, "capability[]", "error");
	request->rc = rbr_request_understand(&request->wanted, &request->error);
	return rc;
}

struct ringbearer_request *
ringbearer_request_new(void)
{
	struct ringbearer_request *request = calloc(1, sizeof *request);

	if (request && begin(request) < 0) {
		ringbearer_request_free(request);
		return NULL;
	}
	return request;
}

void
ringbearer_request_free(struct ringbearer_request *request)
{
	if (!request)
		return;
	rbr_request_wipe(&request->wanted);
	rbr_secret_wipe(&request->text);
	free(request->program);
	free(request->seen);
	free(request);
}

/* The key as it is written in a message; NULL if callers have none of that name. */
static const char *
known_key(const char *key)
{
	static const char *const keys[] = {"account", "url", "username", "scope", "min_valid", "interactive"};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return keys[i];
	return strcmp(key, "resource") == 0 ? RESOURCE : NULL;
}

/* Copies MESSAGE without what KEY and VALUE replace. */
static int
copy_rest(const struct rbr_message *message, const char *key, const char *value, struct rbr_message *copy)
{
	bool adds = value && strcmp(key, RESOURCE) == 0;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < message->count; i++)
		if (adds || strcmp(rbr_message_key(message, i), key) != 0)
			rc = rbr_message_add(copy, rbr_message_key(message, i), rbr_message_value(message, i));
	return rc;
}

int
ringbearer_request_set(struct ringbearer_request *request, const char *key, const char *value)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	const char *written = known_key(key);
	int rc;

	if (!written)
		return RINGBEARER_E_USAGE;
	if (value && strcmp(written, RESOURCE) == 0 && (*value == '\0' || request->wanted.message.count >= LINES_MAX))
		return RINGBEARER_E_USAGE;
	rc = copy_rest(&request->wanted.message, written, value, &message);
	if (rc == 0 && value)
		rc = rbr_message_add(&message, written, value);
	if (rc == 0)
		rc = rbr_message_format(&message, &text);
	if (rc < 0)
		return rc == RINGBEARER_E_MALFORMED_REQUEST ? RINGBEARER_E_USAGE : rc;
	rbr_request_wipe(&request->wanted);
	rbr_secret_wipe(&request->text);
	request->wanted.message = message;
	request->text = text;
	message = RBR_MESSAGE_EMPTY;
	text = RBR_SECRET_EMPTY;
	request->rc = rbr_request_understand(&request->wanted, &request->error);
	return 0;
}

int
ringbearer_request_set_program(struct ringbearer_request *request, const char *path)
{
	char *copy;

	if (path[0] != '/')
		return RINGBEARER_E_USAGE;
	copy = strdup(path);
	if (!copy)
		return RINGBEARER_E_SYSTEM;
	free(request->program);
	request->program = copy;
	return 0;
}

/* The kernel keeps keys by the real user, files go by the effective one: no answer could be right for both. */
static int
check_identity(uid_t *ret_user, struct rbr_error *error)
{
	uid_t effective_user, saved_user;
	gid_t group, effective_group, saved_group;

	if (getresuid(ret_user, &effective_user, &saved_user) < 0 ||
		getresgid(&group, &effective_group, &saved_group) < 0 || *ret_user != effective_user ||
		group != effective_group)
		return rbr_fail(error, RINGBEARER_E_USAGE,
			"the program runs with another effective than real user or group; ask for tokens before "
			"seteuid() and its kin, or after they are undone");
	return 0;
}

static struct rbr_errand
errand_for(const struct rbr_context *context, const struct ringbearer_request *request, int timeout_ms)
{
	const char *named = secure_getenv("RINGBEARER_PROGRAM");
	struct rbr_errand errand = {
		.program = request->program      ? request->program
			: named && *named == '/' ? named
						 : PROGRAM,
		.request = &request->text,
		.distrustful = getauxval(AT_SECURE) != 0,
		.chatty = context->trace,
		.until = timeout_ms < 0 ? INT64_MAX : context->started_ms + timeout_ms,
	};

	return errand;
}

/* True for one caller in some seconds. Where nothing can be kept nobody is sent, and the token is renewed when it is over. */
static bool
is_first(const struct rbr_wish *wish)
{
	RBR_CLEANUP(rbr_cache_key_wipe) struct rbr_cache_key key = RBR_CACHE_KEY_EMPTY;
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message record = RBR_MESSAGE_EMPTY;

	return rbr_cache_key_add(&key, "ahead") == 0 &&
		rbr_cache_key_add(&key, rbr_secret_string(&wish->token_key.text)) == 0 &&
		!rbr_cache_read(&key, &record) && rbr_message_add(&record, "account", wish->account) == 0 &&
		rbr_cache_write(&key, &record, AHEAD_SECONDS);
}

/* What the program said to people: its first line without its name, or NULL. */
static char *
first_line(struct ringbearer_secret *said)
{
	static const char name[] = "ringbearer: ";
	const char *line = strstr(rbr_secret_string(said), name);
	char *copy;

	if (!line)
		return NULL;
	line += sizeof name - 1;
	copy = strndup(line, strcspn(line, "\n"));
	if (copy)
		rbr_sanitize(copy);
	return copy;
}

static int
add_known(struct rbr_message *record, const char *key, const struct rbr_message *answer, const char *said_as)
{
	const char *value = rbr_message_get(answer, said_as);

	return value ? rbr_message_add(record, key, value) : 0;
}

/* Makes a credential of ANSWER. */
static int
take(const struct rbr_message *answer, struct rbr_credential *credential, struct rbr_error *error)
{
	struct rbr_message *record = &credential->record;
	int rc = add_known(record, "token", answer, "credential");

	if (rc == 0)
		rc = add_known(record, "type", answer, "authtype");
	if (rc == 0)
		rc = add_known(record, "account", answer, "account");
	if (rc == 0)
		rc = add_known(record, "username", answer, "username");
	if (rc == 0)
		rc = add_known(record, "scope", answer, "scope");
	if (rc == 0)
		rc = add_known(record, "expires", answer, "password_expiry_utc");
	if (rc < 0)
		return rbr_fail_memory(error);
	return rbr_credential_from_record(credential) ? 0 : RINGBEARER_E_SYSTEM;
}

/* What OUT says: a credential, or why there is none. */
static int
understand(const struct ringbearer_secret *out, struct ringbearer_secret *said, struct rbr_credential *credential,
	struct rbr_error *error)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message answer = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_free_string) char *line = NULL;
	const char *name, *detail;
	int rc = rbr_message_parse(
		&answer, rbr_secret_string(out), out->size, RBR_DIALECT_WIRE, "its answer", RINGBEARER_E_SYSTEM, error);

	if (rc < 0)
		return rc;
	name = rbr_message_get(&answer, "error");
	detail = rbr_message_get(&answer, "error_description");
	if (name) {
		rc = rbr_error_from_name(name);
		error->retry_after = (long)rbr_message_get_number(&answer, "retry_after", 0);
		return rbr_fail(error, rc < 0 ? rc : RINGBEARER_E_SYSTEM, "%s",
			detail && *detail ? detail : ringbearer_error_advice(rc));
	}
	rc = take(&answer, credential, error);
	if (rc == 0)
		return 0;
	line = first_line(said);
	return rbr_fail(error, RINGBEARER_E_SYSTEM, "%s", line ? line : "ringbearer gave no answer; run it by hand");
}

static int
ask_program(const struct rbr_errand *errand, struct ringbearer_credential *credential, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret out = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret said = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_credential_wipe) struct rbr_credential fresh = RBR_CREDENTIAL_EMPTY;
	int rc = rbr_child_ask(errand, &out, &said, error);

	if (rc == 0)
		rc = understand(&out, &said, &fresh, error);
	if (rc < 0)
		return rc;
	rbr_credential_wipe(&credential->known);
	credential->known = fresh;
	fresh = RBR_CREDENTIAL_EMPTY;
	credential->notice = first_line(&said);
	return 0;
}

/* A token whose next refresh token is not in the keyring yet is good, but the program should see to the rest. */
static int
answer(struct rbr_context *context, const struct ringbearer_request *request, int timeout_ms,
	struct ringbearer_credential *credential)
{
	RBR_CLEANUP(rbr_wish_wipe) struct rbr_wish wish = RBR_WISH_EMPTY;
	struct rbr_errand errand;
	long seen = 0, before = 0;
	uid_t user;
	bool hit;
	int rc;

	if (request->rc < 0) {
		context->error = request->error;
		return request->rc;
	}
	rc = check_identity(&user, &context->error);
	if (rc < 0)
		return rc;
	if (user == request->maker)
		seen = before = atomic_load_explicit(request->seen, memory_order_relaxed);
	wish.seen = &seen;
	hit = rbr_hit(context, &request->wanted, RBR_IF_NEEDED, &wish, &credential->known);
	if (user == request->maker && seen != before)
		atomic_store_explicit(request->seen, seen, memory_order_relaxed);
	if (hit && !credential->known.unfinished && !rbr_credential_ageing(&credential->known, context->started))
		return 0;
	errand = errand_for(context, request, timeout_ms);
	if (hit && !credential->known.unfinished) {
		if (timeout_ms != 0 && is_first(&wish))
			rbr_child_send(&errand);
		return 0;
	}
	if (timeout_ms != 0)
		rc = ask_program(&errand, credential, &context->error);
	else
		rc = rbr_fail(&context->error, RINGBEARER_E_BUSY, "no token is cached; ask with time for a renewal");
	return hit ? 0 : rc;
}

int
ringbearer_get(const struct ringbearer_request *request, int timeout_ms, struct ringbearer_credential **ret_credential,
	struct ringbearer_failure **ret_failure)
{
	struct ringbearer_credential *credential = calloc(1, sizeof *credential);
	struct rbr_context context;
	int rc;

	rbr_context_start(&context);
	rc = credential ? answer(&context, request, timeout_ms, credential) : rbr_fail_memory(&context.error);
	if (rc == 0) {
		*ret_credential = credential;
		return 0;
	}
	ringbearer_credential_free(credential);
	if (ret_failure) {
		*ret_failure = calloc(1, sizeof **ret_failure);
		if (*ret_failure)
			(*ret_failure)->error = context.error;
	}
	return rc;
}

static bool
is_refused(const struct rbr_message *record, void *data)
{
	const struct rbr_credential *refused = data;
	const char *account = rbr_message_get(record, "account"), *token = rbr_message_get(record, "token");

	return rbr_cache_is_of_kind(record, "token") && account && token && strcmp(account, refused->account) == 0 &&
		strcmp(token, refused->token) == 0;
}

int
ringbearer_reject(const struct ringbearer_credential *credential)
{
	struct rbr_credential known = credential->known;
	uid_t user;
	int rc = check_identity(&user, NULL);

	if (rc == 0)
		rbr_cache_visit(is_refused, &known);
	return rc;
}

const char *
ringbearer_credential_token(const struct ringbearer_credential *credential)
{
	return credential->known.token;
}

const char *
ringbearer_credential_type(const struct ringbearer_credential *credential)
{
	return credential->known.type;
}

const char *
ringbearer_credential_account(const struct ringbearer_credential *credential)
{
	return credential->known.account;
}

const char *
ringbearer_credential_username(const struct ringbearer_credential *credential)
{
	return credential->known.username;
}

const char *
ringbearer_credential_scope(const struct ringbearer_credential *credential)
{
	return credential->known.scope;
}

int64_t
ringbearer_credential_expires(const struct ringbearer_credential *credential)
{
	return credential->known.expires;
}

const char *
ringbearer_credential_notice(const struct ringbearer_credential *credential)
{
	return credential->notice;
}

void
ringbearer_credential_free(struct ringbearer_credential *credential)
{
	if (!credential)
		return;
	rbr_credential_wipe(&credential->known);
	free(credential->notice);
	free(credential);
}

const char *
ringbearer_failure_detail(const struct ringbearer_failure *failure)
{
	return failure ? failure->error.detail : "";
}

long
ringbearer_failure_retry_after(const struct ringbearer_failure *failure)
{
	return failure ? failure->error.retry_after : 0;
}

void
ringbearer_failure_free(struct ringbearer_failure *failure)
{
	free(failure);
}
