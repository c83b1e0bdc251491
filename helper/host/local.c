/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "local.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "accounts/keys.h"
#include "person/log.h"
#include "protocol/fastpath/locate.h"
#include "protocol/fastpath/paths.h"
#include "protocol/text.h"
#include "protocol/writer.h"

#define NONE "none"
#define PASSWORD_MAX 4096 /* bytes */
#define HEX_DIGITS "0123456789abcdefABCDEF"

static bool
is_key(const char *kind)
{
	return strcmp(kind, RINGBEARER_LOCAL_SEAL) == 0;
}

const char *
rbr_local_label(const char *kind)
{
	return is_key(kind) ? "key" : "password";
}

const char *
rbr_local_name(const struct rbr_local *local, char name[RBR_LOCAL_NAME_MAX])
{
	if (strcmp(local->store_name, "secret_service") == 0)
		return "the keyring";
	(void)snprintf(name, RBR_LOCAL_NAME_MAX, "the store `%.64s`", local->store_name);
	return name;
}

/* As a shell takes it. */
static void
write_option(struct rbr_writer *out, enum rbr_key key, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._:@%+=,[]-";
	const char *quote = value[strspn(value, plain)] == '\0' ? "" : "'";
	char option[RBR_KEY_OPTION_MAX];

	if (!strchr(value, '\''))
		rbr_write_format(out, " --%s=%s%s%s", rbr_key_option(key, option), quote, value, quote);
}

const char *
rbr_local_command(const struct rbr_account *account, const char *word, char text[RBR_LOCAL_COMMAND_MAX])
{
	static const enum rbr_key keys[] = {RBR_KEY_STORE, RBR_KEY_STORE_LOCAL, RBR_KEY_STORE_FOLDER, RBR_KEY_STORE_KEY,
		RBR_KEY_STORE_KEY_FILE, RBR_KEY_STORE_COMMAND, RBR_KEY_STORE_PREFIX, RBR_KEY_STORE_USER,
		RBR_KEY_STORE_ENDPOINT};
	struct rbr_writer out = rbr_writer_start(text, RBR_LOCAL_COMMAND_MAX);
	size_t i, each, count = RBR_ARRAY_SIZE(keys) - (strcmp(word, "password") == 0 ? 0 : 2);
	const struct rbr_value *value;

	rbr_write_format(&out, "ringbearer seal %s", word);
	if (account->path[0] != '\0') {
		rbr_write_format(&out, " %s", account->name);
		return text;
	}
	/* There is no file yet that would say it. */
	for (i = 0; i < count; i++)
		for (each = 0; (value = rbr_account_value(account, (int)keys[i], each)); each++)
			if (value->layer >= RBR_LAYER_ACCOUNT)
				write_option(&out, keys[i], value->text);
	if (!rbr_writer_fits(&out))
		(void)snprintf(text, RBR_LOCAL_COMMAND_MAX, "ringbearer seal %s", word);
	return text;
}

/* -- what it is bound to -- */

/* One module goes by two names: my-vault and my_vault. */
static void
normalize(const char *name, char *ret_name, size_t size)
{
	char *p;

	(void)snprintf(ret_name, size, "%s", name);
	for (p = ret_name; *p; p++)
		if (*p == '-')
			*p = '_';
}

/* All endpoints in one order: who names them in another means the same. */
static int
bind_to_endpoints(struct rbr_local *local)
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	struct rbr_writer writer = rbr_writer_start(local->endpoint, sizeof local->endpoint);
	struct rbr_error *error = &local->call->context->error;
	const struct rbr_value *value;
	size_t i;

	for (i = 0; (value = rbr_account_value(local->call->account, RBR_KEY_STORE_ENDPOINT, i)); i++)
		if (rbr_names_add(value->text, &names) < 0)
			return rbr_fail_memory(error);
	rbr_names_sort(&names);
	for (i = 0; i < names.count; i++)
		rbr_write_format(&writer, "%s%s", i > 0 ? " " : "", names.list[i]);
	if (names.count == 0)
		rbr_write_text(&writer, NONE);
	if (!rbr_writer_fits(&writer))
		return rbr_fail(
			error, RINGBEARER_E_CONFIG, "the `store_endpoint` values are too long together; use fewer");
	return 0;
}

static int
bind_item(struct rbr_local *local, const char *kind)
{
	const struct rbr_account *account = local->call->account;
	struct rbr_error *error = &local->call->context->error;
	const char *user = rbr_account_get(account, RBR_KEY_STORE_USER);
	const char *prefix = rbr_account_get(account, RBR_KEY_STORE_PREFIX);
	char name[RBR_LOCAL_NAME_MAX];
	int rc = 0;

	normalize(rbr_account_get(account, RBR_KEY_STORE), name, sizeof name);
	(void)snprintf(local->account, sizeof local->account, "store:%s", name);
	(void)snprintf(local->label, sizeof local->label, "the store %s: %s", name, rbr_local_label(kind));
	if (is_key(kind))
		rc = snprintf(local->endpoint, sizeof local->endpoint, "%s", prefix) >= (int)sizeof local->endpoint
			? rbr_fail(error, RINGBEARER_E_CONFIG, "`store_prefix` is too long; use a shorter one")
			: 0;
	else if (user)
		rc = bind_to_endpoints(local);
	else
		rc = rbr_account_want(account, RBR_KEY_STORE_USER, error);
	local->item = (struct ringbearer_item){.size = sizeof local->item,
		.account = local->account,
		.kind = kind,
		.client_id = is_key(kind) ? NONE : user,
		.endpoint = local->endpoint,
		.label = local->label};
	return rc;
}

int
rbr_local_open(struct ringbearer_call *call, const char *kind, struct rbr_local *ret_local)
{
	const char *store = rbr_account_get(call->account, RBR_KEY_STORE);
	const char *name = rbr_account_get(call->account, RBR_KEY_STORE_LOCAL);
	char elsewhere[RBR_LOCAL_NAME_MAX], here[RBR_LOCAL_NAME_MAX];
	struct rbr_error *error = &call->context->error;
	int rc;

	ret_local->call = call;
	ret_local->store_name = name;
	if (!is_key(kind) && strcmp(kind, RINGBEARER_LOCAL_PASSWORD) != 0)
		return rbr_fail(error, RINGBEARER_E_MODULE,
			"the store `%s` asks for a `%.40s`, which no machine keeps; report it to the module's author",
			store, kind);
	normalize(store, elsewhere, sizeof elsewhere);
	normalize(name, here, sizeof here);
	if (call->local || strcmp(elsewhere, here) == 0)
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"`store_local` is `%s`, which needs a store of this machine itself; set `store_local` to secret_service, file, "
			"credentials or command",
			name);
	rc = rbr_loader_store(call->context, name, &ret_local->store);
	if (rc == 0 && rbr_loader_shares(&ret_local->store))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"`store_local` is `%s`, which many machines share; set `store_local` to a store of this machine: "
			"secret_service, file, credentials or command",
			name);
	return rc < 0 ? rc : bind_item(ret_local, kind);
}

/* -- looking up and keeping -- */

/* Another module is at work in the same call: what it was told stays as it is. */
struct aside {
	struct ringbearer_call *call;
	char folder[PATH_MAX];
	bool local;
};

static void
step_in(struct ringbearer_call *call, struct aside *aside)
{
	aside->call = call;
	aside->local = call->local;
	memcpy(aside->folder, call->folder, sizeof aside->folder);
	call->local = true;
}

static void
step_out(struct aside *aside)
{
	memcpy(aside->call->folder, aside->folder, sizeof aside->folder);
	aside->call->local = aside->local;
}

static int
fail_absent(struct rbr_local *local)
{
	const struct rbr_account *account = local->call->account;
	struct rbr_error *error = &local->call->context->error;
	char first[RBR_LOCAL_COMMAND_MAX], second[RBR_LOCAL_COMMAND_MAX], name[RBR_LOCAL_NAME_MAX];

	if (!is_key(local->item.kind))
		return rbr_fail(error, RINGBEARER_E_NO_SECRET,
			"%s of this machine has no password of %.100s for the store `%s` at %.300s; give it with `%s`",
			rbr_local_name(local, name), local->item.client_id, local->account + strlen("store:"),
			local->endpoint, rbr_local_command(account, "password", first));
	return rbr_fail(error, RINGBEARER_E_NO_SECRET,
		"%s of this machine has no key for the store `%s` with the `store_prefix` %.200s; bring it with `%s` from a machine "
		"that has it, or make the first with `%s`",
		rbr_local_name(local, name), local->account + strlen("store:"), local->endpoint,
		rbr_local_command(account, "import", first), rbr_local_command(account, "new", second));
}

/* What somebody else has put there may not be what it should be. */
static int
fail_form(struct rbr_local *local)
{
	struct rbr_error *error = &local->call->context->error;
	char name[RBR_LOCAL_NAME_MAX], command[RBR_LOCAL_COMMAND_MAX];

	return rbr_fail(error, RINGBEARER_E_STORE_UNAVAILABLE,
		"what %s has as the %s for the store `%s` is none; give it again with `%s --replace`",
		rbr_local_name(local, name), rbr_local_label(local->item.kind), local->account + strlen("store:"),
		rbr_local_command(local->call->account, is_key(local->item.kind) ? "import" : "password", command));
}

/* Nobody has chosen the store, and it is one of desktops: whoever has none is told of another. */
static int
advise(struct rbr_local *local, int rc)
{
	struct rbr_error *error = &local->call->context->error;
	const struct rbr_value *value = rbr_account_value(local->call->account, RBR_KEY_STORE_LOCAL, 0);
	struct rbr_error why = *error;
	char path[PATH_MAX];

	if (rc != RINGBEARER_E_STORE_UNAVAILABLE || !value || value->layer != RBR_LAYER_DEFAULT ||
		rbr_path_folder(RBR_PLACE_USER, RBR_DEFAULTS, path, NULL) < 0)
		return rc;
	return rbr_fail(error, rc, "%s; or run `ringbearer store init`, and write `store_local = file` into %s",
		why.detail, path);
}

int
rbr_local_lookup(struct rbr_local *local, struct ringbearer_secret **ret_value)
{
	struct rbr_context *context = local->call->context;
	struct ringbearer_secret *value = NULL;
	struct aside aside;
	int rc;

	if (!local->store.ops.lookup)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s cannot look secrets up; choose another `store_local`", local->store.name);
	rbr_trace(context, "looking up the %s of %s", rbr_local_label(local->item.kind), local->account);
	step_in(local->call, &aside);
	rc = local->store.ops.lookup(local->call, &local->item, &value);
	step_out(&aside);
	if (rc == RINGBEARER_E_NO_SECRET)
		return fail_absent(local);
	if (rc == 0 && !value)
		return rbr_fail(&context->error, RINGBEARER_E_MODULE,
			"the module %s gave no value; report it to its author", local->store.name);
	rc = advise(local, rbr_loader_check(context, local->store.name, rc));
	if (rc == 0 && rbr_local_check(local->item.kind, value, NULL) < 0)
		rc = fail_form(local);
	if (rc < 0)
		rbr_secret_free(value);
	else
		*ret_value = value;
	return rc;
}

static int
fail_read_only(struct rbr_local *local)
{
	struct rbr_error *error = &local->call->context->error;
	char command[RBR_LOCAL_COMMAND_MAX];

	if (!is_key(local->item.kind))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"the store `%s` is only read here; have the password put there as %s.%s", local->store_name,
			local->account + strlen("store:"), local->item.kind);
	return rbr_fail(error, RINGBEARER_E_CONFIG,
		"the store `%s` is only read here; have the key put there as %s.%s, as `%s` writes it on a machine that has it",
		local->store_name, local->account + strlen("store:"), local->item.kind,
		rbr_local_command(local->call->account, "export", command));
}

int
rbr_local_keep(struct rbr_local *local, const struct ringbearer_secret *value)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *kept = NULL;
	struct rbr_context *context = local->call->context;
	char name[RBR_LOCAL_NAME_MAX];
	struct aside aside;
	int rc;

	if (!local->store.ops.store)
		return fail_read_only(local);
	rbr_trace(context, "keeping the %s of %s", rbr_local_label(local->item.kind), local->account);
	step_in(local->call, &aside);
	rc = advise(local,
		rbr_loader_check(context, local->store.name, local->store.ops.store(local->call, &local->item, value)));
	step_out(&aside);
	if (rc == 0)
		rc = rbr_local_lookup(local, &kept);
	if (rc == 0 && (!kept || !rbr_secret_equal(kept->data, kept->size, value->data, value->size)))
		rc = rbr_fail(&context->error, RINGBEARER_E_STORE_UNAVAILABLE,
			"%s gave back another %s than it was given; check it and try again",
			rbr_local_name(local, name), rbr_local_label(local->item.kind));
	return rc;
}

/* -- its form -- */

int
rbr_local_check(const char *kind, struct ringbearer_secret *value, struct rbr_error *error)
{
	size_t i;

	if (!is_key(kind)) {
		if (value->size == 0)
			return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST, "the password is empty; give it again");
		if (value->size > PASSWORD_MAX)
			return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
				"the password is longer than %d bytes; give it again", PASSWORD_MAX);
		if (memchr(value->data, '\0', value->size) || !rbr_text_is_utf8(value->data))
			return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
				"the password has a control character, or is no UTF-8; give it again, on one line");
		return 0;
	}
	if (value->size == 0) /* what should have written it has failed */
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
			"no key came in; see whether `ringbearer seal export` has written one");
	if (value->size != RBR_LOCAL_KEY_SIZE || strspn(value->data, HEX_DIGITS) != RBR_LOCAL_KEY_SIZE)
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
			"this is no key, which has %d hexadecimal digits and nothing else; take what `ringbearer seal export` writes",
			RBR_LOCAL_KEY_SIZE);
	for (i = 0; i < value->size; i++)
		value->data[i] = (char)tolower((unsigned char)value->data[i]);
	return 0;
}
