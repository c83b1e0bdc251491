/* SPDX-License-Identifier: MIT */
/* `complete`: what a shell may put in the place of a word, from the tables that help is made from and from what is on the machine.
 * A line for each: the word, a tab, and what it is. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "accounts/account.h"
#include "accounts/keys.h"
#include "accounts/provider.h"
#include "cli/names.h"
#include "command.h"
#include "host/loader.h"
#include "person/log.h"
#include "protocol/formats/formats.h"

#define OPTION_MAX 64

/* What is being completed. */
struct line {
	struct rbr_context *context;
	const struct rbr_command *command;
	const char *word; /* what has been typed of it, without an option's name */
	const char *option; /* what goes before each candidate: "--store=", or "" */
};

static void
offer(const struct line *line, const char *candidate, const char *what)
{
	if (strncmp(candidate, line->word, strlen(line->word)) == 0)
		rbr_say("%s%s\t%s\n", line->option, candidate, what);
}

static void
offer_names(const struct line *line, int rc, struct rbr_names *names, const char *what)
{
	size_t i;

	rbr_names_sort(names);
	for (i = 0; rc == 0 && i < names->count; i++)
		offer(line, names->list[i], what);
	rbr_names_wipe(names);
}

static void
offer_accounts(const struct line *line)
{
	struct rbr_names names = {NULL, 0};
	int rc = rbr_account_visit(rbr_names_add, &names, &line->context->error);

	offer_names(line, rc, &names, "account");
}

static void
offer_providers(const struct line *line)
{
	struct rbr_names names = {NULL, 0};
	int rc = rbr_provider_visit(rbr_names_add, &names, &line->context->error);

	offer_names(line, rc, &names, "provider");
}

static void
offer_modules(const struct line *line, const char *family)
{
	struct rbr_names names = {NULL, 0};

	offer_names(line, rbr_loader_names(family, &names), &names, family);
}

static void
offer_formats(const struct line *line)
{
	const struct rbr_format *format;
	size_t i;

	for (i = 0; (format = rbr_format_at(i)); i++)
		offer(line, format->name, format->summary);
}

static void
offer_commands(const struct line *line)
{
	const struct rbr_command *command;

	for (command = rbr_commands; command->name; command++)
		offer(line, command->name, command->summary);
}

/* CHOICES are words with `|` between them. */
static void
offer_choices(const struct line *line, const char *choices)
{
	char word[OPTION_MAX];

	for (; *choices; choices += *choices == '|') {
		size_t size = strcspn(choices, "|");

		if (size < sizeof word) {
			(void)snprintf(word, sizeof word, "%.*s", (int)size, choices);
			offer(line, word, "");
		}
		choices += size;
	}
}

static void
offer_values(const struct line *line, const char *option)
{
	char name[RBR_KEY_OPTION_MAX];
	int key;

	if (strcmp(option, "account") == 0)
		offer_accounts(line);
	else if (strcmp(option, "provider") == 0)
		offer_providers(line);
	else if (strcmp(option, "grant") == 0 || strcmp(option, "store") == 0)
		offer_modules(line, option);
	else if (strcmp(option, "store-local") == 0)
		offer_modules(line, "store");
	else if (strcmp(option, "format") == 0)
		offer_formats(line);
	else
		for (key = 0; key < RBR_KEYS; key++) {
			if (strcmp(rbr_key_option((enum rbr_key)key, name), option) != 0)
				continue;
			if (strcmp(rbr_keys[key].kind, "YES_NO") == 0)
				offer_choices(line, "yes|no");
			else if (strchr(rbr_keys[key].kind, '|'))
				offer_choices(line, rbr_keys[key].kind);
		}
}

/* The next option that help names in TEXT, "  --name=VALUE  what it does": its name with `=` if it has a value. Returns what is
 * behind its line, NULL at the end. */
static const char *
next_option(const char *text, char option[OPTION_MAX], char what[RBR_DETAIL_MAX])
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *name = text + strspn(text, " "), *rest;
		size_t size = strcspn(name, "= \n");

		if (name - text < 2 || strncmp(name, "--", 2) != 0 ||
			size + 2 > OPTION_MAX) /* a line of prose may begin so */
			continue;
		(void)snprintf(option, OPTION_MAX, "%.*s%s", (int)size, name, name[size] == '=' ? "=" : "");
		rest = name + strcspn(name, " \n");
		rest += strspn(rest, " ");
		(void)snprintf(what, RBR_DETAIL_MAX, "%.*s", (int)strcspn(rest, "\n"), rest);
		return text + strcspn(text, "\n");
	}
	return NULL;
}

/* Is the key OPTION, as it is written behind `--`, one of COMMAND's? All are `add`'s, and those of stores are others' as well. */
static bool
has_key(const struct rbr_command *command, const char *option)
{
	return strstr(command->arguments, "--KEY=VALUE") &&
		(strcmp(command->name, "add") == 0 || strncmp(option, "store", strlen("store")) == 0);
}

static void
offer_options(const struct line *line)
{
	char option[OPTION_MAX], what[RBR_DETAIL_MAX], name[RBR_KEY_OPTION_MAX];
	const char *text = line->command->about;
	int key;

	while ((text = next_option(text, option, what)))
		if (option[strlen(option) - 1] != '=' || !has_key(line->command, option + 2))
			offer(line, option, what);
	for (key = 0; key < RBR_KEYS; key++) {
		(void)snprintf(option, sizeof option, "--%s=", rbr_key_option((enum rbr_key)key, name));
		if (has_key(line->command, name))
			offer(line, option, rbr_keys[key].help);
	}
}

/* Is WORD an option whose value is the next word? */
static bool
wants_value(const struct rbr_command *command, const char *word)
{
	char option[OPTION_MAX], what[RBR_DETAIL_MAX], name[RBR_KEY_OPTION_MAX];
	const char *text = command->about;
	size_t size = strlen(word);
	int key;

	if (strncmp(word, "--", 2) != 0 || strchr(word, '='))
		return false;
	while ((text = next_option(text, option, what)))
		if (strncmp(option, word, size) == 0 && strcmp(option + size, "=") == 0)
			return true;
	for (key = 0; key < RBR_KEYS; key++)
		if (strcmp(rbr_key_option((enum rbr_key)key, name), word + 2) == 0)
			return has_key(command, name);
	return false;
}

/* What the usage line has in the place of the argument behind ALREADY others: "[ACCOUNT]", "init|unlock|lock"; "" if nothing. */
static void
argument_at(const char *usage, int already, char ret_word[OPTION_MAX])
{
	for (; *usage; usage += strcspn(usage, " "), usage += *usage == ' ') {
		size_t size = strcspn(usage, " "), skipped = strspn(usage, "[-|");

		/* An option, what is only to be read, or the end of either. */
		if (usage[skipped] == ' ' || strncmp(usage, "--", 2) == 0 || strncmp(usage, "[--", 3) == 0 ||
			strncmp(usage, "[OPTION", 7) == 0 || strncmp(usage, "…", strlen("…")) == 0 || already-- > 0)
			continue;
		(void)snprintf(ret_word, OPTION_MAX, "%.*s", (int)(size - skipped), usage + skipped);
		ret_word[strcspn(ret_word, "]")] = '\0';
		return;
	}
	ret_word[0] = '\0';
}

/* The command's own words, by what the usage line says. */
static void
offer_arguments(const struct line *line, int already)
{
	char word[OPTION_MAX];

	argument_at(line->command->arguments, already, word);
	if (strcmp(word, "COMMAND") == 0)
		offer_commands(line);
	else if (strcmp(word, "ACCOUNT") == 0 &&
		strcmp(line->command->name, "add") != 0) /* a new one has no name yet */
		offer_accounts(line);
	else if (word[strspn(word, "abcdefghijklmnopqrstuvwxyz|")] == '\0')
		offer_choices(line, word);
}

static void
complete_option(struct line *line)
{
	const char *equals = strchr(line->word, '=');
	char before[OPTION_MAX], name[OPTION_MAX];

	if (!equals) {
		offer_options(line);
	} else if ((size_t)(equals - line->word) + 2 < sizeof before) {
		(void)snprintf(before, sizeof before, "%.*s=", (int)(equals - line->word), line->word);
		(void)snprintf(name, sizeof name, "%.*s", (int)(equals - line->word), line->word);
		line->option = before;
		line->word = equals + 1;
		offer_values(line, name + strspn(name, "-"));
		line->option = "";
	}
}

static void
complete_line(struct rbr_context *context, int count, char **words)
{
	struct line line = {context, NULL, count > 0 ? words[count - 1] : "", ""};
	int i, already = 0;

	if (count <= 1) {
		offer_commands(&line);
		return;
	}
	line.command = rbr_command_find(words[0]);
	if (!line.command)
		return;
	for (i = 1; i < count - 1; i++) {
		bool takes = wants_value(line.command, words[i]);

		if (takes && i == count - 2) {
			offer_values(&line, words[i] + strspn(words[i], "-"));
			return;
		}
		already += words[i][0] != '-';
		i += takes;
	}
	if (line.word[0] == '-')
		complete_option(&line);
	else
		offer_arguments(&line, already);
}

int
rbr_command_complete(struct rbr_context *context, int argc, char **argv)
{
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

	complete_line(context, argc - first, argv + first);
	context->error.code = 0; /* what cannot be read is not offered, and a shell's line is no place to say so */
	return 0;
}
