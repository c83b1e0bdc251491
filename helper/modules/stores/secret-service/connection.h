/* SPDX-License-Identifier: MIT */
/* The way to the service, as it is kept from one operation to the next. */
#ifndef RBR_SECRET_SERVICE_CONNECTION_H
#define RBR_SECRET_SERVICE_CONNECTION_H

#include <signal.h>

#include "session.h"

#define RBR_BUS_NAME "org.freedesktop.secrets"

struct rbr_connection {
	GMainContext *context;
	GDBusConnection *bus;
	SecretService *service; /* with its session */
	GPtrArray *places; /* where items are, see rbr_work_place() */
};

/* For secret_service_open(), which it makes say no more than is needed. */
GType rbr_service_get_type(void);

/* Around what makes a thread, so that it takes no signals: whoever waits at the terminal lets them in there alone, and one
 * that a thread takes instead wakes nobody. */
void rbr_signals_block(sigset_t *ret_before);
void rbr_signals_restore(const sigset_t *before);

void rbr_connection_close(struct rbr_connection *connection);

/* See rbr_work_place(). */
const gchar *rbr_connection_place(const struct rbr_connection *connection, GVariant *names);
void rbr_connection_note_place(struct rbr_connection *connection, GVariant *names, const gchar *path);

#endif
