/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "vault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "accounts/endpoint.h"
#include "person/log.h"
#include "protocol/writer.h"

#define SECRET_SIZE_MAX 65000
#define EXPECTED_MAX 2
#define KIND_PROBE "probe"
#define KIND_CONFIRMED "endpoints" /* no secret, and as safe from others as one */

static const struct {
	const char *kind;
	const char *label;
} kinds[] = {
	{RBR_KIND_CLIENT_SECRET, "client secret"},
	{RBR_KIND_REFRESH_TOKEN, "refresh token"},
	{RBR_KIND_API_KEY, "API key"},
	{KIND_PROBE, "probe"},
	{KIND_CONFIRMED, "confirmed endpoints"},
};

const char *const rbr_vault_kinds[] = {
	RBR_KIND_CLIENT_SECRET, RBR_KIND_REFRESH_TOKEN, RBR_KIND_API_KEY, KIND_CONFIRMED, NULL};

const char *
rbr_vault_label(const char *kind)
{
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].label;
	return NULL;
}

bool
rbr_vault_knows(const char *kind)
{
	return rbr_vault_label(kind) && strcmp(kind, KIND_PROBE) != 0 && strcmp(kind, KIND_CONFIRMED) != 0;
}

int
rbr_vault_open(struct ringbearer_call *call, struct rbr_vault *ret_vault)
{
	const char *name = rbr_account_get(call->account, RBR_KEY_STORE);

	ret_vault->call = call;
	return rbr_loader_store(call->context, name, &ret_vault->store);
}

/* All places that the account answers for, separated by blanks. */
static int
bind_to_matches(const struct rbr_account *account, char endpoint[RBR_BINDING_MAX], struct rbr_error *error)
{
	const struct rbr_value *value;
	struct rbr_writer writer = rbr_writer_start(endpoint, RBR_BINDING_MAX);
	size_t i;

	for (i = 0; (value = rbr_account_value(account, RBR_KEY_MATCH, i)); i++) {
		rbr_write_text(&writer, i > 0 ? " " : "");
		rbr_write_text(&writer, value->text);
	}
	if (!rbr_writer_fits(&writer))
		return rbr_fail(error, RINGBEARER_E_CONFIG, "the `match` values are too long together; use fewer");
	if (writer.used == 0)
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"`match` is not set; add match = https://… for the place that the API key may be sent to");
	return 0;
}

int
rbr_vault_binding(const struct rbr_account *account, const char *kind, char ret_endpoint[RBR_BINDING_MAX],
	struct rbr_error *error)
{
	const char *endpoint;

	endpoint = rbr_account_get(account, RBR_KEY_TOKEN_ENDPOINT);
	if (strcmp(kind, RBR_KIND_API_KEY) == 0)
		return bind_to_matches(account, ret_endpoint, error);
	if (!endpoint)
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"`token_endpoint` is not set; add token_endpoint = https://…, or an `issuer` or `provider` that knows it");
	(void)snprintf(ret_endpoint, RBR_BINDING_MAX, "%s", endpoint);
	return 0;
}

int
rbr_vault_bind(const struct rbr_vault *vault, const char *kind, struct rbr_binding *binding)
{
	const struct rbr_account *account = vault->call->account;
	const char *client_id = rbr_account_get(account, RBR_KEY_CLIENT_ID);
	int rc = rbr_vault_binding(account, kind, binding->endpoint, &vault->call->context->error);

	if (rc < 0)
		return rc;
	(void)snprintf(binding->label, sizeof binding->label, "%s: %s", account->name, rbr_vault_label(kind));
	binding->item = (struct ringbearer_item){
		.size = sizeof binding->item,
		.account = account->name,
		.kind = kind,
		.client_id = client_id ? client_id : RBR_NO_CLIENT,
		.endpoint = binding->endpoint,
		.label = binding->label,
	};
	return 0;
}

void
rbr_vault_expect(const struct rbr_vault *vault, const char *const *wanted)
{
	struct rbr_binding bindings[EXPECTED_MAX];
	struct ringbearer_item items[EXPECTED_MAX];
	const struct rbr_error error = vault->call->context->error;
	size_t count = 0;

	if (!vault->store.ops.expect)
		return;
	for (; *wanted && count < EXPECTED_MAX; wanted++)
		if (rbr_vault_bind(vault, *wanted, &bindings[count]) == 0) {
			items[count] = bindings[count].item;
			count++;
		}
	vault->call->context->error = error; /* what an item is bound to may be known later */
	vault->store.ops.expect(vault->call, items, count);
}

/* What people call it. */
static const char *
name_of(const struct rbr_vault *vault)
{
	return strcmp(rbr_account_get(vault->call->account, RBR_KEY_STORE), "secret_service") == 0 ? "the keyring"
												   : "the store";
}

bool
rbr_vault_is_read_only(const struct rbr_vault *vault)
{
	return !vault->store.ops.store && !vault->store.ops.erase;
}

static int
unsupported(const struct rbr_vault *vault, const char *what)
{
	return rbr_fail(&vault->call->context->error, RINGBEARER_E_MODULE,
		"the module %s cannot %s; choose another `store`", vault->store.name, what);
}

static int
lookup(struct rbr_vault *vault, const struct rbr_binding *binding, struct ringbearer_secret **ret_secret)
{
	struct rbr_error *error = &vault->call->context->error;
	const char *kind = binding->item.kind;
	int rc;

	if (!vault->store.ops.lookup)
		return unsupported(vault, "look secrets up");
	rc = vault->store.ops.lookup(vault->call, &binding->item, ret_secret);
	if (rc == RINGBEARER_E_NO_SECRET)
		return rbr_fail(error, rc, "%s holds no %s for %s at %s; give it with `ringbearer secret %s`",
			name_of(vault), rbr_vault_label(kind), binding->item.client_id, binding->endpoint,
			binding->item.account);
	if (rc == 0 && !*ret_secret)
		return rbr_fail(error, RINGBEARER_E_MODULE, "the module %s gave no value; report it to its author",
			vault->store.name);
	if (rc == 0 && rbr_vault_check(*ret_secret, NULL) < 0)
		return rbr_fail(error, RINGBEARER_E_STORE_UNAVAILABLE,
			"%s's item is not one that ringbearer wrote; remove it there and give the secret again",
			name_of(vault));
	return rbr_loader_check(vault->call->context, vault->store.name, rc);
}

int
rbr_vault_lookup(struct rbr_vault *vault, const char *kind, struct ringbearer_secret **ret_secret)
{
	struct rbr_binding binding;
	int rc = rbr_vault_bind(vault, kind, &binding);

	rbr_trace(vault->call->context, "looking up the %s of %s", rbr_vault_label(kind), vault->call->account->name);
	return rc < 0 ? rc : lookup(vault, &binding, ret_secret);
}

/* Keeps SECRET, reads it back and compares. */
static int
keep(struct rbr_vault *vault, const struct rbr_binding *binding, const struct ringbearer_secret *secret)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *kept = NULL;
	int rc;

	if (!vault->store.ops.store)
		return unsupported(vault, "keep secrets");
	rc = rbr_loader_check(
		vault->call->context, vault->store.name, vault->store.ops.store(vault->call, &binding->item, secret));
	if (rc == 0)
		rc = lookup(vault, binding, &kept);
	if (rc < 0)
		return rc;
	/* Where machines share it, another may have renewed it in between. */
	if (!kept ||
		(!rbr_loader_shares(&vault->store) &&
			!rbr_secret_equal(kept->data, kept->size, secret->data, secret->size)))
		return rbr_fail(&vault->call->context->error, RINGBEARER_E_STORE_UNAVAILABLE,
			"%s gave back another %s than it was given; check it and try again", name_of(vault),
			rbr_vault_label(binding->item.kind));
	return 0;
}

int
rbr_vault_keep(struct rbr_vault *vault, const char *kind, const struct ringbearer_secret *secret)
{
	struct rbr_binding binding;
	int rc = rbr_vault_bind(vault, kind, &binding);

	if (rc < 0)
		return rc;
	rbr_trace(vault->call->context, "keeping the %s of %s", rbr_vault_label(kind), vault->call->account->name);
	return keep(vault, &binding, secret);
}

int
rbr_vault_erase(struct rbr_vault *vault, const char *kind)
{
	struct rbr_binding binding;
	int rc = rbr_vault_bind(vault, kind, &binding);

	if (rc < 0)
		return rc;
	if (!vault->store.ops.erase)
		return unsupported(vault, "erase secrets");
	rbr_trace(vault->call->context, "erasing the %s of %s", rbr_vault_label(kind), vault->call->account->name);
	return rbr_loader_check(
		vault->call->context, vault->store.name, vault->store.ops.erase(vault->call, &binding.item));
}

/* -- endpoints that a person confirmed -- */

/* Is URL one of the words of LIST? */
static bool
lists(const char *list, const char *url)
{
	size_t size = strlen(url), each;

	for (; *list; list += each + (list[each] == ' ')) {
		each = strcspn(list, " ");
		if (each == size && memcmp(list, url, size) == 0)
			return true;
	}
	return false;
}

int
rbr_vault_recall_confirmed(struct rbr_vault *vault, struct rbr_account *account)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *urls = NULL;
	struct rbr_error *error = &vault->call->context->error;
	int key, rc = rbr_vault_lookup(vault, KIND_CONFIRMED, &urls);

	for (key = 0; rc == 0 && key < RBR_KEYS; key++) {
		const struct rbr_value *value = rbr_account_value(account, key, 0);

		if (value && value->layer == RBR_LAYER_METADATA && rbr_endpoint_takes_secrets(key) &&
			lists(rbr_secret_string(urls), value->text))
			rc = rbr_account_confirm(account, (enum rbr_key)key, value->text, error);
	}
	return rc;
}

int
rbr_vault_keep_confirmed(struct rbr_vault *vault)
{
	struct ringbearer_secret urls = RBR_SECRET_EMPTY;
	const struct rbr_value *value;
	int key, rc = 0;

	for (key = 0; rc == 0 && key < RBR_KEYS; key++) {
		value = rbr_account_value(vault->call->account, key, 0);
		if (!value || value->layer != RBR_LAYER_CONFIRMED)
			continue;
		if (urls.size > 0)
			rc = rbr_secret_append_string(&urls, " ");
		if (rc == 0)
			rc = rbr_secret_append_string(&urls, value->text);
	}
	if (rc < 0)
		rc = rbr_fail_memory(&vault->call->context->error);
	else if (urls.size > 0)
		rc = rbr_vault_keep(vault, KIND_CONFIRMED, &urls);
	rbr_secret_wipe(&urls);
	return rc;
}

int
rbr_vault_forget_confirmed(struct rbr_vault *vault)
{
	return rbr_vault_erase(vault, KIND_CONFIRMED);
}

static const struct rbr_binding trial = {
	.item = {.size = sizeof(struct ringbearer_item),
		.account = "ringbearer",
		.kind = KIND_PROBE,
		.client_id = "none",
		.endpoint = "none",
		.label = "ringbearer: no secret, but a trial whether this keyring can be written"},
	.endpoint = "none",
};

/* The same item for all accounts, which stays: one that came and went would pile up in a recycle bin, and some keyrings ask
 * before they remove anything. TEXT is its value. */
static int
keep_probe(struct rbr_vault *vault, const struct ringbearer_secret *text)
{
	rbr_trace(vault->call->context, "trying whether %s can be written", name_of(vault));
	if (rbr_vault_is_read_only(vault))
		return rbr_fail(&vault->call->context->error, RINGBEARER_E_CONFIG,
			"the store `%s` is only read here, and there would be a secret to keep; choose another `store`",
			rbr_account_get(vault->call->account, RBR_KEY_STORE));
	return keep(vault, &trial, text);
}

int
rbr_vault_probe(struct rbr_vault *vault)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	int rc = rbr_secret_append_string(&text, "ringbearer tries whether the keyring can be written");

	return rc < 0 ? rbr_fail_memory(&vault->call->context->error) : keep_probe(vault, &text);
}

int
rbr_vault_knock(struct rbr_vault *vault)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *found = NULL;
	int rc = lookup(vault, &trial, &found);

	return rc == RINGBEARER_E_NO_SECRET ? 0 : rc;
}

int
rbr_vault_same(struct rbr_vault *a, struct rbr_vault *b, bool *ret_same)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *found = NULL;
	struct rbr_error *error = &a->call->context->error;
	char digits[RBR_HEX_MAX];
	uint64_t number;
	int rc;

	if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
		return rbr_fail(error, RINGBEARER_E_SYSTEM, "there is no randomness: %s", strerror(errno));
	if (rbr_secret_append_string(&text, "ringbearer tries whether two stores are one: ") < 0 ||
		rbr_secret_append(&text, digits, (size_t)(rbr_hex(digits, number) - digits)) < 0)
		return rbr_fail_memory(error);
	rc = keep_probe(b, &text);
	if (rc < 0)
		return rc;
	rc = lookup(a, &trial, &found);
	*ret_same = rc == 0 && found && rbr_secret_equal(found->data, found->size, text.data, text.size);
	return rc == RINGBEARER_E_NO_SECRET ? 0 : rc;
}

int
rbr_vault_check(const struct ringbearer_secret *secret, struct rbr_error *error)
{
	size_t i;

	if (secret->size == 0)
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST, "the secret is empty; give it again");
	if (secret->size > SECRET_SIZE_MAX)
		return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
			"the secret is longer than %d bytes; give it again", SECRET_SIZE_MAX);
	for (i = 0; i < secret->size; i++)
		if (secret->data[i] < 0x20 || secret->data[i] > 0x7e)
			return rbr_fail(error, RINGBEARER_E_MALFORMED_REQUEST,
				"byte %zu of the secret is no printable ASCII character; give it again as the service shows it",
				i + 1);
	return 0;
}
