/* SPDX-License-Identifier: MIT */
/*
 * A SecretService of libsecret's own would read the service's properties and follow its signals, which nobody here looks
 * at, and have the bus start a service that the first question to it starts as well: each of them a round trip that the
 * session would wait for. It takes no other flags, whatever it is made with; a class of ours sets them last.
 */
#include "config.h"

#include "connection.h"

#define FLAGS                                                                                    \
	(G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS | \
		G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START_AT_CONSTRUCTION)

typedef SecretService RbrService;
typedef SecretServiceClass RbrServiceClass;

G_DEFINE_TYPE(RbrService, rbr_service, SECRET_TYPE_SERVICE)

static GObject *
construct(GType type, guint count, GObjectConstructParam *properties)
{
	GObject *object = G_OBJECT_CLASS(rbr_service_parent_class)->constructor(type, count, properties);

	g_object_set(object, "g-flags", FLAGS, NULL);
	return object;
}

static void
rbr_service_class_init(RbrServiceClass *class)
{
	G_OBJECT_CLASS(class)->constructor = construct;
}

static void
rbr_service_init(RbrService *self)
{
	(void)self;
}

void
rbr_signals_block(sigset_t *ret_before)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

void
rbr_signals_restore(const sigset_t *before)
{
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

struct place {
	GVariant *names;
	gchar *path;
};

void
rbr_connection_close(struct rbr_connection *connection)
{
	g_clear_pointer(&connection->places, g_ptr_array_unref);
	g_clear_object(&connection->service);
	g_clear_object(&connection->bus);
	g_clear_pointer(&connection->context, g_main_context_unref);
}

static void
free_place(gpointer data)
{
	struct place *place = data;

	g_variant_unref(place->names);
	g_free(place->path);
	g_free(place);
}

static struct place *
find(const struct rbr_connection *connection, GVariant *names)
{
	guint i;

	for (i = 0; connection->places && i < connection->places->len; i++) {
		struct place *place = g_ptr_array_index(connection->places, i);

		if (g_variant_equal(place->names, names))
			return place;
	}
	return NULL;
}

const gchar *
rbr_connection_place(const struct rbr_connection *connection, GVariant *names)
{
	const struct place *place = find(connection, names);

	return place ? place->path : NULL;
}

void
rbr_connection_note_place(struct rbr_connection *connection, GVariant *names, const gchar *path)
{
	struct place *place = find(connection, names);

	if (place)
		(void)g_ptr_array_remove_fast(connection->places, place);
	if (!path)
		return;
	if (!connection->places)
		connection->places = g_ptr_array_new_with_free_func(free_place);
	place = g_new0(struct place, 1);
	place->names = g_variant_ref(names);
	place->path = g_strdup(path);
	g_ptr_array_add(connection->places, place);
}
