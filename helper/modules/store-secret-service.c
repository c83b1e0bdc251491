/* SPDX-License-Identifier: MIT */
/*
 * Secrets in the desktop's keyring: the Secret Service, through libsecret.
 *
 * The service is opened by its fixed name as a SecretService of our own, and not through secret_password_*(): those look
 * at SECRET_BACKEND (an unknown value hangs for ever), at SNAP_NAME (a shell inside a confined editor would get another
 * store) and at SECRET_SERVICE_BUS_NAME. None of these reaches us.
 *
 * Time. The service may be mute or show a prompt that nobody answers. Every operation is therefore asynchronous on a
 * main context of our own, with the call's deadline as a source; when it comes the operation is cancelled, and given
 * up if it does not even react to that.
 *
 * Prompts. Our class refuses to show one where the call is not interactive, and notes that one was wanted: "locked". One
 * that a person closed is "dismissed". Only an open keyring in which nothing was found is "absent".
 *
 * Items. The schema's name is not matched (SECRET_SCHEMA_DONT_MATCH_NAME: with it, a keyring that has been locked since
 * its daemon started finds nothing at all), all items have the same attributes (some services replace an item
 * whose attributes are a superset), the value is ASCII without braces (content types get lost, and one service expands
 * `{…}`), and an item that is there is changed in place: creating one over it makes some services ask.
 */
#include "config.h"

#include <libsecret/secret.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/module.h"

#define BUS_NAME "org.freedesktop.secrets"
#define VALUE_PREFIX "ringbearer1:"
#define CONTENT_TYPE "text/plain"
#define CANCEL_GRACE_MS 500
#define RUNTIME_BUS_MAX 4096

static const struct ringbearer_host *host;

static const SecretSchema schema = {
	.name = "org.ringbearer.Secret",
	.flags = SECRET_SCHEMA_DONT_MATCH_NAME,
	.attributes = {{"account", SECRET_SCHEMA_ATTRIBUTE_STRING}, {"kind", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{"client_id", SECRET_SCHEMA_ATTRIBUTE_STRING}, {"endpoint", SECRET_SCHEMA_ATTRIBUTE_STRING},
		{NULL, SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* -- a service that can be told not to prompt -- */

typedef struct {
	SecretService parent;
	gboolean may_prompt;
	gboolean wanted_prompt; /* one was wanted and not shown */
	gboolean prompted; /* one was shown */
} RbrService;

typedef struct {
	SecretServiceClass parent;
} RbrServiceClass;

/* The macro declares what it defines. */
GType rbr_service_get_type(void);
G_DEFINE_TYPE(RbrService, rbr_service, SECRET_TYPE_SERVICE)

/* What a prompt of TYPE answers when it was of no use: libsecret looks into it without asking whether it is there. */
static GVariant *
nothing_unlocked(const GVariantType *type)
{
	if (type && g_variant_type_equal(type, G_VARIANT_TYPE("ao")))
		return g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE_OBJECT_PATH, NULL, 0));
	return g_variant_ref_sink(g_variant_new_object_path("/"));
}

static void
prompt_async(SecretService *service, SecretPrompt *prompt, const GVariantType *type, GCancellable *cancellable,
	GAsyncReadyCallback callback, gpointer data)
{
	RbrService *self = (RbrService *)service;
	GTask *task;

	if (self->may_prompt) {
		self->prompted = TRUE;
		SECRET_SERVICE_CLASS(rbr_service_parent_class)
			->prompt_async(service, prompt, type, cancellable, callback, data);
		return;
	}
	self->wanted_prompt = TRUE;
	task = g_task_new(service, cancellable, callback, data);
	g_task_set_source_tag(task, (gpointer)prompt_async);
	g_task_return_pointer(task, nothing_unlocked(type), (GDestroyNotify)g_variant_unref);
	g_object_unref(task);
}

static GVariant *
prompt_finish(SecretService *service, GAsyncResult *result, GError **error)
{
	if (G_IS_TASK(result) && g_task_get_source_tag(G_TASK(result)) == (gpointer)prompt_async)
		return g_task_propagate_pointer(G_TASK(result), error);
	return SECRET_SERVICE_CLASS(rbr_service_parent_class)->prompt_finish(service, result, error);
}

static void
rbr_service_class_init(RbrServiceClass *class)
{
	SECRET_SERVICE_CLASS(class)->prompt_async = prompt_async;
	SECRET_SERVICE_CLASS(class)->prompt_finish = prompt_finish;
}

static void
rbr_service_init(RbrService *self)
{
	self->may_prompt = FALSE;
}

/* -- one operation at a time, under the deadline -- */

struct work {
	struct ringbearer_call *call;
	GMainContext *context;
	GCancellable *cancellable;
	RbrService *service;
	GAsyncResult *result; /* of the operation that has just ended */
	gboolean late;
};

static void
on_done(GObject *source, GAsyncResult *result, gpointer data)
{
	struct work *work = data;

	(void)source;
	work->result = g_object_ref(result);
}

static gboolean
on_deadline(gpointer data)
{
	struct work *work = data;

	work->late = TRUE;
	return G_SOURCE_REMOVE;
}

static void
iterate(struct work *work, gint64 milliseconds)
{
	GSource *deadline = g_timeout_source_new(milliseconds > 0 ? (guint)milliseconds : 0);

	work->late = FALSE;
	g_source_set_callback(deadline, on_deadline, work, NULL);
	(void)g_source_attach(deadline, work->context);
	while (!work->result && !work->late)
		(void)g_main_context_iteration(work->context, TRUE);
	g_source_destroy(deadline);
	g_source_unref(deadline);
}

/* Waits for the operation that was started with on_done. FALSE: it did not end in time. */
static gboolean
wait(struct work *work)
{
	iterate(work, host->remaining_ms(work->call));
	if (work->result)
		return TRUE;
	g_cancellable_cancel(work->cancellable);
	iterate(work, CANCEL_GRACE_MS);
	g_clear_object(&work->result);
	return FALSE;
}

static GAsyncResult *
take_result(struct work *work)
{
	return g_steal_pointer(&work->result);
}

static int
fail_late(struct work *work)
{
	return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring did not answer in time; see whether it waits at a prompt, or restart its service");
}

static int
fail_locked(struct work *work)
{
	if (work->service && work->service->prompted)
		return host->fail(work->call, RINGBEARER_E_STORE_DISMISSED,
			"the keyring stays locked, its prompt was closed or could not be shown; try again and answer it");
	return host->fail(work->call, RINGBEARER_E_STORE_LOCKED,
		"the keyring is locked; unlock it (log in to the desktop, or run `ringbearer refresh` where a prompt can be shown)");
}

/* ERROR may be NULL: libsecret fails so where its arguments do not please it. */
static int
fail_service(struct work *work, const char *doing, GError *error)
{
	if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
		return fail_locked(work);
	if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
		g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
		return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"no keyring service runs in this session; start one such as gnome-keyring, KWallet or KeePassXC");
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
		g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		return fail_late(work);
	return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE, "%s failed (%s); see the keyring's service",
		doing, error ? error->message : "no reason given");
}

/* -- beginning and end -- */

/* Without this look GLib would try to start a bus of its own. */
static int
find_bus(struct ringbearer_call *call)
{
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = g_getenv("XDG_RUNTIME_DIR");
	char path[RUNTIME_BUS_MAX];

	if (address && *address)
		return 0;
	if (runtime && g_snprintf(path, sizeof path, "%s/bus", runtime) < (gint)sizeof path && access(path, F_OK) == 0)
		return 0;
	return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
		"there is no D-Bus session, and so no keyring: DBUS_SESSION_BUS_ADDRESS is not set and $XDG_RUNTIME_DIR/bus is not "
		"there; run this inside a login session, or under `dbus-run-session`");
}

static int
open_service(struct work *work, struct ringbearer_call *call)
{
	GAsyncResult *result;
	GError *error = NULL;
	int rc;

	memset(work, 0, sizeof *work);
	work->call = call;
	rc = find_bus(call);
	if (rc < 0)
		return rc;
	work->context = g_main_context_new();
	g_main_context_push_thread_default(work->context);
	work->cancellable = g_cancellable_new();
	secret_service_open(
		rbr_service_get_type(), BUS_NAME, SECRET_SERVICE_OPEN_SESSION, work->cancellable, on_done, work);
	if (!wait(work))
		return fail_late(work);
	result = take_result(work);
	work->service = (RbrService *)secret_service_open_finish(result, &error);
	g_object_unref(result);
	if (!work->service) {
		rc = fail_service(work, "opening the keyring", error);
		g_clear_error(&error);
		return rc;
	}
	work->service->may_prompt = host->interactive(call);
	return 0;
}

static void
close_service(struct work *work)
{
	if (!work->context)
		return;
	g_clear_object(&work->service);
	g_clear_object(&work->cancellable);
	g_main_context_pop_thread_default(work->context);
	g_main_context_unref(work->context);
}

static GHashTable *
attributes_of(const struct ringbearer_item *item)
{
	return secret_attributes_build(&schema, "account", item->account, "kind", item->kind, "client_id",
		item->client_id, "endpoint", item->endpoint, NULL);
}

/* -- searching and unlocking -- */

/* All items that have ATTRIBUTES, locked ones as well. */
static int
search(struct work *work, GHashTable *attributes, GList **ret_items)
{
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	secret_service_search(SECRET_SERVICE(work->service), &schema, attributes, SECRET_SEARCH_ALL, work->cancellable,
		on_done, work);
	if (!wait(work))
		return fail_late(work);
	result = take_result(work);
	*ret_items = secret_service_search_finish(SECRET_SERVICE(work->service), result, &error);
	g_object_unref(result);
	if (error)
		rc = fail_service(work, "searching the keyring", error);
	g_clear_error(&error);
	return rc;
}

static int
unlock(struct work *work, SecretItem *item)
{
	GList only = {.data = item};
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	if (!secret_item_get_locked(item))
		return 0;
	secret_service_unlock(SECRET_SERVICE(work->service), &only, work->cancellable, on_done, work);
	if (!wait(work))
		return fail_late(work);
	result = take_result(work);
	if (secret_service_unlock_finish(SECRET_SERVICE(work->service), result, NULL, &error) < 1)
		rc = error ? fail_service(work, "unlocking the keyring", error) : fail_locked(work);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static void
free_items(GList *items)
{
	g_list_free_full(items, g_object_unref);
}

/* The item that was changed last, unlocked; RINGBEARER_E_NO_SECRET if there is none. */
static int
find_item(struct work *work, const struct ringbearer_item *wanted, SecretItem **ret_item)
{
	GHashTable *attributes = attributes_of(wanted);
	GList *items = NULL, *each;
	SecretItem *latest = NULL;
	int rc = search(work, attributes, &items);

	g_hash_table_unref(attributes);
	for (each = items; each; each = each->next)
		if (!latest || secret_item_get_modified(each->data) > secret_item_get_modified(latest))
			latest = each->data;
	if (rc == 0 && !latest)
		rc = RINGBEARER_E_NO_SECRET;
	if (rc == 0)
		rc = unlock(work, latest);
	if (rc == 0)
		*ret_item = g_object_ref(latest);
	free_items(items);
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
fail_foreign(struct work *work)
{
	return host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring's item is not one that ringbearer wrote; remove it in the keyring's viewer and give the secret again");
}

/* g_base64_decode() passes over what it does not know: only what encode() would have written counts. */
static int
decode(struct work *work, SecretValue *value, struct ringbearer_secret **ret_secret)
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

static int
load(struct work *work, SecretItem *item, struct ringbearer_secret **ret_secret)
{
	GAsyncResult *result;
	SecretValue *value;
	GError *error = NULL;
	int rc;

	secret_item_load_secret(item, work->cancellable, on_done, work);
	if (!wait(work))
		return fail_late(work);
	result = take_result(work);
	value = secret_item_load_secret_finish(item, result, &error) ? secret_item_get_secret(item) : NULL;
	g_object_unref(result);
	rc = value ? decode(work, value, ret_secret) : fail_service(work, "reading the keyring", error);
	g_clear_error(&error);
	if (value)
		secret_value_unref(value);
	return rc;
}

/* -- the operations -- */

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	SecretItem *found = NULL;
	struct work work;
	int rc = open_service(&work, call);

	if (rc == 0)
		rc = find_item(&work, item, &found);
	if (rc == 0)
		rc = load(&work, found, ret_value);
	g_clear_object(&found);
	close_service(&work);
	return rc;
}

static int
change(struct work *work, SecretItem *item, SecretValue *value)
{
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	secret_item_set_secret(item, value, work->cancellable, on_done, work);
	if (!wait(work))
		return fail_late(work);
	result = take_result(work);
	if (!secret_item_set_secret_finish(item, result, &error))
		rc = fail_service(work, "writing to the keyring", error);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static int
create(struct work *work, const struct ringbearer_item *item, SecretValue *value)
{
	GHashTable *attributes = attributes_of(item);
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	secret_service_store(SECRET_SERVICE(work->service), &schema, attributes, SECRET_COLLECTION_DEFAULT,
		item->label ? item->label : "ringbearer", value, work->cancellable, on_done, work);
	g_hash_table_unref(attributes);
	if (!wait(work))
		return fail_late(work);
	result = take_result(work);
	if (!secret_service_store_finish(SECRET_SERVICE(work->service), result, &error)) {
		if (work->service->wanted_prompt || work->service->prompted)
			rc = fail_locked(work);
		else
			rc = fail_service(work, "writing to the keyring", error);
	}
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static int
store(struct ringbearer_call *call, const struct ringbearer_item *item, const struct ringbearer_secret *secret)
{
	SecretItem *found = NULL;
	SecretValue *value;
	struct work work;
	gsize size;
	char *text;
	int rc = open_service(&work, call);

	if (rc == 0)
		rc = find_item(&work, item, &found);
	if (rc == 0 || rc == RINGBEARER_E_NO_SECRET) {
		text = encode(secret, &size);
		value = secret_value_new(text, (gssize)size, CONTENT_TYPE); /* copies into memory that is locked */
		explicit_bzero(text, size);
		g_free(text);
		rc = found ? change(&work, found, value) : create(&work, item, value);
		secret_value_unref(value);
	}
	g_clear_object(&found);
	close_service(&work);
	return rc;
}

static int
remove_item(struct work *work, SecretItem *item)
{
	GAsyncResult *result;
	GError *error = NULL;
	int rc = unlock(work, item);

	if (rc < 0)
		return rc;
	secret_item_delete(item, work->cancellable, on_done, work);
	if (!wait(work))
		return fail_late(work);
	result = take_result(work);
	if (!secret_item_delete_finish(item, result, &error))
		rc = fail_service(work, "removing from the keyring", error);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static int
erase(struct ringbearer_call *call, const struct ringbearer_item *item)
{
	GHashTable *attributes;
	GList *items = NULL, *each;
	struct work work;
	int rc = open_service(&work, call);

	if (rc == 0) {
		attributes = attributes_of(item);
		rc = search(&work, attributes, &items);
		g_hash_table_unref(attributes);
	}
	for (each = items; rc == 0 && each; each = each->next)
		rc = remove_item(&work, each->data);
	free_items(items);
	close_service(&work);
	return rc;
}

static int
visit_item(SecretItem *found, ringbearer_item_visitor visit, void *data)
{
	GHashTable *attributes = secret_item_get_attributes(found);
	gchar *label = secret_item_get_label(found);
	struct ringbearer_item item = {
		.size = sizeof item,
		.account = g_hash_table_lookup(attributes, "account"),
		.kind = g_hash_table_lookup(attributes, "kind"),
		.client_id = g_hash_table_lookup(attributes, "client_id"),
		.endpoint = g_hash_table_lookup(attributes, "endpoint"),
		.label = label,
	};
	int rc = item.account && item.kind && item.client_id && item.endpoint ? visit(&item, data) : 0;

	g_free(label);
	g_hash_table_unref(attributes);
	return rc;
}

static int
list(struct ringbearer_call *call, const char *account, ringbearer_item_visitor visit, void *data)
{
	GHashTable *attributes = g_hash_table_new(g_str_hash, g_str_equal);
	GList *items = NULL, *each;
	struct work work;
	int rc = open_service(&work, call);

	(void)g_hash_table_insert(attributes, (gpointer)(guintptr) "xdg:schema", (gpointer)(guintptr)schema.name);
	if (account)
		(void)g_hash_table_insert(attributes, (gpointer)(guintptr) "account", (gpointer)(guintptr)account);
	if (rc == 0)
		rc = search(&work, attributes, &items);
	/* Some services show attributes of locked items in a form that nobody can read. */
	for (each = items; rc == 0 && each; each = each->next)
		rc = unlock(&work, each->data);
	for (each = items; rc == 0 && each; each = each->next)
		rc = visit_item(each->data, visit, data);
	free_items(items);
	g_hash_table_unref(attributes);
	close_service(&work);
	return rc;
}

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "store-secret-service",
	.lookup = lookup,
	.store = store,
	.erase = erase,
	.list = list,
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
