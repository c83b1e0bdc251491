/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "callers/callers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "cli/programs.h"
#include "commands/git_helpers.h"
#include "host/document.h"
#include "protocol/fastpath/paths.h"
#include "protocol/writer.h"

#define LINKS "names on PATH"
#define PROGRAM "ringbearer"
#define GIT_LINK "git-credential-ringbearer"
#define MISSING_MAX 320

/* -- the names -- */

static void
check_links(struct rbr_checkup *checkup)
{
	char program[PATH_MAX], path[PATH_MAX], missing[MISSING_MAX] = "";
	RBR_CLEANUP(rbr_free_string) char *real = NULL;
	struct rbr_writer writer = rbr_writer_start(missing, sizeof missing);
	const struct rbr_caller *caller;
	size_t i, good = 0;
	bool astray = false;

	real = rbr_find_program(PROGRAM, X_OK, program) ? realpath(program, NULL) : NULL;
	if (!real) {
		rbr_unchecked(checkup, LINKS, PROGRAM " is not on PATH; callers find it by its whole path only");
		return;
	}
	for (i = 0; (caller = rbr_caller_at(i)); i++) {
		RBR_CLEANUP(rbr_free_string) char *target = NULL;

		if (!rbr_find_program(caller->link, X_OK, path)) {
			rbr_write_format(&writer, " %s", caller->link);
			continue;
		}
		target = realpath(path, NULL);
		if (target && strcmp(target, real) == 0) {
			good++;
			continue;
		}
		astray = true;
		rbr_ill(checkup, caller->link, RINGBEARER_E_CONFIG, "%s does not lead to %s; make it: `ln -sf %s %s`",
			path, program, program, path);
	}
	if (missing[0] != '\0')
		rbr_unchecked(checkup, LINKS, "%zu lead to %s; not there:%s", good, program, missing);
	else if (!astray)
		rbr_well(checkup, LINKS, "%zu lead to %s", good, program);
}

/* -- git -- */

/* What WHO has as COMMAND: a path or a name on PATH. */
static bool
can_be_run(const char *command, const char *prefix)
{
	char name[PATH_MAX], path[PATH_MAX];
	size_t size = strcspn(command, " ");

	if (*command == '!' ||
		snprintf(name, sizeof name, "%s%.*s", *command == '/' ? "" : prefix, (int)size, command) >=
			(int)sizeof name)
		return true; /* a shell's business */
	return name[0] == '/' ? access(name, X_OK) == 0 : rbr_find_program(name, X_OK, path);
}

/* Which of LINES is the first of ours that git asks for all hosts; it forgets those before an empty line. Their count: none. */
static size_t
find_ours(const struct rbr_git_helpers *lines, bool *ret_forgotten)
{
	size_t i, ours = lines->count;

	*ret_forgotten = false;
	for (i = 0; i < lines->count; i++) {
		const char *value = lines->list[i].value;

		if (*value == '\0' && lines->list[i].url_size == 0 && ours < lines->count) {
			*ret_forgotten = true;
			ours = lines->count;
		} else if (ours == lines->count && rbr_git_helper_is_ours(value)) {
			*ret_forgotten = false;
			ours = i;
		}
	}
	return ours;
}

/* Another helper for all hosts, which a git of this age has keep what ringbearer hands out. */
static const char *
find_keeper(const struct rbr_git_helpers *lines)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (*lines->list[i].value && lines->list[i].url_size == 0 &&
			!rbr_git_helper_is_ours(lines->list[i].value))
			return lines->list[i].value;
	return NULL;
}

static void
tell_git(struct rbr_checkup *checkup, const struct rbr_git_helpers *lines, const char *version)
{
	bool forgotten;
	size_t ours = find_ours(lines, &forgotten);
	const char *keeper = *version ? find_keeper(lines) : NULL;

	if (forgotten)
		rbr_ill(checkup, "git", RINGBEARER_E_CONFIG,
			"an empty `helper` line has it forget ringbearer; see `ringbearer setup git --global`");
	else if (ours == lines->count)
		rbr_unchecked(
			checkup, "git", "it does not ask ringbearer; `ringbearer setup git --global` has it do so");
	else if (!can_be_run(lines->list[ours].value, "git-credential-"))
		rbr_ill(checkup, "git", RINGBEARER_E_CONFIG,
			"its line `%s = %.200s` names no program; mend it: `ringbearer setup git --global`",
			lines->list[ours].key, lines->list[ours].value);
	else if (keeper)
		rbr_ill(checkup, "git", RINGBEARER_E_CONFIG,
			"git %s has `%.100s` keep ringbearer's tokens; `ringbearer setup git --global` shows how to remove it",
			version, keeper);
	else
		rbr_well(checkup, "git", "asks ringbearer (%s = %.200s)", lines->list[ours].key,
			lines->list[ours].value);
}

static void
check_git(struct rbr_checkup *checkup)
{
	RBR_CLEANUP(rbr_git_helpers_wipe) struct rbr_git_helpers lines = {.text = NULL};
	char version[RBR_GIT_VERSION_MAX];

	if (rbr_git_keeping_version(checkup->context, version) < 0 || rbr_git_helpers_ask(checkup->context, &lines) < 0)
		rbr_unchecked(checkup, "git", "%s", checkup->context->error.detail);
	else
		tell_git(checkup, &lines, version);
}

/* -- settings of others -- */

/* The file NAME in the folder that VARIABLE names, else in the user's home. Opens it; -1 if there is none. */
static int
open_settings(const char *variable, const char *usual, const char *name, char path[PATH_MAX])
{
	const char *folder = secure_getenv(variable), *home = secure_getenv("HOME");
	int length;

	if (!home)
		home = rbr_home();
	if (folder && *folder)
		length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
	else
		length = snprintf(path, PATH_MAX, "%s/%s/%s", home ? home : "", usual, name);
	return length < PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
}

static void
tell_helper(struct rbr_checkup *checkup, const char *who, const char *path, const char *place, const char *prefix,
	const char *helper, unsigned *found)
{
	++*found;
	if (can_be_run(helper, prefix))
		rbr_well(checkup, who, "asks %s%.100s (%s in %s)", *helper == '/' ? "" : prefix, helper, place, path);
	else
		rbr_ill(checkup, who, RINGBEARER_E_CONFIG,
			"%s: %s names %s%.100s, which is not there; make the link on PATH: `ln -s ringbearer %s%.100s`",
			path, place, prefix, helper, prefix, helper);
}

/* Takes the JSON string at *TEXT, of which nothing but its bytes is asked, and goes on behind it. */
static bool
take_json_string(const char **text, char word[PATH_MAX])
{
	const char *start = strchr(*text, '"'), *end;

	for (end = start ? start + 1 : NULL; end && *end && *end != '"'; end++)
		if (*end == '\\' && end[1])
			end++;
	if (!end || !*end)
		return false;
	*text = end + 1;
	return snprintf(word, PATH_MAX, "%.*s", (int)(end - start - 1), start + 1) < PATH_MAX;
}

/* Its members have hosts for names, which no message can have. TEXT is sound JSON. */
static void
check_docker_hosts(struct rbr_checkup *checkup, const char *path, const char *text, unsigned *found)
{
	static const char name[] = "\"credHelpers\"";
	const char *object = strstr(text, name);
	char host[PATH_MAX], helper[PATH_MAX];

	object = object ? object + sizeof name - 1 : NULL;
	object = object && object[strspn(object, ": \t\r\n")] == '{' ? strchr(object, '{') + 1 : NULL;
	while (object && object[strspn(object, ", \t\r\n")] == '"' && take_json_string(&object, host) &&
		take_json_string(&object, helper))
		if (strncmp(helper, PROGRAM, sizeof PROGRAM - 1) == 0)
			tell_helper(checkup, "docker", path, host, "docker-credential-", helper, found);
}

static void
check_docker(struct rbr_checkup *checkup)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message settings = RBR_MESSAGE_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY; /* may have passwords */
	char path[PATH_MAX];
	RBR_CLEANUP(rbr_close) int file = open_settings("DOCKER_CONFIG", ".docker", "config.json", path);
	const char *store;
	unsigned found = 0;

	if (file < 0) {
		rbr_unchecked(checkup, "docker", "no settings: %s: %s", path, strerror(errno));
		return;
	}
	if (rbr_document_take(checkup->context, file, &text) < 0 ||
		rbr_document_read(checkup->context, text.data, text.size, path, &settings) < 0) {
		rbr_ill_by_error(checkup, "docker", "mend that file");
		return;
	}
	store = rbr_message_get(&settings, "credsStore");
	if (store && strncmp(store, PROGRAM, sizeof PROGRAM - 1) == 0)
		tell_helper(checkup, "docker", path, "credsStore", "docker-credential-", store, &found);
	check_docker_hosts(checkup, path, rbr_secret_string(&text), &found);
	if (found == 0)
		rbr_unchecked(checkup, "docker", "%s does not name ringbearer", path);
}

/* The string in which PROGRAM stands, in a line of TOML. */
static bool
take_string(const char *line, char word[PATH_MAX])
{
	const char *at = strstr(line, PROGRAM), *start = at, *end;

	if (!at || line[strspn(line, " \t")] == '#')
		return false;
	while (start > line && start[-1] != '"' && start[-1] != '\'')
		start--;
	end = start + strcspn(start, "\"'\n");
	return start > line && snprintf(word, PATH_MAX, "%.*s", (int)(end - start), start) < PATH_MAX;
}

static unsigned
read_cargo(struct rbr_checkup *checkup, const char *name)
{
	char path[PATH_MAX], line[4096], word[PATH_MAX];
	int descriptor = open_settings("CARGO_HOME", ".cargo", name, path);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
	unsigned found = 0;

	while (file && fgets(line, sizeof line, file))
		if (strstr(line, "credential-provider") && take_string(line, word))
			tell_helper(checkup, "cargo", path, "credential-provider", "", word, &found);
	if (file)
		(void)fclose(file);
	else
		rbr_close(&descriptor);
	return found;
}

void
rbr_check_callers(struct rbr_checkup *checkup)
{
	check_links(checkup);
	check_git(checkup);
	check_docker(checkup);
	if (read_cargo(checkup, "config.toml") + read_cargo(checkup, "config") == 0)
		rbr_unchecked(checkup, "cargo", "its settings do not name ringbearer");
}
