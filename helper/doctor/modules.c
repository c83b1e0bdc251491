/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "accounts/file_trust.h"
#include "checks.h"
#include "cli/names.h"
#include "host/loader.h"
#include "protocol/fastpath/paths.h"

#define SUBJECT "modules"

static int
open_grant(struct rbr_context *context, const char *name)
{
	struct rbr_grant grant;

	return rbr_loader_grant(context, name, &grant);
}

static int
open_store(struct rbr_context *context, const char *name)
{
	struct rbr_store store;

	return rbr_loader_store(context, name, &store);
}

static int
open_input(struct rbr_context *context, const char *name)
{
	struct rbr_input input;

	return rbr_loader_input(context, name, &input);
}

static int
open_notice(struct rbr_context *context, const char *name)
{
	struct rbr_notice notice;

	return rbr_loader_notice(context, name, &notice);
}

static const struct {
	const char *family;
	int (*open)(struct rbr_context *context, const char *name);
} families[] = {{"grant", open_grant}, {"store", open_store}, {"input", open_input}, {"notice", open_notice}};

/* Opening one asks who can change it. */
static size_t
check_family(struct rbr_checkup *checkup, size_t family)
{
	RBR_CLEANUP(rbr_names_wipe) struct rbr_names names = {NULL, 0};
	char subject[80];
	size_t i, good = 0;

	if (rbr_loader_names(families[family].family, &names) < 0)
		return 0;
	for (i = 0; i < names.count; i++) {
		if (families[family].open(checkup->context, names.list[i]) == 0) {
			good++;
			continue;
		}
		(void)snprintf(subject, sizeof subject, "%s %.48s", families[family].family, names.list[i]);
		rbr_ill_by_error(checkup, subject, "install the package that brings it anew");
	}
	return good;
}

void
rbr_check_modules(struct rbr_checkup *checkup)
{
	const char *folder = rbr_path_modules();
	size_t i, good = 0;
	struct stat status;

	if (stat(folder, &status) < 0) {
		rbr_ill(checkup, SUBJECT, RINGBEARER_E_MODULE,
			"%s: %s; install ringbearer anew, or set RINGBEARER_MODULE_DIR", folder, strerror(errno));
		return;
	}
	for (i = 0; i < RBR_ARRAY_SIZE(families); i++)
		good += check_family(checkup, i);
	if (good == 0)
		rbr_ill(checkup, SUBJECT, RINGBEARER_E_MODULE, "none in %s can be loaded; install ringbearer anew",
			folder);
	else
		rbr_well(checkup, SUBJECT, "%zu in %s, which nobody else can change", good, folder);
}
