/* SPDX-License-Identifier: MIT */
/*
 * libsecret's objects for items are left aside, since each takes four round trips before it is asked anything. The
 * schema's name is not matched: with it, a keyring that has been locked since its daemon started finds nothing at all. All
 * items have the same attributes, for some services replace an item whose attributes are a superset.
 */
#include "config.h"

#include "items.h"

#include <string.h>

#include "collections.h"

#define TYPE_KEY "xdg:schema"
#define TYPE "org.ringbearer.Secret"

void
rbr_paths_free(struct rbr_paths *paths)
{
	g_clear_pointer(&paths->unlocked, g_strfreev);
	g_clear_pointer(&paths->locked, g_strfreev);
}

static void
add_names(const struct ringbearer_item *item, GVariantBuilder *builder)
{
	g_variant_builder_init(builder, G_VARIANT_TYPE("a{ss}"));
	g_variant_builder_add(builder, "{ss}", "account", item->account);
	g_variant_builder_add(builder, "{ss}", "kind", item->kind);
	g_variant_builder_add(builder, "{ss}", "client_id", item->client_id);
	g_variant_builder_add(builder, "{ss}", "endpoint", item->endpoint);
}

GVariant *
rbr_items_names(const struct ringbearer_item *item)
{
	GVariantBuilder builder;

	add_names(item, &builder);
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

GVariant *
rbr_items_attributes(const struct rbr_work *work, const char *const more[][2], guint count)
{
	GVariantBuilder builder;
	guint i;

	add_names(work->item, &builder);
	g_variant_builder_add(&builder, "{ss}", TYPE_KEY, TYPE);
	for (i = 0; i < count; i++)
		g_variant_builder_add(&builder, "{ss}", more[i][0], more[i][1]);
	return g_variant_builder_end(&builder);
}

gchar *
rbr_items_place(const struct rbr_work *work)
{
	GVariant *names = rbr_items_names(work->item);
	gchar *path = g_strdup(rbr_work_place(names));

	g_variant_unref(names);
	return path;
}

void
rbr_items_forget_place(const struct rbr_work *work)
{
	GVariant *names = rbr_items_names(work->item);

	rbr_work_note_place(names, NULL);
	g_variant_unref(names);
}

gboolean
rbr_items_is(const struct rbr_work *work, GVariant *attributes)
{
	GVariant *names = rbr_items_names(work->item);
	const char *name, *value, *has;
	gboolean is = g_variant_is_of_type(attributes, G_VARIANT_TYPE("a{ss}"));
	GVariantIter iterator;

	g_variant_iter_init(&iterator, names);
	while (is && g_variant_iter_next(&iterator, "{&s&s}", &name, &value))
		is = g_variant_lookup(attributes, name, "&s", &has) && strcmp(has, value) == 0;
	g_variant_unref(names);
	return is;
}

/* Not both: by the schema's name nothing is found in a keyring that has been locked since its daemon started. */
GVariant *
rbr_items_attributes_of(const char *account)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
	g_variant_builder_add(&builder, "{ss}", account ? "account" : TYPE_KEY, account ? account : TYPE);
	return g_variant_builder_end(&builder);
}

int
rbr_items_search(struct rbr_work *work, GVariant *attributes, struct rbr_paths *ret_paths)
{
	const gboolean asks = work->closed && work->interactive;
	GVariant *reply;
	int rc;

	if (asks)
		work->host->asking(work->call, true);
	rc = rbr_work_call(work, RBR_SERVICE_PATH, RBR_SERVICE ".SearchItems", g_variant_new("(@a{ss})", attributes),
		"(aoao)", "searching the keyring", &reply);
	if (asks)
		work->host->asking(work->call, false);
	if (rc < 0)
		return rc;
	work->closed = FALSE; /* whoever was asked has answered */
	g_variant_get(reply, "(^ao^ao)", &ret_paths->unlocked, &ret_paths->locked);
	g_variant_unref(reply);
	return 0;
}

static int
ask_modified(struct rbr_work *work, const char *path, guint64 *ret_time)
{
	GVariant *value;
	int rc = rbr_work_property(work, path, RBR_ITEM, "Modified", "t", &value);

	*ret_time = 0;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	*ret_time = g_variant_get_uint64(value);
	g_variant_unref(value);
	return 0;
}

/* The one of PATHS that was changed after *LATEST, at *MODIFIED, into *LATEST. */
static int
choose_latest(struct rbr_work *work, gchar **paths, gchar ***latest, guint64 *modified)
{
	guint64 time = 0;
	int rc = 0;

	for (; rc == 0 && *paths; paths++) {
		rc = ask_modified(work, *paths, &time);
		if (rc == 0 && (!*latest || time > *modified)) {
			*latest = paths;
			*modified = time;
		}
	}
	return rc;
}

/* What can be gone back to without a search: not one that a person has unlocked, or that was chosen from several. */
static gboolean
is_only_open(const struct rbr_paths *paths)
{
	return g_strv_length(paths->unlocked) == 1 && !paths->locked[0];
}

int
rbr_items_find(struct rbr_work *work, gchar **ret_path)
{
	struct rbr_paths paths = {NULL, NULL};
	gchar **latest = NULL;
	gchar *only[2] = {NULL, NULL};
	guint64 modified = 0;
	const gboolean closed = work->closed;
	GVariant *names = rbr_items_names(work->item);
	int rc = rbr_items_search(work, names, &paths);

	if (rc == 0)
		rbr_work_note_place(names, is_only_open(&paths) ? paths.unlocked[0] : NULL);
	if (rc == 0 && g_strv_length(paths.unlocked) + g_strv_length(paths.locked) == 1) {
		latest = paths.unlocked[0] ? paths.unlocked : paths.locked;
	} else if (rc == 0) {
		rc = choose_latest(work, paths.unlocked, &latest, &modified);
		if (rc == 0)
			rc = choose_latest(work, paths.locked, &latest, &modified);
	}
	if (rc == 0 && !latest)
		rc = RINGBEARER_E_NO_SECRET;
	if (rc == 0) {
		only[0] = *latest;
		if (g_strv_contains((const gchar *const *)paths.locked, only[0]))
			rc = rbr_collections_unlock(work, only);
	}
	if (rc == 0)
		*ret_path = g_strdup(only[0]);
	work->closed = closed && rc == RINGBEARER_E_NO_SECRET;
	rbr_paths_free(&paths);
	g_variant_unref(names);
	return rc;
}

struct tour {
	ringbearer_item_visitor visit;
	void *data;
};

/* DESCRIPTION is the reply with an item's properties. */
static int
visit_item(const struct tour *tour, GVariant *description)
{
	struct ringbearer_item item = {.size = sizeof item};
	GVariant *properties = g_variant_get_child_value(description, 0);
	GVariant *attributes = g_variant_lookup_value(properties, "Attributes", G_VARIANT_TYPE("a{ss}"));
	int rc = 0;

	if (attributes) {
		(void)g_variant_lookup(attributes, "account", "&s", &item.account);
		(void)g_variant_lookup(attributes, "kind", "&s", &item.kind);
		(void)g_variant_lookup(attributes, "client_id", "&s", &item.client_id);
		(void)g_variant_lookup(attributes, "endpoint", "&s", &item.endpoint);
		(void)g_variant_lookup(properties, "Label", "&s", &item.label);
	}
	if (item.account && item.kind && item.client_id && item.endpoint)
		rc = tour->visit(&item, tour->data);
	g_clear_pointer(&attributes, g_variant_unref); /* the strings are in there, or in a copy that it has */
	g_variant_unref(properties);
	return rc;
}

static int
describe_items(struct rbr_work *work, gchar **paths, GPtrArray *items)
{
	GVariant *reply;
	int rc = 0;

	for (; rc == 0 && *paths; paths++) {
		rc = rbr_work_call(work, *paths, "org.freedesktop.DBus.Properties.GetAll",
			g_variant_new("(s)", RBR_ITEM), "(a{sv})", "reading the keyring", &reply);
		if (rc == 0)
			g_ptr_array_add(items, reply);
	}
	return rc;
}

static guint64
changed_at(GVariant *description)
{
	GVariant *properties = g_variant_get_child_value(description, 0);
	guint64 seconds = 0;

	(void)g_variant_lookup(properties, "Modified", "t", &seconds);
	g_variant_unref(properties);
	return seconds;
}

/* The latest first. */
static gint
by_change(gconstpointer a, gconstpointer b)
{
	guint64 first = changed_at(*(GVariant *const *)a), second = changed_at(*(GVariant *const *)b);

	return first < second ? 1 : first > second ? -1 : 0;
}

int
rbr_items_visit(struct rbr_work *work, const char *account, ringbearer_item_visitor visit, void *data)
{
	const struct tour tour = {visit, data};
	GPtrArray *items = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
	struct rbr_paths paths = {NULL, NULL};
	guint i;
	int rc = rbr_items_search(work, rbr_items_attributes_of(account), &paths);

	/* Some services show attributes of locked items in a form that nobody can read; in an open keyring they do not. */
	if (rc == 0)
		rc = rbr_collections_unlock_for_names(work, paths.locked);
	if (rc == 0)
		rc = describe_items(work, paths.unlocked, items);
	if (rc == 0)
		rc = describe_items(work, paths.locked, items);
	g_ptr_array_sort(items, by_change);
	for (i = 0; rc == 0 && i < items->len; i++)
		rc = visit_item(&tour, g_ptr_array_index(items, i));
	g_ptr_array_unref(items);
	rbr_paths_free(&paths);
	return rc;
}
