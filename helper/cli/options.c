/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "options.h"

#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "protocol/fastpath/locate.h"

#define NAME_MAX_SIZE 64 /* of an option in a message */

/* People write secrets behind the name of an option; they are not repeated. */
static bool
is_secret(const char *name)
{
	static const char *const names[] = {"client-secret", "refresh-token", "api-key", "access-token", "password",
		"client_secret", "refresh_token", "api_key", "access_token"};
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
refuse_secret(struct rbr_context *context, const char *name)
{
	(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
		"a secret is not given as an option; leave --%s out and it is asked for, or use --secret-stdin", name);
}

static void
refuse_unknown(struct rbr_context *context, const char *name, const char *command, const struct option *options)
{
	struct rbr_nearest nearest = RBR_NEAREST(name);
	bool takes_secret = false;

	for (; options->name; options++) {
		takes_secret = takes_secret || strcmp(options->name, "secret-stdin") == 0;
		rbr_nearest_try(&nearest, options->name);
	}
	if (takes_secret && is_secret(name))
		refuse_secret(context, name);
	else if (rbr_nearest_fits(&nearest))
		(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the option --%s is not known here; did you mean --%s?", name, nearest.name);
	else
		(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the option --%s is not known here; see `ringbearer help %s`", name, command);
}

/* Says what is wrong with the option that getopt_long() has just refused, by its name alone. */
static void
refuse(struct rbr_context *context, int why, char **argv, const struct option *options)
{
	const char *word = argv[optind - 1];
	const struct option *known;
	char name[NAME_MAX_SIZE];

	for (known = options; known->name; known++)
		if (optopt != 0 && known->val == optopt && strcmp(known->name, "secret-stdin") == 0) {
			refuse_secret(context, "secret");
			return;
		} else if (optopt != 0 && known->val == optopt) {
			(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
				"the option --%s %s value; see `ringbearer help %s`", known->name,
				why == ':' ? "wants a" : "takes no", argv[0]);
			return;
		}
	if (optopt != 0) {
		(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the option -%c is not known here; see `ringbearer help %s`", optopt, argv[0]);
		return;
	}
	word += strspn(word, "-");
	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	refuse_unknown(context, name, argv[0], options);
}

int
rbr_option(struct rbr_context *context, int argc, char **argv, const struct option *options)
{
	int value, index = -1;

	opterr = 0;
	value = getopt_long(argc, argv, ":", options, &index);
	if (value == ':' || value == '?') {
		refuse(context, value, argv, options);
		return 0;
	}
	/* --secret is short for --secret-stdin, but who writes it has the secret behind it. */
	if (value > 0 && index >= 0 && strcmp(options[index].name, "secret-stdin") == 0 &&
		strcmp(argv[optind - 1], "--secret") == 0) {
		refuse_secret(context, "secret");
		return 0;
	}
	return value;
}

int
rbr_account_argument(struct rbr_context *context, int argc, char **argv, const char **ret_name)
{
	if (optind >= argc)
		return rbr_fail(
			&context->error, RINGBEARER_E_USAGE, "name an account; see `ringbearer help %s`", argv[0]);
	if (optind + 1 < argc &&
		(strcmp(argv[0], "secret") == 0 || strcmp(argv[0], "add") == 0)) /* it is not repeated */
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"`%s` takes one argument, the account; the secret is asked for, or use --secret-stdin",
			argv[0]);
	if (optind + 1 < argc)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"`%.80s` is one argument too many; see `ringbearer help %s`", argv[optind + 1], argv[0]);
	*ret_name = argv[optind];
	(void)snprintf(context->account, sizeof context->account, "%s", *ret_name);
	return rbr_account_check_name(*ret_name, &context->error);
}

int
rbr_no_argument(struct rbr_context *context, int argc, char **argv)
{
	if (optind < argc)
		return rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"`%.80s` is one argument too many; see `ringbearer help %s`", argv[optind], argv[0]);
	return 0;
}
