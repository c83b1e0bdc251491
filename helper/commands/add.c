/* SPDX-License-Identifier: MIT */
/*
 * `add`: account file and secret, both or none. Everything is checked before anything is kept; the secret goes first,
 * since a keyring that cannot be written is the likelier failure, and is taken back if the file cannot be made.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts/keys.h"
#include "command.h"
#include "custody.h"
#include "person/log.h"
#include "protocol/fastpath/paths.h"

#define OPTION_SECRET_STDIN (RBR_KEYS + 1)

/* Every key of keys.def is an option, with dashes for underscores. */
static void
make_options(struct option options[RBR_KEYS + 2], char names[RBR_KEYS][RBR_KEY_OPTION_MAX])
{
	int key;

	for (key = 0; key < RBR_KEYS; key++)
		options[key] = (struct option){
			rbr_key_option((enum rbr_key)key, names[key]), required_argument, NULL, key + 1};
	options[RBR_KEYS] = (struct option){"secret-stdin", no_argument, NULL, OPTION_SECRET_STDIN};
	options[RBR_KEYS + 1] = (struct option){NULL, 0, NULL, 0};
}

static int
read_options(struct rbr_context *context, int argc, char **argv, struct rbr_message *lines, bool *ret_stdin)
{
	struct option options[RBR_KEYS + 2];
	char names[RBR_KEYS][RBR_KEY_OPTION_MAX];
	int option;

	make_options(options, names);
	while ((option = rbr_option(context, argc, argv, options)) != -1) {
		if (option == 0)
			return RINGBEARER_E_USAGE;
		if (option == OPTION_SECRET_STDIN)
			*ret_stdin = true;
		else if (rbr_message_add(lines, rbr_keys[option - 1].name, optarg) < 0)
			return rbr_fail(&context->error, RINGBEARER_E_USAGE,
				"the value of --%s has a newline or is too long; shorten it", names[option - 1]);
	}
	return 0;
}

/* The account must not be there yet: an old one is never overwritten. */
static int
refuse_existing(struct rbr_context *context, const char *name, char ret_path[PATH_MAX])
{
	char folder[PATH_MAX];
	struct rbr_located located;
	struct rbr_error *error = &context->error;
	int rc = rbr_account_locate(name, &located, error);

	if (rc == 0)
		return rbr_fail(error, RINGBEARER_E_USAGE,
			"there is already an account of this name; edit %s, or run `ringbearer remove %s` first",
			located.path, name);
	if (rc != RINGBEARER_E_NO_ACCOUNT)
		return rc;
	rc = rbr_path_folder(RBR_PLACE_USER, "accounts", folder, error);
	if (rc == 0)
		rc = rbr_path_make(folder, error);
	return rc < 0 ? rc : rbr_path_join(folder, name, ret_path, error);
}

static int
write_all(int descriptor, const struct ringbearer_secret *text)
{
	size_t written = 0;
	ssize_t each;

	while (written < text->size) {
		each = write(descriptor, text->data + written, text->size - written);
		if (each < 0 && errno != EINTR)
			return -1;
		written += each > 0 ? (size_t)each : 0;
	}
	return fsync(descriptor);
}

/* Complete or not at all: a new file beside it, on disk before it gets its name; an existing one is not replaced. */
static int
write_file(struct rbr_context *context, const char *path, const struct ringbearer_secret *text)
{
	char folder[PATH_MAX], temporary[PATH_MAX];
	RBR_CLEANUP(rbr_close) int descriptor = -1;
	RBR_CLEANUP(rbr_close) int directory = -1;
	bool done;
	int saved;

	(void)snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = '\0';
	if (snprintf(temporary, sizeof temporary, "%s/.new-XXXXXX", folder) >= (int)sizeof temporary)
		return rbr_fail(&context->error, RINGBEARER_E_CONFIG, "the path %.80s… is too long", path);
	descriptor = mkostemp(temporary, O_CLOEXEC);
	if (descriptor < 0)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "%s cannot be written: %s", folder, strerror(errno));
	done = write_all(descriptor, text) == 0 && link(temporary, path) == 0;
	saved = errno;
	(void)unlink(temporary);
	if (!done)
		return rbr_fail(
			&context->error, RINGBEARER_E_CONFIG, "%s cannot be written: %s", path, strerror(saved));
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0)
		(void)fsync(directory);
	return 0;
}

static int
keep_secret(struct rbr_context *context, struct rbr_account *account, const char *kind, bool from_stdin)
{
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret secret = RBR_SECRET_EMPTY;
	int rc = rbr_custody_ask(context, account, kind, from_stdin, &secret);

	return rc < 0 ? rc : rbr_custody_keep(context, account, kind, &secret, true);
}

static int
add(struct rbr_context *context, const char *name, const struct rbr_message *lines, bool from_stdin)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	RBR_CLEANUP(rbr_secret_wipe) struct ringbearer_secret text = RBR_SECRET_EMPTY;
	const char *kind = NULL;
	bool login = false;
	char path[PATH_MAX];
	int rc = refuse_existing(context, name, path);

	if (rc == 0)
		rc = rbr_account_assemble(name, lines, "the command line", &account, &context->error);
	if (rc == 0)
		rc = rbr_custody_kind(context, &account, &kind, &login);
	if (rc == 0 && rbr_message_format(lines, &text) < 0)
		rc = rbr_fail_memory(&context->error);
	if (rc == 0 && kind)
		rc = keep_secret(context, &account, kind, from_stdin);
	if (rc < 0)
		return rc;
	rc = write_file(context, path, &text);
	if (rc < 0 && kind) {
		RBR_CLEANUP(rbr_close) int turn = -1;
		struct rbr_error first = context->error;

		if (rbr_custody_erase(context, &account, kind, false, &turn) < 0)
			rbr_warn(context, name, "its secret stays in the keyring: %s", context->error.detail);
		context->error = first;
		return rc;
	}
	if (rc == 0)
		rbr_say(login ? "%s: added; now run `ringbearer login %s`\n"
			      : "%s: added; try `ringbearer token %s --show`\n",
			name, name);
	return rc;
}

int
rbr_command_add(struct rbr_context *context, int argc, char **argv)
{
	RBR_CLEANUP(rbr_message_wipe) struct rbr_message lines = RBR_MESSAGE_EMPTY;
	bool from_stdin = false;
	const char *name = NULL;
	int rc = read_options(context, argc, argv, &lines, &from_stdin);

	if (rc == 0)
		rc = rbr_account_argument(context, argc, argv, &name);
	return rc < 0 ? rc : add(context, name, &lines, from_stdin);
}
