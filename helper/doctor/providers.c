/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "accounts/account.h"
#include "accounts/provider.h"
#include "checks.h"

#define SUBJECT_MAX 96

struct providers {
	struct rbr_checkup *checkup;
	size_t good;
};

static void
check_keys(struct providers *providers, const char *subject, const struct rbr_provider *provider)
{
	size_t i;

	for (i = 0; i < provider->lines.count; i++) {
		const char *key = rbr_message_key(&provider->lines, i);
		struct rbr_nearest nearest = RBR_NEAREST(key);

		if (rbr_key_find(key) >= 0 || rbr_provider_has_key(key))
			continue;
		rbr_key_nearest(&nearest);
		rbr_ill(providers->checkup, subject, RINGBEARER_E_CONFIG,
			"%s, line %u: there is no key `%.40s`; %s%s%s", provider->path, provider->lines.entries[i].line,
			key, rbr_nearest_fits(&nearest) ? "did you mean `" : "take it out",
			rbr_nearest_fits(&nearest) ? nearest.name : "", rbr_nearest_fits(&nearest) ? "`?" : "");
		return;
	}
	providers->good++;
}

static int
check_provider(const char *name, void *data)
{
	struct providers *providers = data;
	struct rbr_provider provider = RBR_PROVIDER_EMPTY;
	char subject[SUBJECT_MAX];

	(void)snprintf(subject, sizeof subject, "provider %.64s", name);
	if (rbr_provider_load(name, &provider, &providers->checkup->context->error) < 0)
		rbr_ill_by_error(providers->checkup, subject, "mend the file");
	else
		check_keys(providers, subject, &provider);
	rbr_provider_wipe(&provider);
	return 0;
}

/* One of the user's or the system's with the name of another that stands before it is not used. */
static void
tell_hidden(struct rbr_checkup *checkup, enum rbr_place place)
{
	char folder[PATH_MAX], subject[SUBJECT_MAX];
	DIR *files = rbr_path_folder(place, "providers", folder, NULL) == 0 ? opendir(folder) : NULL;
	struct dirent *file;

	while (files && (file = readdir(files))) {
		struct rbr_provider provider = RBR_PROVIDER_EMPTY;

		if (file->d_name[0] != '.' && rbr_provider_load(file->d_name, &provider, NULL) == 0 &&
			provider.place != place) {
			(void)snprintf(subject, sizeof subject, "provider %.64s", file->d_name);
			rbr_ill(checkup, subject, RINGBEARER_E_CONFIG,
				"%s/%s is not used, since %s stands before it; give it another name: `mv %s/%s %s/my-%s`",
				folder, file->d_name, provider.path, folder, file->d_name, folder, file->d_name);
		}
		rbr_provider_wipe(&provider);
	}
	if (files)
		(void)closedir(files);
}

void
rbr_check_providers(struct rbr_checkup *checkup)
{
	struct providers providers = {checkup, 0};

	if (rbr_provider_visit(check_provider, &providers, &checkup->context->error) < 0)
		rbr_ill_by_error(checkup, "providers", NULL);
	tell_hidden(checkup, RBR_PLACE_SYSTEM);
	tell_hidden(checkup, RBR_PLACE_USER);
	if (providers.good > 0)
		rbr_well(checkup, "providers", "%zu, with keys that are known", providers.good);
	else
		rbr_ill(checkup, "providers", RINGBEARER_E_CONFIG, "none can be read; install ringbearer anew");
}
