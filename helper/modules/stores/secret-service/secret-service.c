/* SPDX-License-Identifier: MIT */
/*
 * Secrets in the desktop's keyring: the Secret Service, through libsecret. How it is reached is in
 * secret-service/session.c; here is what is asked of it.
 *
 * Nothing is remembered between the operations: a value that is read back comes from the service. libsecret's objects for
 * items are left aside, since each takes four round trips before it is asked anything. Only an open keyring in which
 * nothing was found is "absent".
 *
 * Items. The schema's name is not matched (SECRET_SCHEMA_DONT_MATCH_NAME: with it, a keyring that has been locked since
 * its daemon started finds nothing at all), all items have the same attributes (some services replace an item
 * whose attributes are a superset), the value is ASCII without braces (content types get lost, and one service expands
 * `{…}`), and an item that is there is changed in place: creating one over it makes some services ask.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/module.h"
#include "session.h"

#define SERVICE_PATH "/org/freedesktop/secrets"
#define ITEM "org.freedesktop.Secret.Item"
#define VALUE_PREFIX "ringbearer1:"
#define CONTENT_TYPE "text/plain"

static const struct ringbearer_host *host;

static const SecretSchema schema = {
	.name = "org.ringbearer.Secret",
	.flags = SECRET_SCHEMA_DONT_MATCH_NAME,
	.attributes = {{"account", SECRET_SCHEMA_ATTRIBUTE_STRING}, {"kind", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{"client_id", SECRET_SCHEMA_ATTRIBUTE_STRING}, {"endpoint", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{NULL, SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

static GHashTable *
attributes_of(const struct ringbearer_item *item)
{
	return secret_attributes_build(&schema, "account", item->account, "kind", item->kind, "client_id",
		item->client_id, "endpoint", item->endpoint, NULL);
}

/* -- items -- */

struct paths {
	gchar **unlocked;
	gchar **locked;
};

static void
free_paths(struct paths *paths)
{
	g_clear_pointer(&paths->unlocked, g_strfreev);
	g_clear_pointer(&paths->locked, g_strfreev);
}

/* All items that have ATTRIBUTES. */
static int
search(struct rbr_work *work, GHashTable *attributes, struct paths *ret_paths)
{
	GVariantBuilder builder;
	GHashTableIter iterator;
	gpointer name, value;
	GVariant *reply;
	int rc;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
	g_hash_table_iter_init(&iterator, attributes);
	while (g_hash_table_iter_next(&iterator, &name, &value))
		g_variant_builder_add(&builder, "{ss}", name, value);
	rc = rbr_work_call(work, SERVICE_PATH, "org.freedesktop.Secret.Service.SearchItems",
		g_variant_new("(a{ss})", &builder), "(aoao)", "searching the keyring", &reply);
	if (rc < 0)
		return rc;
	g_variant_get(reply, "(^ao^ao)", &ret_paths->unlocked, &ret_paths->locked);
	g_variant_unref(reply);
	return 0;
}

/* All of PATHS, or none will do. */
static int
unlock(struct rbr_work *work, gchar **paths)
{
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	if (!paths[0])
		return 0;
	secret_service_unlock_dbus_paths(
		rbr_work_service(), (const gchar **)(gpointer)paths, work->cancellable, rbr_work_done, work);
	result = rbr_work_wait(work);
	if (!result)
		return rbr_work_fail_late(work);
	if (secret_service_unlock_dbus_paths_finish(rbr_work_service(), result, NULL, &error) <
		(gint)g_strv_length(paths))
		rc = error ? rbr_work_fail(work, "unlocking the keyring", error) : rbr_work_fail_locked(work);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static int
ask_modified(struct rbr_work *work, const char *path, guint64 *ret_time)
{
	GVariant *reply, *time;
	int rc = rbr_work_call(work, path, "org.freedesktop.DBus.Properties.Get",
		g_variant_new("(ss)", ITEM, "Modified"), "(v)", "reading the keyring", &reply);

	if (rc < 0)
		return rc;
	g_variant_get(reply, "(v)", &time);
	*ret_time = g_variant_is_of_type(time, G_VARIANT_TYPE_UINT64) ? g_variant_get_uint64(time) : 0;
	g_variant_unref(time);
	g_variant_unref(reply);
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

/* The item that was changed last, unlocked; RINGBEARER_E_NO_SECRET if there is none. */
static int
find_item(struct rbr_work *work, gchar **ret_path)
{
	GHashTable *attributes = attributes_of(work->item);
	struct paths paths = {NULL, NULL};
	gchar **latest = NULL;
	gchar *only[2] = {NULL, NULL};
	guint64 modified = 0;
	int rc = search(work, attributes, &paths);

	g_hash_table_unref(attributes);
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
			rc = unlock(work, only);
	}
	if (rc == 0)
		*ret_path = g_strdup(only[0]);
	free_paths(&paths);
	return rc;
}

/* -- values -- */

static char *
encode(const struct ringbearer_secret *secret, gsize *ret_size)
{
	gchar *base64 = g_base64_encode((const guchar *)host->secret_data(secret), host->secret_size(secret)), *p;
	gchar *value;

	for (p = base64; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	value = g_strconcat(VALUE_PREFIX, base64, NULL);
	explicit_bzero(base64, strlen(base64));
	g_free(base64);
	*ret_size = strlen(value);
	return value;
}

static int
fail_foreign(struct rbr_work *work)
{
	return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring's item is not one that ringbearer wrote; remove it in the keyring's viewer and give the secret again");
}

/* g_base64_decode() passes over what it does not know: only what encode() would have written counts. */
static int
decode(struct rbr_work *work, SecretValue *value, struct ringbearer_secret **ret_secret)
{
	gsize size = 0, decoded_size = 0;
	const char *text = secret_value_get(value, &size);
	guchar *decoded;
	gsize again_size;
	gboolean same;
	char *base64, *again, *p;

	if (size < sizeof VALUE_PREFIX - 1 || strncmp(text, VALUE_PREFIX, sizeof VALUE_PREFIX - 1) != 0)
		return fail_foreign(work);
	base64 = g_strndup(text + sizeof VALUE_PREFIX - 1, size - (sizeof VALUE_PREFIX - 1));
	for (p = base64; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	decoded = g_base64_decode(base64, &decoded_size);
	*ret_secret = host->secret_new(decoded, decoded_size);
	explicit_bzero(base64, strlen(base64));
	explicit_bzero(decoded, decoded_size);
	g_free(base64);
	g_free(decoded);
	if (!*ret_secret)
		return host->fail(work->call, RINGBEARER_E_SYSTEM, "out of memory");
	again = encode(*ret_secret, &again_size);
	same = decoded_size > 0 && again_size == size && memcmp(again, text, size) == 0;
	explicit_bzero(again, again_size);
	g_free(again);
	if (same)
		return 0;
	host->secret_free(*ret_secret);
	*ret_secret = NULL;
	return fail_foreign(work);
}

/* -- the operations -- */

static int
look_up(struct rbr_work *work, void *data)
{
	struct ringbearer_secret **ret_value = data;
	const char *session = secret_service_get_session_dbus_path(rbr_work_service());
	GVariant *reply, *encoded;
	SecretValue *value;
	gchar *path = NULL;
	int rc = find_item(work, &path);

	if (rc < 0)
		return rc;
	rc = rbr_work_call(work, path, ITEM ".GetSecret", g_variant_new("(o)", session), "((oayays))",
		"reading the keyring", &reply);
	g_free(path);
	if (rc < 0)
		return rc;
	encoded = g_variant_get_child_value(reply, 0);
	value = secret_service_decode_dbus_secret(rbr_work_service(), encoded);
	rc = value ? decode(work, value, ret_value) : rbr_work_fail(work, "reading the keyring", NULL);
	if (value)
		secret_value_unref(value);
	g_variant_unref(encoded);
	g_variant_unref(reply);
	return rc;
}

static int
change(struct rbr_work *work, const char *path, SecretValue *value)
{
	GVariant *encoded = secret_service_encode_dbus_secret(rbr_work_service(), value), *reply;
	int rc = rbr_work_call(work, path, ITEM ".SetSecret", g_variant_new("(@(oayays))", encoded), "()",
		"writing to the keyring", &reply);

	if (rc == 0)
		g_variant_unref(reply);
	return rc;
}

static int
create(struct rbr_work *work, SecretValue *value)
{
	GHashTable *attributes = attributes_of(work->item);
	const char *label = work->item->label ? work->item->label : "ringbearer";
	gchar *made = NULL;
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	secret_service_store(rbr_work_service(), &schema, attributes, SECRET_COLLECTION_DEFAULT, label, value,
		work->cancellable, rbr_work_done, work);
	g_hash_table_unref(attributes);
	result = rbr_work_wait(work);
	if (!result)
		return rbr_work_fail_late(work);
	if (!secret_service_store_finish(rbr_work_service(), result, &error)) {
		if (rbr_work_wanted_prompt())
			rc = rbr_work_fail_locked(work);
		else
			rc = rbr_work_fail(work, "writing to the keyring", error);
	} else if (rbr_work_wanted_prompt()) { /* closed or not shown, it is a success for libsecret */
		rc = find_item(work, &made);
		g_free(made);
		if (rc == RINGBEARER_E_NO_SECRET)
			rc = rbr_work_fail_locked(work);
	}
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static int
put(struct rbr_work *work, void *data)
{
	const struct ringbearer_secret *secret = data;
	SecretValue *value;
	gchar *path = NULL;
	gsize size;
	char *text;
	int rc = find_item(work, &path);

	if (rc < 0 && rc != RINGBEARER_E_NO_SECRET)
		return rc;
	text = encode(secret, &size);
	value = secret_value_new(text, (gssize)size, CONTENT_TYPE); /* copies into memory that is locked */
	explicit_bzero(text, size);
	g_free(text);
	rc = path ? change(work, path, value) : create(work, value);
	secret_value_unref(value);
	g_free(path);
	return rc;
}

static int
remove_item(struct rbr_work *work, const char *path)
{
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	secret_service_delete_item_dbus_path(rbr_work_service(), path, work->cancellable, rbr_work_done, work);
	result = rbr_work_wait(work);
	if (!result)
		return rbr_work_fail_late(work);
	if (!secret_service_delete_item_dbus_path_finish(rbr_work_service(), result, &error))
		rc = rbr_work_fail(work, "removing from the keyring", error);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

/* Is nothing left that has ATTRIBUTES? */
static int
check_gone(struct rbr_work *work, GHashTable *attributes)
{
	struct paths paths = {NULL, NULL};
	int rc = search(work, attributes, &paths);

	if (rc == 0 && (paths.unlocked[0] || paths.locked[0]))
		rc = rbr_work_fail_kept(work);
	free_paths(&paths);
	return rc;
}

static int
remove_all(struct rbr_work *work, void *data)
{
	GHashTable *attributes = attributes_of(work->item);
	struct paths paths = {NULL, NULL};
	gchar **each;
	int rc = search(work, attributes, &paths);

	(void)data;
	if (rc == 0)
		rc = unlock(work, paths.locked);
	for (each = paths.unlocked; rc == 0 && *each; each++)
		rc = remove_item(work, *each);
	for (each = paths.locked; rc == 0 && *each; each++)
		rc = remove_item(work, *each);
	/* libsecret takes a prompt that was closed or not shown for a consent. */
	if (rc == 0 && rbr_work_wanted_prompt())
		rc = check_gone(work, attributes);
	g_hash_table_unref(attributes);
	free_paths(&paths);
	return rc;
}

struct tour {
	const char *account; /* NULL: all */
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
		rc = rbr_work_call(work, *paths, "org.freedesktop.DBus.Properties.GetAll", g_variant_new("(s)", ITEM),
			"(a{sv})", "reading the keyring", &reply);
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

static int
show_all(struct rbr_work *work, void *data)
{
	const struct tour *tour = data;
	GHashTable *attributes = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *items = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
	struct paths paths = {NULL, NULL};
	guint i;
	int rc;

	/* Not both: by the schema's name nothing is found in a keyring that has been locked since its daemon started. */
	(void)g_hash_table_insert(attributes, (gpointer)(guintptr)(tour->account ? "account" : "xdg:schema"),
		(gpointer)(guintptr)(tour->account ? tour->account : schema.name));
	rc = search(work, attributes, &paths);
	g_hash_table_unref(attributes);
	/* Some services show attributes of locked items in a form that nobody can read. */
	if (rc == 0)
		rc = unlock(work, paths.locked);
	if (rc == 0)
		rc = describe_items(work, paths.unlocked, items);
	if (rc == 0)
		rc = describe_items(work, paths.locked, items);
	g_ptr_array_sort(items, by_change);
	for (i = 0; rc == 0 && i < items->len; i++)
		rc = visit_item(tour, g_ptr_array_index(items, i));
	g_ptr_array_unref(items);
	free_paths(&paths);
	return rc;
}

static int
operate(struct ringbearer_call *call, const struct ringbearer_item *item, rbr_work_steps steps, void *data)
{
	struct rbr_work work = {.host = host, .call = call, .item = item};

	return rbr_work_run(&work, steps, data);
}

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	return operate(call, item, look_up, ret_value);
}

static int
store(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_secret *secret)
{
	return operate(call, item, put, (void *)(guintptr)secret);
}

static int
erase(struct ringbearer_call *call, const struct ringbearer_item *item)
{
	return operate(call, item, remove_all, NULL);
}

static int
list(struct ringbearer_call *call, const char *account, ringbearer_item_visitor visit, void *data)
{
	struct tour tour = {account, visit, data};

	return operate(call, NULL, show_all, &tour);
}

static const struct ringbearer_store operations = {
	.size = sizeof operations,
	.lookup = lookup,
	.store = store,
	.erase = erase,
	.list = list,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "store-secret-service",
	.family = "store",
	.operations = &operations,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	if (!host) { /* once: GLib wants it before its first thread */
		(void)unsetenv("SECRET_SERVICE_BUS_NAME"); /* libsecret would go there all the same */
		g_log_writer_default_set_use_stderr(TRUE); /* what G_MESSAGES_DEBUG shows; stdout is for the answer */
	}
	host = given_host;
	return &module;
}
