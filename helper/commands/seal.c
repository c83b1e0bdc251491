/* SPDX-License-Identifier: MIT */
/* `seal`: the key that what rests in a store elsewhere is sealed with, and the password of this machine's user there. They are in a
 * store of this machine, and go from one machine to another by a pipe. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "command.h"
#include "custody.h"
#include "host/local.h"
#include "person/log.h"
#include "person/terminal.h"
#include "renewal/turn.h"
#include "stores.h"
#include "vault/vault.h"

#define ELSEWHERE "etcd" /* the store, where nobody has chosen one */
#define KEY_BYTES (RBR_LOCAL_KEY_SIZE / 2)
#define PROMPT_MAX 256
#define LOOK_MS 2000 /* that the store elsewhere may take to say whether it has something already */

struct sealing {
	struct rbr_context *context;
	struct rbr_account account;
	struct ringbearer_call call;
	struct rbr_local local;
	bool replace;
};

static void
end_sealing(struct sealing *sealing)
{
	rbr_call_end(&sealing->call);
	rbr_account_wipe(&sealing->account);
}

/* What there is; NULL if nothing, or if it is to be replaced and cannot be read. */
static int
find(struct sealing *sealing, struct ringbearer_secret **ret_secret)
{
	int rc = rbr_local_lookup(&sealing->local, ret_secret);

	if (rc == RINGBEARER_E_NO_SECRET || (rc == RINGBEARER_E_STORE_UNAVAILABLE && sealing->replace)) {
		sealing->context->error.code = 0;
		return 0;
	}
	return rc;
}

/* Nobody else makes one meanwhile. */
static int
take_turn(struct sealing *sealing, int *turn)
{
	const struct ringbearer_item *item = &sealing->local.item;

	return rbr_turn_take_of(sealing->context, item->account, item->client_id, item->endpoint, turn);
}

static int
keep(struct sealing *sealing, const struct ringbearer_secret *secret)
{
	char name[RBR_LOCAL_NAME_MAX];
	int rc = rbr_local_keep(&sealing->local, secret);

	if (rc == 0)
		rbr_say("The %s for the store %s is in %s.\n", rbr_local_label(sealing->local.item.kind),
			rbr_account_get(&sealing->account, RBR_KEY_STORE), rbr_local_name(&sealing->local, name));
	return rc;
}

/* -- the verbs -- */

static int
draw(struct rbr_context *context, struct ringbearer_secret *ret_key)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[KEY_BYTES];
	char text[RBR_LOCAL_KEY_SIZE];
	size_t i;
	int rc;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return rbr_fail(&context->error, RINGBEARER_E_SYSTEM, "there is no randomness: %s", strerror(errno));
	for (i = 0; i < sizeof bytes; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	rc = rbr_secret_append(ret_key, text, sizeof text);
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text, sizeof text);
	return rc < 0 ? rbr_fail_memory(&context->error) : 0;
}

static int
note_any(const struct ringbearer_item *item, void *data)
{
	(void)item;
	*(bool *)data = true;
	return 1;
}

/* Whoever makes a second key by mistake is told now, and not when nothing can be read. A store that does not answer is no reason to
 * have no key. */
static void
warn_of_others(struct sealing *sealing)
{
	struct rbr_context *context = sealing->context;
	struct rbr_error before = context->error;
	const char *store = rbr_account_get(&sealing->account, RBR_KEY_STORE);
	char in[RBR_LOCAL_COMMAND_MAX];
	struct ringbearer_call call;
	struct rbr_vault vault;
	bool any = false;

	rbr_call_start(&call, context, &sealing->account, false);
	if (call.deadline_ms > rbr_now_ms() + LOOK_MS)
		call.deadline_ms = rbr_now_ms() + LOOK_MS;
	if (rbr_vault_open(&call, &vault) == 0 && vault.store.ops.list)
		(void)vault.store.ops.list(&call, NULL, note_any, &any);
	rbr_call_end(&call);
	context->error = before;
	if (any)
		rbr_warn(context, NULL,
			"what the store %s has already was sealed with another key; if a machine has that one, bring it here: "
			"`ringbearer seal export` there, `%s --replace` here",
			store, rbr_local_command(&sealing->account, "import", in));
}

static int
make(struct sealing *sealing)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *old = NULL;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret key = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_close) int turn = -1;
	char out[RBR_LOCAL_COMMAND_MAX], in[RBR_LOCAL_COMMAND_MAX], name[RBR_LOCAL_NAME_MAX];
	int rc = take_turn(sealing, &turn);

	(void)rbr_local_command(&sealing->account, "export", out);
	(void)rbr_local_command(&sealing->account, "import", in);
	if (rc == 0)
		rc = find(sealing, &old);
	if (rc == 0 && old && !sealing->replace) {
		rbr_say("There is a key already, in %s. `%s` writes it for another machine, `%s` takes another machine's. With "
			"--replace a new one takes its place; what was sealed with this one is then lost to this machine.\n",
			rbr_local_name(&sealing->local, name), out, in);
		return 0;
	}
	if (rc == 0)
		rc = draw(sealing->context, &key);
	if (rc == 0)
		rc = keep(sealing, &key);
	if (rc == 0)
		rbr_say("Bring it to each machine that shares the store: %s | ssh HOST %s\n", out, in);
	if (rc == 0)
		warn_of_others(sealing);
	return rc;
}

/* Without echo from the terminal, or from what is piped in. */
static int
take_secret(struct sealing *sealing, struct ringbearer_secret *ret_secret)
{
	const struct ringbearer_item *item = &sealing->local.item;
	char prompt[PROMPT_MAX];
	bool is_password = strcmp(item->kind, RINGBEARER_LOCAL_PASSWORD) == 0;
	int rc;

	if (!isatty(STDIN_FILENO)) {
		rc = rbr_custody_read_stdin(sealing->context, ret_secret);
	} else {
		(void)snprintf(prompt, sizeof prompt,
			"%s%.80s for the store %s (it is not shown): ", is_password ? "Password of " : "Key",
			is_password ? item->client_id : "", rbr_account_get(&sealing->account, RBR_KEY_STORE));
		rc = rbr_terminal_ask(prompt, ret_secret, &sealing->context->error);
	}
	return rc < 0 ? rc : rbr_local_check(item->kind, ret_secret, &sealing->context->error);
}

static int
import(struct sealing *sealing)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *old = NULL;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret key = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_close) int turn = -1;
	char command[RBR_LOCAL_COMMAND_MAX], name[RBR_LOCAL_NAME_MAX];
	int rc = take_secret(sealing, &key);

	if (rc < 0)
		return rc;
	rbr_call_hide(&sealing->call, &key);
	rc = take_turn(sealing, &turn);
	if (rc == 0)
		rc = find(sealing, &old);
	if (rc == 0 && old && rbr_secret_equal(old->data, old->size, key.data, key.size)) {
		rbr_say("That very key is in %s already.\n", rbr_local_name(&sealing->local, name));
		return 0;
	}
	if (rc == 0 && old && !sealing->replace)
		return rbr_fail(&sealing->context->error, RINGBEARER_E_USAGE,
			"%s has another key for the store `%s`, and what was sealed with that one would be lost to this machine; keep what `%s` "
			"writes, and add --replace",
			rbr_local_name(&sealing->local, name), rbr_account_get(&sealing->account, RBR_KEY_STORE),
			rbr_local_command(&sealing->account, "export", command));
	return rc < 0 ? rc : keep(sealing, &key);
}

static int export(struct sealing *sealing)
{
	RBR_CLEANUP(rbr_secret_freep) struct ringbearer_secret *key = NULL;
	char text[] =
		"This is the key: whoever has it, and may read the store, can read all that this machine keeps there.";
	int rc = rbr_local_lookup(&sealing->local, &key);

	if (rc == 0 && isatty(STDOUT_FILENO))
		rbr_terminal_tell(text);
	if (rc == 0 && rbr_secret_append(key, "\n", 1) < 0)
		rc = rbr_fail_memory(&sealing->context->error);
	return rc < 0 ? rc : rbr_output(sealing->context, key);
}

static int
take_password(struct sealing *sealing)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret password = RBR_SECRET_EMPTY;
	RBR_CLEANUP(rbr_close) int turn = -1;
	int rc = take_secret(sealing, &password);

	if (rc < 0)
		return rc;
	rbr_call_hide(&sealing->call, &password);
	rc = take_turn(sealing, &turn);
	return rc < 0 ? rc : keep(sealing, &password);
}

/* -- the command -- */

static const struct verb {
	const char *word;
	const char *kind;
	int (*run)(struct sealing *sealing);
} verbs[] = {
	{"new", RINGBEARER_LOCAL_SEAL, make},
	{"import", RINGBEARER_LOCAL_SEAL, import},
	{"export", RINGBEARER_LOCAL_SEAL, export},
	{"password", RINGBEARER_LOCAL_PASSWORD, take_password},
};

static const struct verb *
find_verb(struct rbr_context *context, const char *word)
{
	size_t i;

	for (i = 0; word && i < RBR_ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].word, word) == 0)
			return &verbs[i];
	(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
		"say what to do: `ringbearer seal new`, `import`, `export` or `password`");
	return NULL;
}

/* A key would be made and never used by a store that seals nothing with it. */
static int
check_store(struct sealing *sealing)
{
	const char *name = rbr_account_get(&sealing->account, RBR_KEY_STORE);
	struct rbr_vault vault;
	int rc = rbr_vault_open(&sealing->call, &vault);

	if (rc == 0 && !rbr_loader_shares(&vault.store))
		return rbr_fail(&sealing->context->error, RINGBEARER_E_USAGE,
			"the store `%s` is of this machine, and has no use for it; name an account whose store is elsewhere, or the store with "
			"--store=" ELSEWHERE,
			name);
	return rc;
}

enum { OPTION_REPLACE = RBR_KEYS + 1 };

static int
take_options(struct sealing *sealing, int argc, char **argv, struct rbr_store_settings *ret_settings)
{
	static const struct option replace = {"replace", no_argument, NULL, OPTION_REPLACE};
	struct rbr_store_options options;
	int option, rc = 0;

	(void)rbr_store_options(&options, &replace);
	while (rc == 0 && (option = rbr_option(sealing->context, argc, argv, options.list)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		if (option == OPTION_REPLACE)
			sealing->replace = true;
		else
			rc = rbr_store_settings_add(sealing->context, (enum rbr_key)(option - 1), optarg, ret_settings);
	}
	return rc;
}

int
rbr_command_seal(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(end_sealing) struct sealing sealing = {.context = context};
	const struct verb *verb = find_verb(context, argc > 1 ? argv[1] : NULL);
	struct rbr_store_settings settings = {.count = 0};
	int rc;

	if (!verb)
		return RINGBEARER_E_USAGE;
	rc = take_options(&sealing, argc - 1, argv + 1, &settings);
	if (rc == 0)
		rc = rbr_stores_account(context, argc - 1, argv + 1, &settings, ELSEWHERE, &sealing.account);
	if (rc < 0)
		return rc;
	rbr_call_start(&sealing.call, context, &sealing.account, true);
	rc = check_store(&sealing);
	if (rc == 0)
		rc = rbr_local_open(&sealing.call, verb->kind, &sealing.local);
	return rc < 0 ? rc : verb->run(&sealing);
}
