/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "records.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal/verdict.h"
#include "turn.h"

#define WAITING_SECONDS 10 /* a verdict for those who were waiting: they look within a second */
#define UNKNOWN_SECONDS 300 /* a token that does not say how long it lives */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 36

static int64_t
real_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
format(struct rbr_message *message, int rc, struct ringbearer_secret *text)
{
	if (rc == 0)
		rc = rbr_message_format(message, text);
	rbr_message_wipe(message);
	return rc;
}

static bool
parse(const struct ringbearer_secret *text, struct rbr_message *message)
{
	return text &&
		rbr_message_parse(message, text->data, text->size, RBR_DIALECT_WIRE, "the record", RINGBEARER_E_SYSTEM,
			NULL) == 0;
}

static bool
take_text(const struct rbr_message *message, const char *key, char *to, size_t room)
{
	const char *value = rbr_message_get(message, key);

	return value && *value && snprintf(to, room, "%s", value) < (int)room;
}

/* -- machines -- */

static void
read_boot(char boot[BOOT_ID_SIZE + 1])
{
	RBR_CLEANUP(rbr_close) int file = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? -1 : read(file, boot, BOOT_ID_SIZE);

	boot[got == BOOT_ID_SIZE ? BOOT_ID_SIZE : 0] = '\0';
}

void
rbr_holder_here(struct rbr_context *context, const struct rbr_account *account, struct rbr_holder *ret_holder)
{
	RBR_CLEANUP(rbr_close) int lock = -1;
	char boot[BOOT_ID_SIZE + 1];
	struct stat status;

	memset(ret_holder, 0, sizeof *ret_holder);
	if (gethostname(ret_holder->host, sizeof ret_holder->host - 1) < 0 || ret_holder->host[0] == '\0')
		(void)snprintf(ret_holder->host, sizeof ret_holder->host, "unnamed");
	ret_holder->since = rbr_clock_now().real;
	read_boot(boot);
	/* Who cannot say which lock it has is nobody's fellow, not even its own. */
	if (boot[0] != '\0' && rbr_turn_open(context, account, &lock) == 0 && fstat(lock, &status) == 0)
		(void)snprintf(ret_holder->machine, sizeof ret_holder->machine, "%s-%ju-%ju-%ju", boot,
			(uintmax_t)geteuid(), (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
}

bool
rbr_holder_is_here(const struct rbr_holder *holder, const struct rbr_holder *here)
{
	return here->machine[0] != '\0' && strcmp(holder->machine, here->machine) == 0;
}

static int
add_holder(struct rbr_message *message, const struct rbr_holder *holder)
{
	int rc = rbr_message_add(message, "host", holder->host);

	if (rc == 0 && holder->machine[0] != '\0')
		rc = rbr_message_add(message, "machine", holder->machine);
	return rc < 0 ? rc : rbr_message_add_number(message, "since", holder->since);
}

static bool
get_holder(const struct rbr_message *message, struct rbr_holder *ret_holder)
{
	memset(ret_holder, 0, sizeof *ret_holder);
	if (!take_text(message, "host", ret_holder->host, sizeof ret_holder->host))
		return false;
	(void)take_text(message, "machine", ret_holder->machine, sizeof ret_holder->machine);
	ret_holder->since = rbr_message_get_number(message, "since", 0);
	return true;
}

int
rbr_record_write_holder(const struct rbr_holder *holder, struct ringbearer_secret *text)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	int rc = add_holder(&message, holder);

	return format(&message, rc, text);
}

bool
rbr_record_read_holder(const struct ringbearer_secret *text, struct rbr_holder *ret_holder)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;

	memset(ret_holder, 0, sizeof *ret_holder);
	return parse(text, &message) && get_holder(&message, ret_holder);
}

int
rbr_record_write_mark(const struct rbr_mark *mark, struct ringbearer_secret *text)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	int rc = add_holder(&message, &mark->by);

	if (rc == 0)
		rc = rbr_message_add(&message, "used", mark->used);
	if (rc == 0)
		rc = rbr_message_add_number(&message, "lease", mark->lease);
	if (rc == 0)
		rc = rbr_message_add_number(&message, "sent_ms", mark->sent_ms);
	if (rc == 0)
		rc = rbr_message_add_number(&message, "sends", mark->sends);
	if (rc == 0 && mark->kept)
		rc = rbr_message_add(&message, "kept", "1");
	return format(&message, rc, text);
}

bool
rbr_record_read_mark(const struct ringbearer_record *record, struct rbr_mark *ret_mark)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;

	memset(ret_mark, 0, sizeof *ret_mark);
	if (!record || !parse(record->value, &message) || !get_holder(&message, &ret_mark->by) ||
		!take_text(&message, "used", ret_mark->used, sizeof ret_mark->used))
		return false;
	ret_mark->lease = rbr_message_get_number(&message, "lease", 0);
	ret_mark->sent_ms = rbr_message_get_number(&message, "sent_ms", 0);
	ret_mark->sends = rbr_message_get_number(&message, "sends", 1);
	ret_mark->kept = rbr_message_get(&message, "kept") != NULL;
	return true;
}

/* -- what was asked for -- */

static int
add_value(struct rbr_cache_key *asked, const struct rbr_account *account, enum rbr_key key)
{
	const struct rbr_value *value;
	size_t i;
	int rc = rbr_cache_key_add(asked, rbr_keys[key].name);

	for (i = 0; rc == 0 && (value = rbr_account_value(account, (int)key, i)); i++)
		rc = rbr_cache_key_add(asked, value->text);
	return rc;
}

int
rbr_record_names(const struct rbr_account *account, struct rbr_record_names *ret_names)
{
	/* What makes another token of the same login. */
	static const enum rbr_key keys[] = {
		RBR_KEY_GRANT, RBR_KEY_SCOPE, RBR_KEY_SEND_SCOPE, RBR_KEY_RESOURCE, RBR_KEY_AUDIENCE, RBR_KEY_TOKEN};
	uint64_t hash;
	size_t i;

	memset(ret_names, 0, sizeof *ret_names);
	for (i = 0; i < RBR_ARRAY_SIZE(keys); i++)
		if (add_value(&ret_names->asked, account, keys[i]) < 0)
			return RINGBEARER_E_SYSTEM;
	hash = rbr_hash(ret_names->asked.text.data, ret_names->asked.text.size);
	(void)snprintf(ret_names->token, sizeof ret_names->token, "token-%016" PRIx64, hash);
	(void)snprintf(ret_names->verdict, sizeof ret_names->verdict, "verdict-%016" PRIx64, hash);
	return 0;
}

void
rbr_record_names_wipe(struct rbr_record_names *names)
{
	rbr_cache_key_wipe(&names->asked);
}

static bool
is_for(const struct rbr_message *message, const struct rbr_record_names *names)
{
	const char *asked = rbr_message_get(message, "for");

	return asked && strcmp(asked, rbr_secret_string(&names->asked.text)) == 0;
}

/* -- tokens -- */

int
rbr_record_write_token(const struct rbr_exchange *exchange, const struct rbr_record_names *names,
	struct ringbearer_secret *text, int64_t *ret_seconds)
{
	const struct ringbearer_tokens *tokens = &exchange->tokens;
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	int64_t age_ms = rbr_now_ms() - exchange->call.sent_ms;
	int rc;

	*ret_seconds =
		tokens->expires_in == RINGBEARER_EXPIRES_UNKNOWN ? UNKNOWN_SECONDS : tokens->expires_in - age_ms / 1000;
	if (*ret_seconds > RINGBEARER_RECORD_SECONDS_MAX)
		*ret_seconds = RINGBEARER_RECORD_SECONDS_MAX;
	if (!tokens->access_token || !tokens->token_type || *ret_seconds <= 0)
		return RINGBEARER_E_MALFORMED_RESPONSE;
	rc = rbr_message_add(&message, "for", rbr_secret_string(&names->asked.text));
	if (rc == 0)
		rc = rbr_message_add(&message, "token", rbr_secret_string(tokens->access_token));
	if (rc == 0)
		rc = rbr_message_add(&message, "type", tokens->token_type);
	if (rc == 0 && tokens->scope)
		rc = rbr_message_add(&message, "scope", rbr_secret_string(tokens->scope));
	if (rc == 0)
		rc = rbr_message_add_number(&message, "obtained_ms", real_ms() - age_ms);
	if (rc == 0 && tokens->expires_in != RINGBEARER_EXPIRES_UNKNOWN)
		rc = rbr_message_add_number(&message, "expires_in", tokens->expires_in);
	if (rc == 0 && tokens->id_token)
		rc = rbr_message_add(&message, "id_token", rbr_secret_string(tokens->id_token));
	if (rc == 0 && tokens->id_token)
		rc = rbr_message_add_number(&message, "id_expires", tokens->id_expires);
	rc = format(&message, rc, text);
	/* Together with the next refresh token it would be refused, and that would never be kept. */
	return rc == 0 && text->size > RINGBEARER_RECORD_SIZE_MAX ? RINGBEARER_E_MALFORMED_RESPONSE : rc;
}

static struct ringbearer_secret *
copy(const struct rbr_message *message, const char *key)
{
	const char *value = rbr_message_get(message, key);

	return value ? rbr_secret_new(value, strlen(value)) : NULL;
}

/* Ages are what machines agree on, if their clocks do; a clock that is behind must not make a token younger than now. */
static void
date(struct rbr_exchange *exchange, int64_t obtained_ms)
{
	const struct rbr_clock now = rbr_clock_now();
	int64_t age_ms = real_ms() - obtained_ms;

	if (age_ms < 0)
		age_ms = 0;
	exchange->call.sent.real = now.real - (age_ms + 999) / 1000;
	exchange->call.sent.boot = now.boot - (age_ms + 999) / 1000;
	exchange->call.sent_ms = rbr_now_ms() - age_ms;
}

bool
rbr_record_read_token(
	const struct ringbearer_record *record, const struct rbr_record_names *names, struct rbr_exchange *exchange)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;
	struct ringbearer_tokens *tokens = &exchange->tokens;
	const char *type;

	if (!record || !parse(record->value, &message) || !is_for(&message, names))
		return false;
	rbr_exchange_begin(exchange);
	type = rbr_message_get(&message, "type");
	tokens->token_type = type && strcmp(type, "Bearer") == 0 ? "Bearer" : NULL;
	tokens->access_token = copy(&message, "token");
	tokens->scope = copy(&message, "scope");
	tokens->id_token = copy(&message, "id_token");
	tokens->id_expires = rbr_message_get_number(&message, "id_expires", 0);
	tokens->expires_in = rbr_message_get_number(&message, "expires_in", RINGBEARER_EXPIRES_UNKNOWN);
	date(exchange, rbr_message_get_number(&message, "obtained_ms", 0));
	return tokens->token_type && tokens->access_token;
}

bool
rbr_record_can_go(const struct ringbearer_record *record, const struct rbr_record_names *names)
{
	return (strncmp(record->name, "token-", 6) == 0 || strncmp(record->name, "verdict-", 8) == 0) &&
		strcmp(record->name, names->token) != 0 && strcmp(record->name, names->verdict) != 0;
}

/* -- verdicts -- */

/* What the service, and not this machine's way to it or its address, has made of it. */
static bool
is_of_service(int code)
{
	switch (code) {
	case RINGBEARER_E_LOGIN_REQUIRED:
	case RINGBEARER_E_CLIENT_REJECTED:
	case RINGBEARER_E_ACCESS_DENIED:
	case RINGBEARER_E_INSUFFICIENT_SCOPE:
	case RINGBEARER_E_TEMPORARILY_UNAVAILABLE:
	case RINGBEARER_E_ROTATION_UNCERTAIN:
	case RINGBEARER_E_MALFORMED_RESPONSE:
		return true;
	default:
		return false;
	}
}

/* For how long it is everybody's; 0: it is for those alone who wait. A secret that is mended on this machine is mended for all. */
static int64_t
everybodys_seconds(const struct rbr_error *error)
{
	if (error->code == RINGBEARER_E_TEMPORARILY_UNAVAILABLE)
		return error->retry_after;
	return error->code == RINGBEARER_E_LOGIN_REQUIRED || error->code == RINGBEARER_E_ACCESS_DENIED ||
			error->code == RINGBEARER_E_INSUFFICIENT_SCOPE
		? RBR_VERDICT_SECONDS
		: 0;
}

bool
rbr_record_write_verdict(const struct rbr_error *error, const struct rbr_record_names *names,
	struct ringbearer_secret *text, int64_t *ret_seconds)
{
	struct rbr_message message = RBR_MESSAGE_EMPTY;
	int64_t shared = everybodys_seconds(error);
	int rc;

	if (!is_of_service(error->code))
		return false;
	*ret_seconds = shared > WAITING_SECONDS ? shared : WAITING_SECONDS;
	rc = rbr_message_add(&message, "for", rbr_secret_string(&names->asked.text));
	if (rc == 0)
		rc = rbr_message_add(&message, "error", ringbearer_error_name(error->code));
	if (rc == 0)
		rc = rbr_message_add(&message, "detail", error->detail);
	if (rc == 0)
		rc = rbr_message_add_number(&message, "until_ms", real_ms() + shared * 1000);
	if (rc == 0 && error->retry_after > 0)
		rc = rbr_message_add_number(&message, "retry_after", error->retry_after);
	return format(&message, rc, text) == 0;
}

int
rbr_record_read_verdict(const struct ringbearer_record *record, const struct rbr_record_names *names, bool is_new,
	struct rbr_error *error)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message message = RBR_MESSAGE_EMPTY;
	const char *name, *detail;
	int64_t left_ms;

	if (!record || !parse(record->value, &message) || !is_for(&message, names))
		return 0;
	name = rbr_message_get(&message, "error");
	detail = rbr_message_get(&message, "detail");
	left_ms = rbr_message_get_number(&message, "until_ms", 0) - real_ms();
	if (!name || !detail || (!is_new && left_ms <= 0) || !is_of_service(rbr_error_from_name(name)))
		return 0;
	(void)rbr_fail(error, rbr_error_from_name(name), "%s", detail);
	if (rbr_message_get(&message, "retry_after") && left_ms > 0)
		error->retry_after = (long)((left_ms + 999) / 1000);
	return error->code;
}
