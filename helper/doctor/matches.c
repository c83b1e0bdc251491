/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/match.h"
#include "checks.h"
#include "cli/names.h"
#include "protocol/secret.h"

#define SUBJECT "matches"
#define PLACE_MAX (RBR_URL_MAX + 600)

/* A line for each place and user: what decides, a tab, the account; sorted, those that are alike lie side by side. */
struct places {
	struct rbr_checkup *checkup;
	struct rbr_names lines;
};

static int
note_account(const char *name, void *data)
{
	RBR_CLEANUP(rbr_account_wipe) struct rbr_account account = RBR_ACCOUNT_EMPTY;
	struct places *places = data;
	const struct rbr_value *value;
	const char *username;
	char origin[320], line[PLACE_MAX];
	struct rbr_url url;
	size_t i;
	int rc = 0;

	if (rbr_account_load(name, &account, NULL) < 0)
		return 0; /* that is said elsewhere */
	username = rbr_account_get(&account, RBR_KEY_USERNAME);
	for (i = 0; rc == 0 && (value = rbr_account_value(&account, RBR_KEY_MATCH, i)); i++) {
		if (rbr_url_parse(&url, value->text, "match", NULL) < 0)
			continue;
		rbr_match_settle(places->checkup->context, &url);
		rbr_url_origin(&url, origin, sizeof origin);
		if (url.path[0] && url.path[strlen(url.path) - 1] == '/')
			url.path[strlen(url.path) - 1] = '\0';
		if (snprintf(line, sizeof line, "%s%s/ %.200s\t%s", origin, url.path, username ? username : "", name) <
			(int)sizeof line)
			rc = rbr_names_add(line, &places->lines);
	}
	return rc;
}

static void
tell_pair(struct rbr_checkup *checkup, const char *one, const char *other)
{
	const char *first = strchr(one, '\t'), *second = strchr(other, '\t');

	rbr_ill(checkup, SUBJECT, RINGBEARER_E_AMBIGUOUS_ACCOUNT,
		"%s and %s both answer for %.*s; give each a `username` or a longer `match`, see `ringbearer show %s`",
		first + 1, second + 1, (int)strcspn(one, " "), one, second + 1);
}

void
rbr_check_matches(struct rbr_checkup *checkup)
{
	struct places places = {checkup, {NULL, 0}};
	unsigned before = checkup->ill;
	size_t i, size;

	if (rbr_account_visit(note_account, &places, &checkup->context->error) < 0)
		rbr_ill_by_error(checkup, SUBJECT, NULL);
	rbr_names_sort(&places.lines);
	for (i = 1; i < places.lines.count; i++) {
		const char *one = places.lines.list[i - 1], *other = places.lines.list[i];

		size = strcspn(one, "\t") + 1;
		if (strncmp(one, other, size) == 0 && strcmp(one, other) != 0)
			tell_pair(checkup, one, other);
	}
	if (checkup->ill == before && places.lines.count > 0)
		rbr_well(checkup, SUBJECT, "no place has two accounts");
	rbr_names_wipe(&places.lines);
}
