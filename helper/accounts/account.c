/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "account.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys.h"
#include "protocol/writer.h"
#include "provider.h"

void
rbr_account_wipe(struct rbr_account *account)
{
	size_t i;

	for (i = 0; i < account->count; i++)
		free(account->values[i].text);
	account->count = 0;
}

/* Longest text that goes into one `{name}` of a provider, with its NUL. */
#define EXPANSION_MAX 512

/* -- values -- */

static int
push(struct rbr_account *account, int key, enum rbr_layer layer, unsigned line, const char *text,
	struct rbr_error *error)
{
	struct rbr_value *value = &account->values[account->count];

	if (account->count == RBR_ACCOUNT_VALUES_MAX)
		return rbr_fail(
			error, RINGBEARER_E_CONFIG, "the account has more than %d values", RBR_ACCOUNT_VALUES_MAX);
	value->text = strdup(text);
	if (!value->text)
		return rbr_fail_memory(error);
	value->key = key;
	value->layer = layer;
	value->line = line;
	account->count++;
	return 0;
}

const struct rbr_value *
rbr_account_value(const struct rbr_account *account, int key, size_t index)
{
	const struct rbr_value *top = NULL;
	size_t i;

	for (i = 0; i < account->count; i++)
		if (account->values[i].key == key && (!top || account->values[i].layer > top->layer))
			top = &account->values[i];
	for (i = 0; top && i < account->count; i++)
		if (account->values[i].key == key && account->values[i].layer == top->layer && index-- == 0)
			return &account->values[i];
	return NULL;
}

const char *
rbr_account_get(const struct rbr_account *account, enum rbr_key key)
{
	const struct rbr_value *value = rbr_account_value(account, (int)key, 0);

	return value ? value->text : NULL;
}

int
rbr_account_want(const struct rbr_account *account, enum rbr_key key, struct rbr_error *error)
{
	const struct rbr_key_info *info = &rbr_keys[key];
	char option[RBR_KEY_OPTION_MAX];

	if (rbr_account_get(account, key))
		return 0;
	if (account->path[0] != '\0')
		return rbr_fail(error, RINGBEARER_E_CONFIG, "`%s` is not set; add %s = %s to %s", info->name,
			info->name, info->placeholder, account->path);
	return rbr_fail(error, RINGBEARER_E_CONFIG, "`%s` is not set; add --%s=%s", info->name,
		rbr_key_option(key, option), info->placeholder);
}

bool
rbr_account_yes(const struct rbr_account *account, enum rbr_key key)
{
	const char *text = rbr_account_get(account, key);

	return text && strcmp(text, "yes") == 0;
}

int64_t
rbr_account_seconds(const struct rbr_account *account, enum rbr_key key)
{
	const char *text = rbr_account_get(account, key);

	return text ? (int64_t)strtoll(text, NULL, 10) : -1;
}

int64_t
rbr_account_renew_ahead(const struct rbr_account *account, int64_t lifetime)
{
	const char *text = rbr_account_get(account, RBR_KEY_RENEW_AHEAD);
	int64_t number = rbr_account_seconds(account, RBR_KEY_RENEW_AHEAD);

	return text && strchr(text, '%') ? lifetime * number / 100 : number;
}

void
rbr_account_write_store(const struct rbr_account *account, struct rbr_writer *out)
{
	const struct rbr_value *value;
	size_t i;
	int key;

	for (key = 0; key < RBR_KEYS; key++)
		for (i = 0; rbr_key_is_of_store((enum rbr_key)key) && (value = rbr_account_value(account, key, i)); i++)
			rbr_write_format(out, "%s=%s\n", rbr_keys[key].name, value->text);
}

int
rbr_account_learn(struct rbr_account *account, enum rbr_key key, const char *text, struct rbr_error *error)
{
	int rc = rbr_key_check(&rbr_keys[key], text, "the issuer's metadata", error);

	return rc < 0 ? rc : push(account, (int)key, RBR_LAYER_METADATA, 0, text, error);
}

int
rbr_account_confirm(struct rbr_account *account, enum rbr_key key, const char *text, struct rbr_error *error)
{
	int rc = rbr_key_check(&rbr_keys[key], text, "the issuer's metadata", error);

	return rc < 0 ? rc : push(account, (int)key, RBR_LAYER_CONFIRMED, 0, text, error);
}

int
rbr_account_override(struct rbr_account *account, enum rbr_key key, const char *text, struct rbr_error *error)
{
	int rc = rbr_key_check(&rbr_keys[key], text, "the request", error);

	return rc < 0 ? rc : push(account, (int)key, RBR_LAYER_REQUEST, 0, text, error);
}

void
rbr_account_plain(struct rbr_account *account)
{
	size_t i, kept = 0;

	for (i = 0; i < account->count; i++)
		if (account->values[i].layer == RBR_LAYER_REQUEST)
			free(account->values[i].text);
		else
			account->values[kept++] = account->values[i];
	account->count = kept;
}

/* -- layers -- */

static int
add_defaults(struct rbr_account *account, struct rbr_error *error)
{
	int key, rc = 0;

	for (key = 0; rc == 0 && key < RBR_KEYS; key++)
		if (rbr_keys[key].initial)
			rc = push(account, key, RBR_LAYER_DEFAULT, 0, rbr_keys[key].initial, error);
	return rc;
}

static bool
is_secret_key(const char *key)
{
	return strcmp(key, "client_secret") == 0 || strcmp(key, "refresh_token") == 0 || strcmp(key, "api_key") == 0 ||
		strcmp(key, "access_token") == 0 || strcmp(key, "password") == 0;
}

/* Finds KEY, or says why not. */
static int
identify(const char *key, const char *account, const char *what, unsigned line, struct rbr_error *error)
{
	struct rbr_nearest nearest = RBR_NEAREST(key);
	int found = rbr_key_find(key);

	if (found >= 0)
		return found;
	if (is_secret_key(key))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"%s, line %u: a configuration file must not hold a secret; remove `%s` and give it with `ringbearer secret %s`",
			what, line, key, account);
	rbr_key_nearest(&nearest);
	return rbr_fail(error, RINGBEARER_E_CONFIG, "%s, line %u: there is no key `%.64s`; did you mean `%s`?", what,
		line, key, nearest.name);
}

/* The LINES of a file, WHAT, as one layer. */
static int
add_lines(struct rbr_account *account, enum rbr_layer layer, const struct rbr_message *lines, const char *what,
	struct rbr_error *error)
{
	const struct rbr_value *earlier;
	char place[PATH_MAX + 32];
	size_t i;
	int key, rc = 0;

	for (i = 0; rc == 0 && i < lines->count; i++) {
		unsigned line = lines->entries[i].line;

		key = identify(rbr_message_key(lines, i), account->name, what, line, error);
		if (key < 0)
			return key;
		(void)snprintf(place, sizeof place, line ? "%s, line %u" : "%s", what, line);
		earlier = rbr_account_value(account, key, 0);
		if (!rbr_keys[key].repeats && earlier && earlier->layer == layer)
			return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `%s` stands there twice; keep one", place,
				rbr_keys[key].name);
		rc = rbr_key_check_written(&rbr_keys[key], rbr_message_value(lines, i), place, error);
		if (rc == 0)
			rc = push(account, key, layer, line, rbr_message_value(lines, i), error);
	}
	return rc;
}

/* What stands for all accounts. Below the provider: what a service prescribes is no matter of taste. */
static int
add_defaults_of(struct rbr_account *account, enum rbr_place place, enum rbr_layer layer, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	char path[PATH_MAX];
	int rc = rbr_path_folder(place, RBR_DEFAULTS, path, NULL);

	if (rc < 0 || (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)))
		return 0;
	rc = rbr_config_read(path, RBR_TRUST_USER, &lines, error);
	return rc < 0 ? rc : add_lines(account, layer, &lines, path, error);
}

/* What `{NAME}` stands for; the tenant may be a name in the provider's domain. */
static int
expansion(const struct rbr_account *account, const struct rbr_provider *provider, const char *name, size_t size,
	char text[EXPANSION_MAX], struct rbr_error *error)
{
	const char *domain = rbr_message_get(&provider->lines, "tenant_domain"), *value;
	char key_name[64];
	int key, length;

	(void)snprintf(key_name, sizeof key_name, "%.*s", (int)size, name);
	key = rbr_key_find(key_name);
	value = key < 0 ? NULL : rbr_account_get(account, (enum rbr_key)key);
	if (!value)
		return rbr_fail(error, RINGBEARER_E_CONFIG, "the provider `%s` needs `%s`; add it to the account",
			rbr_account_get(account, RBR_KEY_PROVIDER), key_name);
	if (value[strspn(value, RBR_WORD_CHARACTERS)] != '\0' &&
		(key != RBR_KEY_TENANT || domain || !rbr_key_is_tenant(value)))
		return rbr_fail(error, RINGBEARER_E_CONFIG,
			"`%s` goes into the provider's URLs: it may have letters, digits and `._~:[]-` only", key_name);
	if (domain && domain[strspn(domain, RBR_WORD_CHARACTERS)] != '\0')
		return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `tenant_domain` is no name of a host; mend it",
			provider->path);
	if (key == RBR_KEY_TENANT && domain && !strpbrk(value, ".:"))
		length = snprintf(text, EXPANSION_MAX, "%s.%s", value, domain);
	else
		length = snprintf(text, EXPANSION_MAX, "%s", value);
	if (length < 0 || length >= EXPANSION_MAX) /* never cut: the end of a host's name decides whose it is */
		return rbr_fail(
			error, RINGBEARER_E_CONFIG, "`%s` is too long to go into the provider's URLs", key_name);
	return 0;
}

/* Fills in the `{name}`s of TEMPLATE. */
static int
expand(const struct rbr_account *account, const struct rbr_provider *provider, const char *template,
	struct ringbearer_secret *out, struct rbr_error *error)
{
	char text[EXPANSION_MAX];
	int rc = 0;

	while (rc == 0 && *template) {
		size_t plain = strcspn(template, "{"), name;

		rc = rbr_secret_append(out, template, plain);
		template += plain;
		if (rc < 0 || *template == '\0')
			break;
		name = strcspn(++template, "}");
		if (template[name] == '\0')
			return rbr_fail(error, RINGBEARER_E_CONFIG, "%s has a `{` without `}`", provider->path);
		rc = expansion(account, provider, template, name, text, error);
		if (rc < 0)
			return rc;
		/* A path ends a host's name, whose end may be the provider's. */
		if (strchr(text, '/') && template[name + 1] != '/' && template[name + 1] != '\0')
			return rbr_fail(error, RINGBEARER_E_CONFIG,
				"`%.*s` is only a part of a host's name for this provider: it may have no `/`",
				(int)name, template);
		rc = rbr_secret_append_string(out, text);
		template += name + 1;
	}
	return rc < 0 ? rbr_fail_memory(error) : 0;
}

static void
take_hint(const struct rbr_provider *provider, const char *key, char hint[RBR_HINT_MAX])
{
	const char *text = rbr_message_get(&provider->lines, key);

	(void)snprintf(hint, RBR_HINT_MAX, "%s", text ? text : "");
}

/* A tenant has no meaning but in a provider's values. Where those do not have it, somebody believes that their own host is
 * meant, and the secret would go to the provider's. */
static int
check_tenant(const struct rbr_account *account, const struct rbr_message *lines, struct rbr_error *error)
{
	const struct rbr_value *tenant = rbr_account_value(account, RBR_KEY_TENANT, 0);
	const char *provider = rbr_account_get(account, RBR_KEY_PROVIDER);
	size_t i;

	if (!tenant || tenant->layer != RBR_LAYER_ACCOUNT)
		return 0;
	for (i = 0; i < lines->count; i++)
		if (!rbr_provider_has_key(rbr_message_key(lines, i)) && strstr(rbr_message_value(lines, i), "{tenant}"))
			return 0;
	return rbr_fail(error, RINGBEARER_E_CONFIG,
		"the provider `%s` does not use `tenant`, and secrets would not go to `%.120s`; remove it, or choose a provider "
		"that takes one, see `ringbearer providers`",
		provider ? provider : "none", tenant->text);
}

static int
add_provider(struct rbr_account *account, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_provider_wipe) struct rbr_provider provider = RBR_PROVIDER_EMPTY;
	const char *name = rbr_account_get(account, RBR_KEY_PROVIDER);
	char place[PATH_MAX + 32];
	size_t i;
	int key, rc = name ? rbr_provider_load(name, &provider, error) : 0;

	memcpy(account->provider_path, provider.path, sizeof provider.path);
	account->provider_shipped = provider.place == RBR_PLACE_SHIPPED;
	take_hint(&provider, "denied_hint", account->denied_hint);
	take_hint(&provider, "rejected_hint", account->rejected_hint);
	take_hint(&provider, "needs", account->needs);
	take_hint(&provider, "grants", account->grants);
	for (i = 0; rc == 0 && i < provider.lines.count; i++) {
		RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
		unsigned line = provider.lines.entries[i].line;

		if (rbr_provider_has_key(rbr_message_key(&provider.lines, i)))
			continue;
		key = identify(rbr_message_key(&provider.lines, i), account->name, provider.path, line, error);
		if (key < 0)
			return key;
		rc = expand(account, &provider, rbr_message_value(&provider.lines, i), &text, error);
		(void)snprintf(place, sizeof place, "%s, line %u", provider.path, line);
		if (rc == 0)
			rc = rbr_key_check_written(&rbr_keys[key], rbr_secret_string(&text), place, error);
		if (rc == 0)
			rc = push(account, key, RBR_LAYER_PROVIDER, line, rbr_secret_string(&text), error);
	}
	return rc < 0 ? rc : check_tenant(account, &provider.lines, error);
}

/* Names those that there are, or that the service is known to take. */
static int
fail_without_grant(const struct rbr_account *account, const char *what, struct rbr_error *error)
{
	const char *word = account->grants[0] != '\0' ? account->grants
						      : "authorization_code device_code client_credentials api_key";
	char names[RBR_HINT_MAX * 2];
	struct rbr_writer writer = rbr_writer_start(names, sizeof names);

	for (word += strspn(word, " "); *word; word += strspn(word, " ")) {
		rbr_write_format(&writer, "%s%.*s", writer.used > 0 ? ", " : "", (int)strcspn(word, " "), word);
		word += strcspn(word, " ");
	}
	return rbr_fail(error, RINGBEARER_E_CONFIG, "%s: `grant` is missing; add %s one of %s", what,
		account->path[0] != '\0' ? "grant =" : "--grant= with", names);
}

static int
add_layers(struct rbr_account *account, const struct rbr_message *lines, const char *what, struct rbr_error *error)
{
	int rc = add_defaults(account, error);

	if (rc == 0)
		rc = add_defaults_of(account, RBR_PLACE_SYSTEM, RBR_LAYER_SYSTEM_DEFAULTS, error);
	if (rc == 0)
		rc = add_defaults_of(account, RBR_PLACE_USER, RBR_LAYER_USER_DEFAULTS, error);
	if (rc == 0)
		rc = add_lines(account, RBR_LAYER_ACCOUNT, lines, what, error);
	if (rc == 0)
		rc = add_provider(account, error);
	return rc < 0 || rbr_account_get(account, RBR_KEY_GRANT) ? rc : fail_without_grant(account, what, error);
}

int
rbr_account_assemble(const char *name, const struct rbr_message *lines, const char *what,
	struct rbr_account *ret_account, struct rbr_error *error)
{
	int rc = rbr_account_check_name(name, error);

	if (rc < 0)
		return rc;
	(void)snprintf(ret_account->name, sizeof ret_account->name, "%s", name);
	rc = add_layers(ret_account, lines, what, error);
	if (rc < 0)
		rbr_account_wipe(ret_account);
	return rc;
}

int
rbr_account_load(const char *name, struct rbr_account *ret_account, struct rbr_error *error)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	struct rbr_located located;
	int rc = rbr_account_locate(name, &located, error);

	if (rc == RINGBEARER_E_NO_ACCOUNT)
		return rbr_account_missing(name, error);
	if (rc == 0)
		rc = rbr_config_read(located.path, RBR_TRUST_USER, &lines, error);
	if (rc == 0)
		memcpy(ret_account->path, located.path, sizeof located.path);
	if (rc == 0)
		rc = rbr_account_assemble(name, &lines, located.path, ret_account, error);
	return rc;
}

/* -- all of them -- */

static bool
shadowed(const char *name, size_t place)
{
	char folder[PATH_MAX], path[PATH_MAX];

	return place > 0 && rbr_path_folder(rbr_account_places[0], "accounts", folder, NULL) == 0 &&
		rbr_path_join(folder, name, path, NULL) == 0 && access(path, F_OK) == 0;
}

int
rbr_account_visit(rbr_account_visitor visit, void *data, struct rbr_error *error)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	size_t i;
	DIR *open_folder;
	int rc = 0;

	for (i = 0; rc == 0 && i < RBR_ACCOUNT_PLACES; i++) {
		rc = rbr_path_folder(rbr_account_places[i], "accounts", folder, error);
		open_folder = rc == 0 ? opendir(folder) : NULL;
		if (!open_folder)
			continue;
		while (rc == 0 && (entry = readdir(open_folder)))
			if (rbr_account_check_name(entry->d_name, NULL) == 0 && !shadowed(entry->d_name, i))
				rc = visit(entry->d_name, data);
		(void)closedir(open_folder);
	}
	return rc;
}

int
rbr_account_missing(const char *name, struct rbr_error *error)
{
	struct rbr_nearest nearest = RBR_NEAREST(name);

	if (rbr_account_visit(rbr_nearest_visit, &nearest, NULL) < 0 || !rbr_nearest_fits(&nearest))
		return rbr_fail(error, RINGBEARER_E_NO_ACCOUNT, "there is no account `%s`", name);
	return rbr_fail(
		error, RINGBEARER_E_NO_ACCOUNT, "there is no account `%s`; did you mean `%s`?", name, nearest.name);
}
