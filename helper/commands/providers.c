/* SPDX-License-Identifier: MIT */
/* `providers`: what is shipped, with the documentation link of each. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/provider.h"
#include "cli/names.h"
#include "command.h"
#include "person/log.h"

static void
print_provider(struct rbr_context *context, const char *name)
{
	RBR_CLEANUP(rbr_provider_wipe) struct rbr_provider provider = RBR_PROVIDER_EMPTY;
	const char *title, *link;
	struct rbr_error why = {0};

	if (rbr_provider_load(name, &provider, &why) < 0) {
		rbr_warn(context, NULL, "%s", why.detail);
		return;
	}
	title = rbr_message_get(&provider.lines, "title");
	link = rbr_message_get(&provider.lines, "documentation");
	rbr_say("%-14s %s\n", name, title ? title : "");
	if (link)
		rbr_say("%-14s %s\n", "", link);
	if (provider.place != RBR_PLACE_SHIPPED)
		rbr_say("%-14s %s\n", "", provider.path);
}

int
rbr_command_providers(struct rbr_context *context, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	size_t i;
	int rc;

	if (rbr_option(context, argc, argv, options) == 0)
		return RINGBEARER_E_USAGE;
	rc = rbr_no_argument(context, argc, argv);
	if (rc == 0)
		rc = rbr_provider_visit(rbr_names_add, &names, &context->error);
	rbr_names_sort(&names);
	for (i = 0; rc == 0 && i < names.count; i++)
		print_provider(context, names.list[i]);
	return rc;
}
