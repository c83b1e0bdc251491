/* SPDX-License-Identifier: MIT */
/*
 * Secrets in the desktop's keyring: the Secret Service. How it is reached is in session.c, which of its keyrings are open in
 * collections.c, how items are found in items.c, what it asks people in prompt.c; here is what is asked of it.
 *
 * No value is remembered between the operations: one that is read back comes from the service. Where an item is, is, so
 * that a renewal does not search for it three times. Only an open keyring in which nothing was found is "absent". An item
 * that is there is changed in place: creating one over it makes some services ask.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "collections.h"
#include "items.h"
#include "prompt.h"
#include "protocol/module.h"
#include "session.h"
#include "value.h"

static const struct ringbearer_host *host;

/* REPLY is that of GetSecret. */
static int
decode(struct rbr_work *work, GVariant *reply, struct ringbearer_secret **ret_value)
{
	GVariant *encoded = g_variant_get_child_value(reply, 0);
	SecretValue *value = secret_service_decode_dbus_secret(rbr_work_service(), encoded);
	int rc = value ? rbr_value_decode(work, value, ret_value) : rbr_work_fail(work, "reading the keyring", NULL);

	if (value)
		secret_value_unref(value);
	g_variant_unref(encoded);
	return rc;
}

static GVariant *
session(void)
{
	return g_variant_new("(o)", secret_service_get_session_dbus_path(rbr_work_service()));
}

/* Are those in REPLY the attributes of the item that WORK is about? */
static gboolean
is_it(const struct rbr_work *work, GVariant *reply)
{
	GVariant *attributes;
	gboolean is;

	if (!reply)
		return FALSE;
	g_variant_get(reply, "(v)", &attributes);
	is = rbr_items_is(work, attributes);
	g_variant_unref(attributes);
	return is;
}

/* Where it was last: in one round trip. 1 if it must be searched for. */
static int
look_at(struct rbr_work *work, const char *path, struct ringbearer_secret **ret_value)
{
	struct rbr_asked asked[] = {
		{path, RBR_PROPERTIES ".Get", g_variant_new("(ss)", RBR_ITEM, "Attributes"), "(v)", NULL, NULL},
		{path, RBR_ITEM ".GetSecret", session(), "((oayays))", NULL, NULL},
	};
	int rc = rbr_work_ask(work, asked, G_N_ELEMENTS(asked));

	if (rc < 0)
		return rc;
	rc = asked[1].reply && is_it(work, asked[0].reply) ? decode(work, asked[1].reply, ret_value) : 1;
	rbr_asked_clear(asked, G_N_ELEMENTS(asked));
	return rc;
}

static int
search_and_look(struct rbr_work *work, struct ringbearer_secret **ret_value)
{
	GVariant *reply;
	gchar *path = NULL;
	int rc = rbr_collections_open(work);

	if (rc == 0)
		rc = rbr_items_find(work, &path);
	if (rc < 0)
		return rc == RINGBEARER_E_NO_SECRET ? rbr_collections_absent(work) : rc;
	rc = rbr_work_call(work, path, RBR_ITEM ".GetSecret", session(), "((oayays))", "reading the keyring", &reply);
	g_free(path);
	if (rc < 0)
		return rc;
	rc = decode(work, reply, ret_value);
	g_variant_unref(reply);
	return rc;
}

static int
look_up(struct rbr_work *work, void *data)
{
	gchar *path = rbr_items_place(work);
	int rc = path ? look_at(work, path, data) : 1;

	g_free(path);
	return rc > 0 ? search_and_look(work, data) : rc;
}

static GVariant *
encode(SecretValue *value)
{
	return g_variant_new("(@(oayays))", secret_service_encode_dbus_secret(rbr_work_service(), value));
}

static int
change(struct rbr_work *work, const char *path, SecretValue *value)
{
	GVariant *reply;
	int rc =
		rbr_work_call(work, path, RBR_ITEM ".SetSecret", encode(value), "()", "writing to the keyring", &reply);

	if (rc == 0)
		g_variant_unref(reply);
	return rc;
}

/* Where it was last, if that still is it: another's secret is not overwritten. 1 if it must be searched for. */
static int
change_at(struct rbr_work *work, const char *path, SecretValue *value)
{
	GVariant *reply;
	gboolean is;
	int rc = rbr_work_try(
		work, path, RBR_PROPERTIES ".Get", g_variant_new("(ss)", RBR_ITEM, "Attributes"), "(v)", &reply);

	if (rc != 0)
		return rc;
	is = is_it(work, reply);
	g_variant_unref(reply);
	rc = is ? rbr_work_try(work, path, RBR_ITEM ".SetSecret", encode(value), "()", &reply) : 1;
	if (rc == 0)
		g_variant_unref(reply);
	return rc;
}

/* A service whose items have fields for a user's name and an address shows them among the attributes (KeePassXC). Filled in,
 * its list tells more; nothing else depends on them. */
static int
fill_fields(struct rbr_work *work, const char *path)
{
	const char *const fields[][2] = {{"UserName", work->item->client_id}, {"URL", work->item->endpoint}};
	GVariant *value, *reply;
	const char *text;
	guint i, empty = 0;
	int rc = rbr_work_property(work, path, RBR_ITEM, "Attributes", "a{ss}", &value);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	for (i = 0; i < G_N_ELEMENTS(fields); i++)
		if (g_variant_lookup(value, fields[i][0], "&s", &text) && *text == '\0')
			empty++;
	g_variant_unref(value);
	if (empty < G_N_ELEMENTS(fields))
		return 0;
	rc = rbr_work_try(work, path, "org.freedesktop.DBus.Properties.Set",
		g_variant_new("(ssv)", RBR_ITEM, "Attributes", rbr_items_attributes(work, fields, empty)), "()",
		&reply);
	if (rc == 0)
		g_variant_unref(reply);
	return rc < 0 ? rc : 0;
}

/* The service answers with a prompt: whatever came of that, the item is there or is not. */
static int
create_asking(struct rbr_work *work, const char *prompt)
{
	gchar *made = NULL;
	int rc = rbr_prompt(work, prompt, RBR_ASKS_PERHAPS);

	if (rc >= 0)
		rc = rc > 0 ? RINGBEARER_E_NO_SECRET : rbr_items_find(work, &made);
	if (rc == RINGBEARER_E_NO_SECRET)
		rc = rbr_work_fail_asks(work, "it keeps a secret");
	if (rc == 0)
		rc = fill_fields(work, made);
	g_free(made);
	return rc;
}

static int
create(struct rbr_work *work, SecretValue *value)
{
	GVariantBuilder properties;
	GVariant *reply;
	gchar *keyring = NULL, *made, *prompt;
	int rc = rbr_collections_default(work, &keyring);

	if (rc < 0)
		return rc;
	g_variant_builder_init(&properties, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&properties, "{sv}", RBR_ITEM ".Label",
		g_variant_new_string(work->item->label ? work->item->label : "ringbearer"));
	g_variant_builder_add(&properties, "{sv}", RBR_ITEM ".Attributes", rbr_items_attributes(work, NULL, 0));
	rc = rbr_work_call(work, keyring, RBR_COLLECTION ".CreateItem",
		g_variant_new("(a{sv}@(oayays)b)", &properties,
			secret_service_encode_dbus_secret(rbr_work_service(), value), TRUE),
		"(oo)", "writing to the keyring", &reply);
	g_free(keyring);
	if (rc < 0)
		return rc;
	g_variant_get(reply, "(oo)", &made, &prompt);
	g_variant_unref(reply);
	if (strcmp(prompt, "/") != 0)
		rc = create_asking(work, prompt);
	g_free(made);
	g_free(prompt);
	return rc;
}

static int
search_and_put(struct rbr_work *work, SecretValue *value)
{
	gchar *path = NULL;
	int rc = rbr_collections_open(work);

	if (rc == 0)
		rc = rbr_items_find(work, &path);
	if (rc < 0 && rc != RINGBEARER_E_NO_SECRET)
		return rc;
	rc = path ? change(work, path, value) : create(work, value);
	g_free(path);
	return rc;
}

static int
put(struct rbr_work *work, void *data)
{
	SecretValue *value = rbr_value_encode(work, data);
	gchar *path = rbr_items_place(work);
	int rc = path ? change_at(work, path, value) : 1;

	if (rc > 0)
		rc = search_and_put(work, value);
	g_free(path);
	secret_value_unref(value);
	return rc;
}

static int
remove_item(struct rbr_work *work, const char *path)
{
	GVariant *reply;
	gchar *prompt;
	int rc = rbr_work_call(work, path, RBR_ITEM ".Delete", NULL, "(o)", "removing from the keyring", &reply);

	if (rc < 0)
		return rc;
	g_variant_get(reply, "(o)", &prompt);
	g_variant_unref(reply);
	rc = rbr_prompt(work, prompt, RBR_ASKS_PERHAPS);
	g_free(prompt);
	return rc > 0 ? rbr_work_fail_asks(work, "it removes a secret, which was not removed") : rc;
}

/* All that have the names of the item. */
static int
search(struct rbr_work *work, struct rbr_paths *ret_paths)
{
	GVariant *names = rbr_items_names(work->item);
	int rc = rbr_items_search(work, names, ret_paths);

	g_variant_unref(names);
	return rc;
}

/* Is nothing left? Some services call a prompt granted, whatever the person has said. */
static int
check_gone(struct rbr_work *work)
{
	struct rbr_paths paths = {NULL, NULL};
	int rc = search(work, &paths);

	if (rc == 0 && (paths.unlocked[0] || paths.locked[0]))
		rc = rbr_work_fail_asks(work, "it removes a secret, which was not removed");
	rbr_paths_free(&paths);
	return rc;
}

static int
remove_all(struct rbr_work *work, void *data)
{
	struct rbr_paths paths = {NULL, NULL};
	gchar **each;
	int rc = rbr_collections_open(work);

	(void)data;
	rbr_items_forget_place(work);
	if (rc == 0)
		rc = search(work, &paths);
	if (rc == 0)
		rc = rbr_collections_unlock(work, paths.locked);
	for (each = paths.unlocked; rc == 0 && *each; each++)
		rc = remove_item(work, *each);
	for (each = paths.locked; rc == 0 && *each; each++)
		rc = remove_item(work, *each);
	if (rc == 0 && work->prompted)
		rc = check_gone(work);
	rbr_paths_free(&paths);
	return rc;
}

struct tour {
	const char *account; /* NULL: all */
	ringbearer_item_visitor visit;
	void *data;
};

static int
show_all(struct rbr_work *work, void *data)
{
	const struct tour *tour = data;
	int rc = rbr_collections_open(work);

	return rc < 0 ? rc : rbr_items_visit(work, tour->account, tour->visit, tour->data);
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

static void
expect(struct ringbearer_call *call, const struct ringbearer_item *items, size_t count)
{
	struct rbr_work work = {.host = host, .call = call};
	GPtrArray *searches = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);

	for (; count > 0; count--, items++)
		g_ptr_array_add(searches, rbr_items_names(items));
	rbr_work_expect(&work, searches);
	g_ptr_array_unref(searches);
}

static const struct ringbearer_store operations = {
	.size = sizeof operations,
	.lookup = lookup,
	.store = store,
	.erase = erase,
	.list = list,
	.expect = expect,
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
