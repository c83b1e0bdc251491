/* SPDX-License-Identifier: MIT */
/*
 * Where all keyrings are locked, or there is none, some services open a window as soon as anything is searched, and
 * answer when a person is done with it (KeePassXC). So it is looked at before: that one property is what every service gives
 * without a question. A keyring that is open is enough: what is locked beside it is found, and shown as such.
 */
#include "config.h"

#include "collections.h"

#include <string.h>

#include "prompt.h"

#define NEW_LABEL "Default keyring"

/* 1 if there is no such keyring. */
static int
ask_locked(struct rbr_work *work, const char *path, gboolean *ret_locked)
{
	GVariant *value;
	int rc = rbr_work_property(work, path, RBR_COLLECTION, "Locked", "b", &value);

	if (rc != 0)
		return rc;
	*ret_locked = g_variant_get_boolean(value);
	g_variant_unref(value);
	return 0;
}

/* The keyring that the service calls its default; 1 if there is none. */
static int
read_default(struct rbr_work *work, gchar **ret_path)
{
	GVariant *reply;
	gchar *path;
	int rc = rbr_work_try(
		work, RBR_SERVICE_PATH, RBR_SERVICE ".ReadAlias", g_variant_new("(s)", "default"), "(o)", &reply);

	if (rc != 0)
		return rc;
	g_variant_get(reply, "(o)", &path);
	g_variant_unref(reply);
	if (strcmp(path, "/") != 0) {
		*ret_path = path;
		return 0;
	}
	g_free(path);
	return 1;
}

/* Whether one of PATHS is open; *RET_LOCKED is the first that is not, NULL if none was there. */
static int
look_through(struct rbr_work *work, gchar **paths, gboolean *ret_open, const char **ret_locked)
{
	gboolean locked = TRUE;
	int rc = 0;

	*ret_open = FALSE;
	*ret_locked = NULL;
	for (; rc >= 0 && !*ret_open && *paths; paths++) {
		rc = ask_locked(work, *paths, &locked);
		if (rc == 0 && !locked)
			*ret_open = TRUE;
		else if (rc == 0 && !*ret_locked)
			*ret_locked = *paths;
	}
	return rc < 0 ? rc : 0;
}

/* Whether the keyring of the item at PATH is open, as far as the service says. */
static int
is_in_open(struct rbr_work *work, const char *path, gboolean *ret_open)
{
	const char *slash = strrchr(path, '/');
	gchar *keyring = g_strndup(path, slash ? (gsize)(slash - path) : 0);
	gboolean locked = TRUE;
	int rc = g_variant_is_object_path(keyring) ? ask_locked(work, keyring, &locked) : 1;

	g_free(keyring);
	*ret_open = rc == 0 && !locked;
	return rc < 0 ? rc : 0;
}

/* PATH stays locked. An item may be so in a keyring that is open: the service wants to ask who reads it. */
static int
fail_locked(struct rbr_work *work, const char *path)
{
	gboolean open = FALSE;
	int rc = is_in_open(work, path, &open);

	if (rc < 0)
		return rc;
	return open ? rbr_work_fail_asks(work, "it hands a secret out") : rbr_work_fail_locked(work);
}

/* QUESTION says whether that takes a person. */
static int
unlock(struct rbr_work *work, gchar **paths, enum rbr_question question)
{
	GVariant *reply;
	gchar **unlocked, *prompt;
	gsize count;
	int rc;

	if (!paths[0])
		return 0;
	rc = rbr_work_call(work, RBR_SERVICE_PATH, RBR_SERVICE ".Unlock", g_variant_new("(^ao)", paths), "(aoo)",
		"unlocking the keyring", &reply);
	if (rc < 0)
		return rc;
	g_variant_get(reply, "(^aoo)", &unlocked, &prompt);
	g_variant_unref(reply);
	count = g_strv_length(unlocked);
	if (strcmp(prompt, "/") != 0)
		rc = rbr_prompt(work, prompt, question);
	else if (count < g_strv_length(paths))
		rc = 1;
	if (rc > 0)
		rc = fail_locked(work, paths[0]);
	g_strfreev(unlocked);
	g_free(prompt);
	return rc;
}

int
rbr_collections_unlock(struct rbr_work *work, gchar **paths)
{
	return unlock(work, paths, RBR_ASKS_SURELY);
}

/* KWallet says of a wallet that was opened with the session that it is locked, until somebody wants it unlocked: that opens no
 * window. Its own interface tells. */
static int
opens_by_itself(struct rbr_work *work, const char *path, gboolean *ret_does)
{
	static const char *const places[] = {"/modules/kwalletd5", "/modules/kwalletd6"};
	GVariant *label, *reply = NULL;
	size_t i;
	int rc = rbr_work_property(work, path, RBR_COLLECTION, "Label", "s", &label);

	*ret_does = FALSE;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = 1;
	for (i = 0; rc > 0 && i < G_N_ELEMENTS(places); i++)
		rc = rbr_work_try(work, places[i], "org.kde.KWallet.isOpen",
			g_variant_new("(s)", g_variant_get_string(label, NULL)), "(b)", &reply);
	if (rc == 0) {
		g_variant_get(reply, "(b)", ret_does);
		g_variant_unref(reply);
	}
	g_variant_unref(label);
	return rc < 0 ? rc : 0;
}

static int
fail_none(struct rbr_work *work)
{
	const char *hint = work->host->config(work->call, "interactive_hint", 0);

	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring's service shows no keyring; open one in it, make one or let it be seen by other programs%s%s",
		hint ? ", or " : "", hint ? hint : "");
}

/* None is open: FIRST is locked, or NULL where there is none. */
static int
open_one(struct rbr_work *work, const char *first)
{
	gchar *only[2] = {NULL, NULL};
	gboolean by_itself = FALSE;
	int rc;

	if (!first && !work->interactive)
		return fail_none(work);
	if (!first) {
		work->closed = TRUE;
		return 0;
	}
	rc = read_default(work, &only[0]);
	if (rc > 0)
		only[0] = g_strdup(first);
	if (rc >= 0)
		rc = opens_by_itself(work, only[0], &by_itself);
	if (rc >= 0 && !by_itself && !work->interactive)
		rc = rbr_work_fail_locked(work);
	else if (rc >= 0)
		rc = unlock(work, only, by_itself ? RBR_ASKS_PERHAPS : RBR_ASKS_SURELY);
	g_free(only[0]);
	return rc;
}

/* Whether one is open, or the service does not say. *RET_FIRST is one that is locked, to be freed; NULL: there is none. */
static int
survey(struct rbr_work *work, gboolean *ret_open, gchar **ret_first)
{
	gboolean locked = TRUE;
	const char *first = NULL;
	GVariant *value;
	gchar **paths;
	int rc = ask_locked(work, RBR_DEFAULT_KEYRING, &locked);

	*ret_open = rc == 0 && !locked;
	*ret_first = NULL;
	if (rc < 0 || *ret_open)
		return rc;
	rc = rbr_work_property(work, RBR_SERVICE_PATH, RBR_SERVICE, "Collections", "ao", &value);
	*ret_open = rc > 0;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	paths = g_variant_dup_objv(value, NULL);
	g_variant_unref(value);
	rc = look_through(work, paths, ret_open, &first);
	*ret_first = g_strdup(first);
	g_strfreev(paths);
	return rc;
}

int
rbr_collections_open(struct rbr_work *work)
{
	gboolean open;
	gchar *first;
	int rc = survey(work, &open, &first);

	if (rc == 0 && !open)
		rc = open_one(work, first);
	g_free(first);
	return rc;
}

int
rbr_collections_absent(struct rbr_work *work)
{
	gboolean open = TRUE;
	gchar *first = NULL;
	int rc = work->closed ? survey(work, &open, &first) : 0;

	if (rc == 0)
		rc = open ? RINGBEARER_E_NO_SECRET : fail_none(work);
	g_free(first);
	return rc;
}

int
rbr_collections_unlock_for_names(struct rbr_work *work, gchar **paths)
{
	gchar **closed = g_new0(gchar *, g_strv_length(paths) + 1);
	gboolean open = FALSE;
	gsize i, count = 0;
	int rc = 0;

	for (i = 0; rc == 0 && paths[i]; i++) {
		rc = is_in_open(work, paths[i], &open);
		if (rc == 0 && !open)
			closed[count++] = paths[i];
	}
	if (rc == 0)
		rc = rbr_collections_unlock(work, closed);
	g_free(closed);
	return rc;
}

/* Has a person make the first one. */
static int
make_default(struct rbr_work *work, gchar **ret_path)
{
	GVariantBuilder properties;
	GVariant *reply;
	gchar *path, *prompt;
	int rc;

	g_variant_builder_init(&properties, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&properties, "{sv}", RBR_COLLECTION ".Label", g_variant_new_string(NEW_LABEL));
	rc = rbr_work_call(work, RBR_SERVICE_PATH, RBR_SERVICE ".CreateCollection",
		g_variant_new("(a{sv}s)", &properties, "default"), "(oo)", "making a keyring", &reply);
	if (rc < 0)
		return rc;
	g_variant_get(reply, "(oo)", &path, &prompt);
	g_variant_unref(reply);
	rc = rbr_prompt(work, prompt, RBR_ASKS_SURELY);
	g_free(path); /* "/" where a prompt came first */
	g_free(prompt);
	if (rc == 0)
		rc = read_default(work, ret_path);
	return rc > 0 ? rbr_work_fail_asks(work, "it makes its first keyring") : rc;
}

int
rbr_collections_default(struct rbr_work *work, gchar **ret_path)
{
	gchar *only[2] = {NULL, NULL};
	gboolean locked = FALSE;
	int rc = read_default(work, &only[0]);

	if (rc > 0 && !work->interactive)
		return rbr_work_fail_asks(work, "it makes its first keyring");
	if (rc > 0)
		rc = make_default(work, &only[0]);
	if (rc == 0)
		rc = ask_locked(work, only[0], &locked);
	if (rc >= 0 && locked)
		rc = rbr_collections_unlock(work, only);
	if (rc >= 0)
		*ret_path = g_steal_pointer(&only[0]);
	g_free(only[0]);
	return rc < 0 ? rc : 0;
}
