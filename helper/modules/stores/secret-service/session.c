/* SPDX-License-Identifier: MIT */
/*
 * The way to the service, and what is done about its time and its prompts.
 *
 * It is opened by its fixed name as a SecretService of our own, and not through secret_password_*(): those look at
 * SECRET_BACKEND (an unknown value hangs for ever), at SNAP_NAME (a shell inside a confined editor would get another
 * store) and at SECRET_SERVICE_BUS_NAME. None of these reaches us.
 *
 * Opening it takes a handshake with the bus and a key exchange, longer than all that a renewal says over it. So it
 * stays open from the first operation on. What it says is not remembered, except where an item is: whoever goes there
 * without a search has the item say its names again, and searches if it has others, or is locked, or gone. Where what was
 * open before turns out to be dead, or a service that was started again does not know the session, the operation is
 * begun once more on a new one.
 *
 * Who knows that an operation will come has it opened by a thread meanwhile (rbr_work_expect()), and does something else.
 * If the keyring is open the thread searches, too. The operation waits for the thread, and opens it itself if
 * nothing came of that, so that what is wrong is said once and by one place.
 *
 * Time. The service may be mute or show a prompt that nobody answers. Every step is therefore asynchronous on a main
 * context of our own, with the call's deadline as a source; when it comes the step is cancelled, and given up together with
 * the context if it does not even react to that.
 *
 * Prompts are in prompt.c. A question that could not be put is "locked", one that a person closed is "dismissed".
 */
#include "config.h"

#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahead.h"
#include "connection.h"

#define RUNTIME_BUS_MAX 4096

/* -- one operation at a time, under the deadline -- */

/* Kept from one operation to the next; one thread has operations. */
static struct rbr_connection kept;

static void
on_result(GObject *source, GAsyncResult *result, gpointer data)
{
	struct rbr_work *work = data;

	(void)source;
	work->result = g_object_ref(result);
	work->has_result = TRUE;
}

static gboolean
on_deadline(gpointer data)
{
	struct rbr_work *work = data;

	work->is_time = TRUE;
	return G_SOURCE_REMOVE;
}

static void
iterate(struct rbr_work *work, const gboolean *is_over, gint64 milliseconds)
{
	GSource *deadline = g_timeout_source_new(milliseconds > 0 ? (guint)milliseconds : 0);

	work->is_time = FALSE;
	g_source_set_callback(deadline, on_deadline, work, NULL);
	(void)g_source_attach(deadline, kept.context);
	while (!*is_over && !work->is_time)
		(void)g_main_context_iteration(kept.context, TRUE);
	g_source_destroy(deadline);
	g_source_unref(deadline);
}

static gint64
patience(const struct rbr_work *work)
{
	const gint64 remaining = work->host->remaining_ms(work->call);
	const gint64 left = (work->until - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND;

	return work->until != 0 && left < remaining ? left : remaining;
}

void
rbr_work_idle(struct rbr_work *work)
{
	work->done = FALSE;
	iterate(work, &work->done, patience(work));
}

/* Until the step that has begun IS_OVER; FALSE: that was not in time. */
static gboolean
wait_step(struct rbr_work *work, const gboolean *is_over)
{
	iterate(work, is_over, patience(work));
	if (*is_over)
		return TRUE;
	g_cancellable_cancel(work->cancellable);
	iterate(work, is_over, RBR_CANCEL_GRACE_MS);
	/* This step's alone. */
	g_object_unref(work->cancellable);
	work->cancellable = g_cancellable_new();
	return FALSE;
}

/* What the step that was started with on_result() brings; NULL: it did not end in time. */
static GAsyncResult *
wait_result(struct rbr_work *work)
{
	work->has_result = FALSE;
	if (!wait_step(work, &work->has_result))
		g_clear_object(&work->result);
	return g_steal_pointer(&work->result);
}

static int
fail_late(struct rbr_work *work)
{
	work->late = TRUE;
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring did not answer in time; see whether it waits at a prompt, or restart its service");
}

/* How the caller has a person asked, as an advice; NULL if there is no special way. */
static const char *
way_out(struct rbr_work *work)
{
	return work->host->config(work->call, "interactive_hint", 0);
}

int
rbr_work_fail_locked(struct rbr_work *work)
{
	const char *hint = way_out(work);

	if (work->interactive && work->prompted)
		return work->host->fail(work->call, RINGBEARER_E_STORE_DISMISSED,
			"the keyring stays locked, its prompt was closed or could not be shown; try again and answer it");
	return work->host->fail(work->call, RINGBEARER_E_STORE_LOCKED,
		"the keyring is locked; unlock it (log in to the desktop, or %s)",
		hint ? hint : "run `ringbearer refresh` where a prompt can be shown");
}

int
rbr_work_fail_asks(struct rbr_work *work, const char *doing)
{
	const char *hint = way_out(work);

	if (work->interactive)
		return work->host->fail(work->call, RINGBEARER_E_STORE_DISMISSED,
			"the keyring asks a person before %s, and its prompt was closed or could not be shown; try again and "
			"answer it",
			doing);
	return work->host->fail(work->call, RINGBEARER_E_STORE_LOCKED,
		"the keyring is locked for this call: it asks a person before %s, and nobody may be asked here; %s, or have the keyring do it unasked",
		doing, hint ? hint : "run this where a prompt can be shown, with --interactive if it has that option");
}

static gboolean
is_cancelled(const GError *error)
{
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
		g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

int
rbr_work_fail(struct rbr_work *work, const char *doing, GError *error)
{
	if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
		return rbr_work_fail_locked(work);
	work->broken = TRUE;
	if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
		g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
		return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
			"no keyring service runs in this session; start one such as gnome-keyring, KWallet or KeePassXC");
	if (is_cancelled(error))
		return fail_late(work);
	if (error)
		(void)g_dbus_error_strip_remote_error(error);
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE, "%s failed (%s); see the keyring's service",
		doing, error ? error->message : "no reason given");
}

/* -- beginning and end -- */

/* Where logind makes a user's bus: cron and its like are not told. */
static bool
find_user_bus(void)
{
	char folder[RUNTIME_BUS_MAX], address[RUNTIME_BUS_MAX];
	struct stat status;

	(void)g_snprintf(folder, sizeof folder, "/run/user/%lu", (unsigned long)getuid());
	if (geteuid() != getuid() || lstat(folder, &status) < 0 || !S_ISDIR(status.st_mode) ||
		status.st_uid != getuid() || (status.st_mode & (S_IWGRP | S_IWOTH)))
		return false;
	(void)g_snprintf(address, sizeof address, "unix:path=%s/bus", folder);
	return access(address + sizeof "unix:path=" - 1, F_OK) == 0 &&
		setenv("DBUS_SESSION_BUS_ADDRESS", address, 1) == 0;
}

/* Without this look GLib would try to start a bus of its own. */
static bool
has_bus(void)
{
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = g_getenv("XDG_RUNTIME_DIR");
	char path[RUNTIME_BUS_MAX];

	if (address && *address)
		return true;
	if (runtime && *runtime && g_snprintf(path, sizeof path, "%s/bus", runtime) < (gint)sizeof path &&
		access(path, F_OK) == 0)
		return true;
	return (!runtime || !*runtime) && find_user_bus();
}

static int
find_bus(struct rbr_work *work)
{
	if (has_bus())
		return 0;
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"there is no D-Bus session, and so no keyring: DBUS_SESSION_BUS_ADDRESS is not set and $XDG_RUNTIME_DIR/bus is not "
		"there; run this inside a login session, or under `dbus-run-session`");
}

/* Nobody listens at the bus's address. */
static int
fail_bus(struct rbr_work *work)
{
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
	const bool named = address && *address;

	work->broken = TRUE;
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring cannot be reached: %s%.200s, where nothing answers; run this inside a login session, or under `dbus-run-session`",
		named ? "DBUS_SESSION_BUS_ADDRESS leads to " : "the session's bus should be at $XDG_RUNTIME_DIR/bus",
		named ? address : "");
}

/* GLib would end the process together with the bus. */
static int
open_bus(struct rbr_work *work)
{
	GAsyncResult *result;
	GError *error = NULL;
	sigset_t before;
	int rc = 0;

	rbr_signals_block(&before);
	g_bus_get(G_BUS_TYPE_SESSION, work->cancellable, on_result, work);
	rbr_signals_restore(&before);
	result = wait_result(work);
	if (!result)
		return fail_late(work);
	kept.bus = g_bus_get_finish(result, &error);
	if (kept.bus)
		g_dbus_connection_set_exit_on_close(kept.bus, FALSE);
	else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
		g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
		rc = fail_bus(work);
	else
		rc = rbr_work_fail(work, "connecting to the session's bus", error);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static int
open_service(struct rbr_work *work)
{
	GAsyncResult *result;
	GError *error = NULL;
	int rc = open_bus(work);

	if (rc < 0)
		return rc;
	(void)SECRET_ERROR; /* from now on GLib knows the service's errors by their names */
	secret_service_open(
		rbr_service_get_type(), RBR_BUS_NAME, SECRET_SERVICE_OPEN_SESSION, work->cancellable, on_result, work);
	result = wait_result(work);
	if (!result)
		return fail_late(work);
	kept.service = secret_service_open_finish(result, &error);
	if (!kept.service)
		rc = rbr_work_fail(work, "opening the keyring", error);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

/* -- ahead of the operations -- */

/* The bus is found at once: GLib starts threads for it, and they would wait for whatever is being loaded. */
static int
expect(struct rbr_work *work, struct rbr_connection *ret_made)
{
	int rc;

	if (!has_bus())
		return RINGBEARER_E_STORE_UNAVAILABLE;
	work->cancellable = g_cancellable_new();
	kept.context = g_main_context_new();
	g_main_context_push_thread_default(kept.context);
	rc = open_bus(work);
	g_main_context_pop_thread_default(kept.context);
	g_clear_object(&work->cancellable);
	(void)SECRET_ERROR; /* as in open_service() */
	*ret_made = kept;
	memset(&kept, 0, sizeof kept);
	return rc;
}

void
rbr_work_expect(struct rbr_work *work, GPtrArray *searches)
{
	struct rbr_connection made = {.context = NULL};

	if (kept.context || rbr_ahead_is_opening())
		return;
	if (expect(work, &made) == 0)
		rbr_ahead_open(&made, searches);
	rbr_connection_close(&made);
}

/* -- an operation -- */

static int
try(struct rbr_work *work, rbr_work_steps steps, void *data)
{
	int rc = 0;

	work->late = work->broken = work->prompted = work->closed = FALSE;
	work->interactive = work->host->interactive(work->call);
	if (rbr_ahead_is_opening() && !rbr_ahead_take(patience(work), &kept))
		return fail_late(work);
	work->cancellable = g_cancellable_new();
	if (!kept.context)
		kept.context = g_main_context_new();
	g_main_context_push_thread_default(kept.context);
	if (!kept.service)
		rc = open_service(work);
	if (rc == 0)
		rc = steps(work, data);
	g_main_context_pop_thread_default(kept.context);
	g_clear_object(&work->cancellable);
	/* What did not end yet would end in the next operation otherwise. */
	if (!kept.service || work->late || work->broken)
		rbr_connection_close(&kept);
	return rc;
}

int
rbr_work_run(struct rbr_work *work, rbr_work_steps steps, void *data)
{
	gboolean was_open = kept.service != NULL;
	int rc = find_bus(work);

	if (rc == 0)
		rc = try(work, steps, data);
	if (rc < 0 && was_open && work->broken && !work->late)
		rc = try(work, steps, data);
	return rc;
}

/* -- what the steps are made of -- */

SecretService *
rbr_work_service(void)
{
	return kept.service;
}

GDBusConnection *
rbr_work_bus(void)
{
	return kept.bus;
}

const gchar *
rbr_work_place(GVariant *names)
{
	return rbr_connection_place(&kept, names);
}

void
rbr_work_note_place(GVariant *names, const gchar *path)
{
	rbr_connection_note_place(&kept, names, path);
}

/* The replies to questions that were sent together. Whoever waits for them in vain leaves them to the last one. */
struct replies {
	gsize missing;
	gboolean complete;
	gboolean abandoned;
	struct reply {
		struct replies *all;
		GVariant *value;
		GError *error;
	} each[RBR_ASKED_MAX];
};

static void
free_replies(struct replies *replies)
{
	gsize i;

	for (i = 0; i < G_N_ELEMENTS(replies->each); i++) {
		g_clear_pointer(&replies->each[i].value, g_variant_unref);
		g_clear_error(&replies->each[i].error);
	}
	g_free(replies);
}

static void
on_reply(GObject *bus, GAsyncResult *result, gpointer data)
{
	struct reply *reply = data;
	struct replies *all = reply->all;

	reply->value = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &reply->error);
	all->complete = --all->missing == 0;
	if (all->complete && all->abandoned)
		free_replies(all);
}

static void
send(struct rbr_work *work, const struct rbr_asked *asked, struct reply *reply)
{
	const char *name = strrchr(asked->method, '.');
	char *interface = g_strndup(asked->method, (gsize)(name - asked->method));

	g_dbus_connection_call(kept.bus, RBR_BUS_NAME, asked->path, interface, name + 1, asked->arguments,
		G_VARIANT_TYPE(asked->type), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, work->cancellable, on_reply, reply);
	g_free(interface);
}

int
rbr_work_ask(struct rbr_work *work, struct rbr_asked *asked, gsize count)
{
	struct replies *replies = g_new0(struct replies, 1);
	gboolean late = FALSE;
	gsize i;

	replies->missing = count;
	for (i = 0; i < count; i++) {
		replies->each[i].all = replies;
		send(work, &asked[i], &replies->each[i]);
	}
	if (!wait_step(work, &replies->complete) && !replies->complete) {
		replies->abandoned = TRUE;
		return fail_late(work);
	}
	for (i = 0; i < count; i++) {
		asked[i].reply = g_steal_pointer(&replies->each[i].value);
		asked[i].error = g_steal_pointer(&replies->each[i].error);
		late = late || (asked[i].error && is_cancelled(asked[i].error));
	}
	free_replies(replies);
	if (!late)
		return 0;
	rbr_asked_clear(asked, count);
	return fail_late(work);
}

void
rbr_asked_clear(struct rbr_asked *asked, gsize count)
{
	for (; count > 0; count--, asked++) {
		g_clear_pointer(&asked->reply, g_variant_unref);
		g_clear_error(&asked->error);
	}
}

int
rbr_work_call(struct rbr_work *work, const char *path, const char *method, GVariant *arguments, const char *type,
	const char *doing, GVariant **ret_reply)
{
	struct rbr_asked asked = {path, method, arguments, type, NULL, NULL};
	int rc = rbr_work_ask(work, &asked, 1);

	if (rc == 0 && asked.error)
		rc = rbr_work_fail(work, doing, asked.error);
	if (rc == 0)
		*ret_reply = g_steal_pointer(&asked.reply);
	rbr_asked_clear(&asked, 1);
	return rc;
}

int
rbr_work_try(struct rbr_work *work, const char *path, const char *method, GVariant *arguments, const char *type,
	GVariant **ret_reply)
{
	struct rbr_asked asked = {path, method, arguments, type, NULL, NULL};
	int rc = rbr_work_ask(work, &asked, 1);

	if (rc == 0 && asked.error)
		rc = 1;
	if (rc == 0)
		*ret_reply = g_steal_pointer(&asked.reply);
	rbr_asked_clear(&asked, 1);
	return rc;
}

int
rbr_work_property(struct rbr_work *work, const char *path, const char *interface, const char *name, const char *type,
	GVariant **ret_value)
{
	GVariant *reply = NULL, *value;
	int rc = rbr_work_try(work, path, RBR_PROPERTIES ".Get", g_variant_new("(ss)", interface, name), "(v)", &reply);

	if (rc != 0)
		return rc;
	g_variant_get(reply, "(v)", &value);
	g_variant_unref(reply);
	if (g_variant_is_of_type(value, G_VARIANT_TYPE(type))) {
		*ret_value = value;
		return 0;
	}
	g_variant_unref(value);
	return 1;
}
