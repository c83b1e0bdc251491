/* SPDX-License-Identifier: MIT */
/* `show`: the settings in effect, each with where it comes from, in the form of an account file. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "accounts/account.h"
#include "command.h"
#include "person/log.h"

/* The file of defaults at PLACE was there a moment ago. */
static void
show_defaults(enum rbr_place place, unsigned line)
{
	char path[PATH_MAX];

	if (rbr_path_folder(place, RBR_DEFAULTS, path, NULL) == 0)
		rbr_say("%s, line %u\n", path, line);
}

static void
show_origin(const struct rbr_account *account, const struct rbr_value *value)
{
	switch (value->layer) {
	case RBR_LAYER_DEFAULT:
		rbr_say("built in\n");
		break;
	case RBR_LAYER_METADATA:
	case RBR_LAYER_CONFIRMED:
		rbr_say("the issuer's metadata\n");
		break;
	case RBR_LAYER_SYSTEM_DEFAULTS:
		show_defaults(RBR_PLACE_SYSTEM, value->line);
		break;
	case RBR_LAYER_USER_DEFAULTS:
		show_defaults(RBR_PLACE_USER, value->line);
		break;
	case RBR_LAYER_PROVIDER:
		rbr_say("%s, line %u\n", account->provider_path, value->line);
		break;
	case RBR_LAYER_ACCOUNT:
		rbr_say("%s, line %u\n", account->path, value->line);
		break;
	case RBR_LAYER_REQUEST:
		rbr_say("the request\n");
		break;
	}
}

int
rbr_command_show(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	const struct rbr_value *value;
	const char *name = NULL;
	size_t i;
	int key, rc;

	if (rbr_option(context, argc, argv, options) == 0)
		return RINGBEARER_E_USAGE;
	rc = rbr_account_argument(context, argc, argv, &name);
	if (rc == 0)
		rc = rbr_account_load(name, &account, &context->error);
	for (key = 0; rc == 0 && key < RBR_KEYS; key++)
		for (i = 0; (value = rbr_account_value(&account, key, i)); i++) {
			rbr_say("%s = %s\n\t# ", rbr_keys[key].name, value->text);
			show_origin(&account, value);
		}
	return rc;
}
