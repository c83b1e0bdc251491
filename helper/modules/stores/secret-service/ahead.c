/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ahead.h"

#include <string.h>

/* Whoever waits for it in vain leaves it to the thread. */
struct opening {
	GThread *thread;
	GMutex lock;
	GCond over;
	gboolean is_over;
	GCancellable *cancellable;
	struct rbr_connection made;
	GPtrArray *searches;
	guint missing; /* so many of the thread's questions are not answered yet */
};

static struct opening *opening;

struct search {
	struct opening *own;
	GVariant *names;
};

static void
on_found(GObject *bus, GAsyncResult *result, gpointer data)
{
	struct search *search = data;
	GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);
	gchar **unlocked, **locked;

	search->own->missing--;
	if (reply) {
		g_variant_get(reply, "(^ao^ao)", &unlocked, &locked);
		if (g_strv_length(unlocked) == 1 && !locked[0])
			rbr_connection_note_place(&search->own->made, search->names, unlocked[0]);
		g_strfreev(unlocked);
		g_strfreev(locked);
		g_variant_unref(reply);
	}
	g_free(search);
}

static void
find(struct opening *own, GVariant *names)
{
	struct search *search = g_new0(struct search, 1);

	search->own = own;
	search->names = names;
	own->missing++;
	g_dbus_connection_call(own->made.bus, RBR_BUS_NAME, RBR_SERVICE_PATH, RBR_SERVICE, "SearchItems",
		g_variant_new("(@a{ss})", names), G_VARIANT_TYPE("(aoao)"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
		own->cancellable, on_found, search);
}

/* In an open keyring a search opens no window. What else there may be is for the operation to find out, and to tell. */
static void
on_locked(GObject *bus, GAsyncResult *result, gpointer data)
{
	struct opening *own = data;
	GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL), *value;
	guint i;

	own->missing--;
	if (!reply)
		return;
	g_variant_get(reply, "(v)", &value);
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) && !g_variant_get_boolean(value))
		for (i = 0; i < own->searches->len; i++)
			find(own, g_ptr_array_index(own->searches, i));
	g_variant_unref(value);
	g_variant_unref(reply);
}

static void
on_open(GObject *source, GAsyncResult *result, gpointer data)
{
	struct opening *own = data;

	(void)source;
	own->missing--;
	own->made.service = secret_service_open_finish(result, NULL);
	if (!own->made.service)
		g_cancellable_cancel(own->cancellable);
}

static void
ask_locked(struct opening *own)
{
	own->missing++;
	g_dbus_connection_call(own->made.bus, RBR_BUS_NAME, RBR_DEFAULT_KEYRING, RBR_PROPERTIES, "Get",
		g_variant_new("(ss)", RBR_COLLECTION, "Locked"), G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE,
		G_MAXINT, own->cancellable, on_locked, own);
}

/* The search goes on beside the key exchange. */
static gpointer
open_ahead(gpointer data)
{
	struct opening *own = data;

	g_main_context_push_thread_default(own->made.context);
	if (own->searches->len > 0)
		ask_locked(own);
	own->missing++;
	secret_service_open(
		rbr_service_get_type(), RBR_BUS_NAME, SECRET_SERVICE_OPEN_SESSION, own->cancellable, on_open, own);
	while (own->missing > 0)
		(void)g_main_context_iteration(own->made.context, TRUE);
	g_main_context_pop_thread_default(own->made.context);
	g_mutex_lock(&own->lock);
	own->is_over = TRUE;
	g_cond_signal(&own->over);
	g_mutex_unlock(&own->lock);
	return NULL;
}

static void
forget(void)
{
	rbr_connection_close(&opening->made);
	g_clear_pointer(&opening->searches, g_ptr_array_unref);
	g_object_unref(opening->cancellable);
	g_cond_clear(&opening->over);
	g_mutex_clear(&opening->lock);
	g_clear_pointer(&opening, g_free);
}

static gboolean
wait_for(gint64 milliseconds)
{
	const gint64 until = g_get_monotonic_time() + milliseconds * G_TIME_SPAN_MILLISECOND;
	gboolean is_over;

	g_mutex_lock(&opening->lock);
	while (!opening->is_over && g_cond_wait_until(&opening->over, &opening->lock, until))
		;
	is_over = opening->is_over;
	g_mutex_unlock(&opening->lock);
	return is_over;
}

static gboolean
end(gint64 milliseconds)
{
	if (!wait_for(milliseconds)) {
		g_cancellable_cancel(opening->cancellable);
		if (!wait_for(RBR_CANCEL_GRACE_MS)) {
			opening = NULL;
			return FALSE;
		}
	}
	(void)g_thread_join(opening->thread);
	return TRUE;
}

void
rbr_ahead_open(struct rbr_connection *connection, GPtrArray *searches)
{
	sigset_t before;

	opening = g_new0(struct opening, 1);
	g_mutex_init(&opening->lock);
	g_cond_init(&opening->over);
	opening->cancellable = g_cancellable_new();
	opening->made = *connection;
	opening->searches = g_ptr_array_ref(searches);
	memset(connection, 0, sizeof *connection);
	rbr_signals_block(&before);
	opening->thread = g_thread_try_new("keyring", open_ahead, opening, NULL);
	rbr_signals_restore(&before);
	if (!opening->thread)
		forget();
}

gboolean
rbr_ahead_is_opening(void)
{
	return opening != NULL;
}

gboolean
rbr_ahead_take(gint64 milliseconds, struct rbr_connection *ret_made)
{
	if (!end(milliseconds))
		return FALSE;
	if (opening->made.service) {
		*ret_made = opening->made;
		memset(&opening->made, 0, sizeof opening->made);
	}
	forget();
	return TRUE;
}

/* The process ends, and no operation has come. */
__attribute__((destructor)) static void
give_up(void)
{
	if (opening && end(0))
		forget();
}
