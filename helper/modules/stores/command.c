/* SPDX-License-Identifier: MIT */
/*
 * Any program as a store: `store = command`. It is run once for each operation, without a shell, and is spoken to in lines
 * `key=value`; ringbearer-store(7) has the words. What it hands over counts only if it says what that is bound to, and that is
 * what was asked for. A program that ends in another way than the page says is "unavailable", never "absent".
 */
#include "config.h"
#include "folders.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/process/process.h"
#include "protocol/module.h"

#define WORDS_MAX 32
#define OWN_PROGRAMS RBR_LIBEXECDIR "/stores/"

static const struct ringbearer_host *host;

/* An operation at work. */
struct work {
	struct ringbearer_call *call;
	char command[PATH_MAX + 1024];
	char path[PATH_MAX];
	char *words[WORDS_MAX + 2]; /* the command's, the verb, NULL */
	struct ringbearer_secret *input;
	struct ringbearer_secret *output;
};

static int
no_memory(const struct work *work)
{
	return host->fail(work->call, RINGBEARER_E_SYSTEM, "out of memory");
}

/* -- the command -- */

static int
split(struct work *work, char *verb)
{
	char *rest = NULL, *word = strtok_r(work->command, " ", &rest);
	size_t count = 0;

	for (; word; word = strtok_r(NULL, " ", &rest)) {
		if (count == WORDS_MAX)
			return host->fail(work->call, RINGBEARER_E_CONFIG,
				"`store_command` has more than %d words; put them into a script", WORDS_MAX);
		work->words[count++] = word;
	}
	if (count == 0)
		return host->fail(work->call, RINGBEARER_E_CONFIG,
			"`store_command` is not set; add store_command = pass, or another program");
	work->words[count++] = verb;
	work->words[count] = NULL;
	return 0;
}

/* A program of our own by its name, any other by its path: PATH is the caller's, and decides nothing here. */
static int
find_program(struct work *work)
{
	const char *name = work->words[0];
	int length = strchr(name, '/') ? snprintf(work->path, sizeof work->path, "%s", name)
				       : snprintf(work->path, sizeof work->path, OWN_PROGRAMS "%s", name),
	    rc;

	if (length < 0 || (size_t)length >= sizeof work->path || work->path[0] != '/')
		return host->fail(work->call, RINGBEARER_E_CONFIG,
			"`store_command` has to begin with an absolute path, and not with %.200s", name);
	if (access(work->path, X_OK) < 0)
		return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the store's program %s cannot be run: %s; mend `store_command`", work->path, strerror(errno));
	rc = host->trust(work->call, work->path);
	work->words[0] = work->path;
	return rc;
}

static int
begin(struct work *work, struct ringbearer_call *call, char *verb)
{
	const char *command = host->config(call, "store_command", 0);
	int rc;

	memset(work, 0, sizeof *work);
	work->call = call;
	if (snprintf(work->command, sizeof work->command, "%s", command ? command : "") >= (int)sizeof work->command)
		return host->fail(call, RINGBEARER_E_CONFIG, "`store_command` is too long; put it into a script");
	rc = split(work, verb);
	if (rc == 0)
		rc = find_program(work);
	if (rc < 0)
		return rc;
	work->input = host->secret_new("", 0);
	work->output = host->secret_new("", 0);
	return work->input && work->output ? 0 : no_memory(work);
}

static int
end(struct work *work, int rc)
{
	host->secret_free(work->input);
	host->secret_free(work->output);
	return rc;
}

/* -- what is said to it -- */

static int
add_line(struct work *work, const char *key, const char *value, size_t size)
{
	if (memchr(value, '\n', size) || memchr(value, '\r', size) || memchr(value, '\0', size))
		return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the %s has a line break or a NUL in it, which a program cannot be told; choose another `store`",
			key);
	if (host->secret_append(work->input, key, strlen(key)) < 0 || host->secret_append(work->input, "=", 1) < 0 ||
		host->secret_append(work->input, value, size) < 0 || host->secret_append(work->input, "\n", 1) < 0)
		return no_memory(work);
	return 0;
}

static int
add_item(struct work *work, const struct ringbearer_item *item)
{
	const char *const lines[][2] = {{"account", item->account}, {"kind", item->kind},
		{"client_id", item->client_id}, {"endpoint", item->endpoint}, {"label", item->label}};
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < sizeof lines / sizeof *lines; i++)
		if (lines[i][1])
			rc = add_line(work, lines[i][0], lines[i][1], strlen(lines[i][1]));
	return rc;
}

/* -- what it says -- */

/* A line's value: what is between the text and the newline. */
struct span {
	const char *text; /* NULL: there is no such line */
	size_t size;
};

/* The value of KEY in SIZE bytes of TEXT; the last one counts. */
static struct span
value_of(const char *text, size_t size, const char *key)
{
	struct span found = {NULL, 0};
	size_t name = strlen(key), line;

	for (; size > 0; text += line, size -= line) {
		const char *end = memchr(text, '\n', size);

		line = end ? (size_t)(end - text) + 1 : size;
		if (line > name && memcmp(text, key, name) == 0 && text[name] == '=') {
			found.text = text + name + 1;
			found.size = line - name - 1 - (end ? 1 : 0);
			if (found.size > 0 && found.text[found.size - 1] == '\r')
				found.size--;
		}
	}
	return found;
}

static struct span
said(const struct work *work, const char *key)
{
	return value_of(host->secret_data(work->output), host->secret_size(work->output), key);
}

static bool
is(struct span span, const char *text)
{
	return span.text && span.size == strlen(text) && memcmp(span.text, text, span.size) == 0;
}

/* The code that it names; RINGBEARER_E_STORE_UNAVAILABLE if that is none of a store's. */
static int
code_of(struct span name)
{
	static const int codes[] = {RINGBEARER_E_NO_SECRET, RINGBEARER_E_STORE_LOCKED, RINGBEARER_E_STORE_DISMISSED};
	static const char *const names[] = {"no_secret", "store_locked", "store_dismissed"};
	size_t i;

	for (i = 0; i < sizeof codes / sizeof *codes; i++)
		if (is(name, names[i]))
			return codes[i];
	return RINGBEARER_E_STORE_UNAVAILABLE;
}

static int
judge(const struct work *work, const struct rbr_run *run)
{
	struct span name = said(work, "error"), why = said(work, "error_description");

	if (name.text && code_of(name) == RINGBEARER_E_NO_SECRET)
		return RINGBEARER_E_NO_SECRET;
	if (name.text && why.text)
		return host->fail(work->call, code_of(name), "%s: %.*s", work->path, (int)why.size, why.text);
	if (name.text)
		return host->fail(work->call, code_of(name), "%s: %s", work->path,
			run->said[0] != '\0' ? run->said : "it gives no reason; try it by hand");
	if (run->status == 0)
		return 0;
	if (run->status < 0)
		return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"%s was ended by a signal; try it by hand", work->path);
	return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE, "%s ended with status %d: %s", work->path,
		run->status, run->said[0] != '\0' ? run->said : "it gives no reason; try it by hand");
}

/* Runs it. 0 if it has ended well and names no error. */
static int
run(struct work *work)
{
	bool person = host->interactive(work->call);
	struct rbr_run run = {.host = host,
		.call = work->call,
		.words = work->words,
		.input = work->input,
		.with_person = person,
		.output = work->output};
	int rc = add_line(work, "interactive", person ? "auto" : "never", strlen(person ? "auto" : "never"));

	if (rc == 0)
		rc = rbr_process_run(&run);
	return rc < 0 ? rc : judge(work, &run);
}

/* -- the operations -- */

/* Does it say of what it has found that it is ITEM? */
static int
check_binding(const struct work *work, const struct ringbearer_item *item)
{
	const char *const lines[][2] = {{"account", item->account}, {"kind", item->kind},
		{"client_id", item->client_id}, {"endpoint", item->endpoint}};
	struct span value;
	size_t i;

	for (i = 0; i < sizeof lines / sizeof *lines; i++) {
		value = said(work, lines[i][0]);
		if (!value.text)
			return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
				"%s does not say what the secret is bound to (there is no line %s=); see ringbearer-store(7)",
				work->path, lines[i][0]);
		if (!is(value, lines[i][1]))
			return RINGBEARER_E_NO_SECRET; /* it has another one */
	}
	return 0;
}

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	char verb[] = "get";
	struct work work;
	struct span secret;
	int rc = begin(&work, call, verb);

	if (rc == 0)
		rc = add_item(&work, item);
	if (rc == 0)
		rc = run(&work);
	if (rc < 0)
		return end(&work, rc);
	secret = said(&work, "secret");
	if (!secret.text)
		rc = host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
			"%s says neither secret= nor error=; see ringbearer-store(7)", work.path);
	else
		rc = check_binding(&work, item);
	if (rc == 0 && !(*ret_value = host->secret_new(secret.text, secret.size)))
		rc = no_memory(&work);
	return end(&work, rc);
}

static int
store(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_secret *value)
{
	char verb[] = "store";
	struct work work;
	int rc = begin(&work, call, verb);

	if (rc == 0)
		rc = add_item(&work, item);
	if (rc == 0)
		rc = add_line(&work, "secret", host->secret_data(value), host->secret_size(value));
	if (rc == 0)
		rc = run(&work);
	if (rc == RINGBEARER_E_NO_SECRET)
		rc = host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
			"%s says no_secret where it was given one; see ringbearer-store(7)", work.path);
	return end(&work, rc);
}

static int
erase(struct ringbearer_call *call, const struct ringbearer_item *item)
{
	char verb[] = "erase";
	struct work work;
	int rc = begin(&work, call, verb);

	if (rc == 0)
		rc = add_item(&work, item);
	if (rc == 0)
		rc = run(&work);
	return end(&work, rc == RINGBEARER_E_NO_SECRET ? 0 : rc);
}

/* The lines of one item, SIZE bytes, as an item of their own. */
static int
visit_block(const struct work *work, const char *text, size_t size, const char *account, ringbearer_item_visitor visit,
	void *data)
{
	static const char *const keys[] = {"account", "kind", "client_id", "endpoint", "label"};
	const char *words[5] = {NULL, NULL, NULL, NULL, NULL};
	struct ringbearer_item item = {.size = sizeof item};
	char *copy = malloc(size + 1);
	struct span value;
	size_t i;
	int rc = 0;

	if (!copy)
		return no_memory(work);
	memcpy(copy, text, size);
	for (i = 0; i < 5; i++) {
		value = value_of(text, size, keys[i]);
		if (!value.text)
			continue;
		words[i] = copy + (value.text - text);
		copy[value.text - text + (ptrdiff_t)value.size] = '\0'; /* where the line ended */
	}
	item.account = words[0];
	item.kind = words[1];
	item.client_id = words[2];
	item.endpoint = words[3];
	item.label = words[4];
	if (!(item.account && item.kind && item.client_id && item.endpoint))
		rc = host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"%s lists something without account=, kind=, client_id= or endpoint=; see ringbearer-store(7)",
			work->path);
	else if (!account || strcmp(account, item.account) == 0)
		rc = visit(&item, data);
	free(copy);
	return rc;
}

static int
visit_all(const struct work *work, const char *account, ringbearer_item_visitor visit, void *data)
{
	const char *text = host->secret_data(work->output), *end = text + host->secret_size(work->output), *gap;
	int rc = 0;

	while (rc == 0 && text < end) {
		if (*text == '\n') {
			text++;
			continue;
		}
		gap = memmem(text, (size_t)(end - text), "\n\n", 2);
		rc = visit_block(work, text, (size_t)((gap ? gap + 1 : end) - text), account, visit, data);
		text = gap ? gap + 2 : end;
	}
	return rc;
}

static int
list(struct ringbearer_call *call, const char *account, ringbearer_item_visitor visit, void *data)
{
	char verb[] = "list";
	struct work work;
	int rc = begin(&work, call, verb);

	if (rc == 0 && account)
		rc = add_line(&work, "account", account, strlen(account));
	if (rc == 0)
		rc = run(&work);
	if (rc == RINGBEARER_E_NO_SECRET)
		return end(&work, 0);
	return end(&work, rc < 0 ? rc : visit_all(&work, account, visit, data));
}

static const struct ringbearer_store operations = {
	.size = sizeof operations,
	.lookup = lookup,
	.store = store,
	.erase = erase,
	.list = list,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "store-command",
	.family = "store",
	.operations = &operations,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
