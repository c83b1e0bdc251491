/* SPDX-License-Identifier: MIT */
/*
 * The desktop's notices, as the Desktop Notifications Specification has them. A button lives as long as the connection that put
 * it there: whoever shows one waits until the notice is closed, pressed, or out of time.
 */
#include "config.h"

#include <gio/gio.h>

#include "protocol/module.h"

#define SERVICE "org.freedesktop.Notifications"
#define OBJECT "/org/freedesktop/Notifications"
#define PATIENCE_MS 5000 /* for the service's answer */
#define PRESSED "login"

static const struct ringbearer_host *host;

struct wait {
	GMainLoop *loop;
	guint32 id;
	gboolean pressed;
};

static void
on_signal(GDBusConnection *bus, const gchar *sender, const gchar *object, const gchar *interface, const gchar *name,
	GVariant *parameters, gpointer data)
{
	struct wait *wait = data;
	const gchar *action;
	guint32 id;

	(void)bus;
	(void)sender;
	(void)object;
	(void)interface;
	if (g_strcmp0(name, "ActionInvoked") == 0 && g_variant_is_of_type(parameters, G_VARIANT_TYPE("(us)"))) {
		g_variant_get(parameters, "(u&s)", &id, &action);
		if (id != wait->id)
			return;
		wait->pressed = g_str_equal(action, PRESSED) || g_str_equal(action, "default");
		g_main_loop_quit(wait->loop);
	} else if (g_strcmp0(name, "NotificationClosed") == 0 &&
		g_variant_is_of_type(parameters, G_VARIANT_TYPE("(uu)"))) {
		g_variant_get(parameters, "(uu)", &id, NULL);
		if (id == wait->id)
			g_main_loop_quit(wait->loop);
	}
}

static gboolean
on_time(gpointer data)
{
	g_main_loop_quit(((struct wait *)data)->loop);
	return G_SOURCE_REMOVE;
}

static void
on_end(GDBusConnection *bus, const gchar *name, gpointer data)
{
	(void)bus;
	(void)name;
	g_main_loop_quit(((struct wait *)data)->loop);
}

/* Does the service show buttons? */
static gboolean
has_buttons(GDBusConnection *bus)
{
	GVariant *reply = g_dbus_connection_call_sync(bus, SERVICE, OBJECT, SERVICE, "GetCapabilities", NULL,
		G_VARIANT_TYPE("(as)"), G_DBUS_CALL_FLAGS_NONE, PATIENCE_MS, NULL, NULL);
	gboolean has = FALSE;
	const gchar **words;

	if (!reply)
		return FALSE;
	g_variant_get(reply, "(^a&s)", &words);
	has = g_strv_contains(words, "actions");
	g_free(words);
	g_variant_unref(reply);
	return has;
}

static int
put(struct ringbearer_call *call, GDBusConnection *bus, const struct ringbearer_message *message, guint32 *ret_id)
{
	GVariantBuilder actions, hints;
	GError *error = NULL;
	GVariant *reply;
	int rc;

	g_variant_builder_init(&actions, G_VARIANT_TYPE("as"));
	g_variant_builder_init(&hints, G_VARIANT_TYPE("a{sv}"));
	if (message->button && has_buttons(bus)) {
		g_variant_builder_add(&actions, "s", PRESSED);
		g_variant_builder_add(&actions, "s", message->button);
	}
	g_variant_builder_add(&hints, "{sv}", "desktop-entry", g_variant_new_string("ringbearer"));
	reply = g_dbus_connection_call_sync(bus, SERVICE, OBJECT, SERVICE, "Notify",
		g_variant_new("(susssasa{sv}i)", "ringbearer", 0u, "dialog-password", message->title, message->text,
			&actions, &hints, 0),
		G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, PATIENCE_MS, NULL, &error);
	if (!reply) {
		rc = host->fail(call, RINGBEARER_E_MODULE,
			"the desktop shows no notices (%s); start a notification service", error->message);
		g_error_free(error);
		return rc;
	}
	g_variant_get(reply, "(u)", ret_id);
	g_variant_unref(reply);
	return 0;
}

static int
show(struct ringbearer_call *call, const struct ringbearer_message *message, bool *ret_pressed)
{
	GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
	struct wait wait = {.pressed = FALSE};
	guint signals, watch;
	int rc;

	*ret_pressed = false;
	if (!bus)
		return host->fail(call, RINGBEARER_E_MODULE, "there is no D-Bus session; log in to a desktop");
	g_dbus_connection_set_exit_on_close(bus, TRUE); /* nobody is left to press anything */
	wait.loop = g_main_loop_new(NULL, FALSE);
	signals = g_dbus_connection_signal_subscribe(
		bus, SERVICE, SERVICE, NULL, OBJECT, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_signal, &wait, NULL);
	rc = put(call, bus, message, &wait.id);
	if (rc == 0) {
		watch = g_bus_watch_name_on_connection(
			bus, SERVICE, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, on_end, &wait, NULL);
		(void)g_timeout_add_seconds((guint)(host->remaining_ms(call) / 1000), on_time, &wait);
		g_main_loop_run(wait.loop);
		g_bus_unwatch_name(watch);
	}
	g_dbus_connection_signal_unsubscribe(bus, signals);
	g_main_loop_unref(wait.loop);
	g_object_unref(bus);
	*ret_pressed = wait.pressed;
	return rc;
}

static const struct ringbearer_notice operations = {
	.size = sizeof operations,
	.show = show,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "notice-desktop",
	.family = "notice",
	.operations = &operations,
};

RINGBEARER_EXPORT const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
