/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "options.h"

#include <stdio.h>

#include "locate.h"

int
rbr_option(struct rbr_context *context, int argc, char **argv, const struct option *options)
{
	int value;

	opterr = 0;
	value = getopt_long(argc, argv, ":", options, NULL);
	if (value == ':')
		(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the option %s wants a value; see `ringbearer help %s`", argv[optind - 1], argv[0]);
	else if (value == '?')
		(void)rbr_fail(&context->error, RINGBEARER_E_USAGE,
			"the option %s is not known here; see `ringbearer help %s`", argv[optind - 1], argv[0]);
	return value == ':' || value == '?' ? 0 : value;
}

int
rbr_account_argument(struct rbr_context *context, int argc, char **argv, const char **ret_name)
{
	if (optind >= argc)
		return rbr_fail(
			&context->error, RINGBEARER_E_USAGE, "name an account; see `ringbearer help %s`", argv[0]);
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
