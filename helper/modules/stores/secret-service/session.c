/* SPDX-License-Identifier: MIT */
/*
 * The way to the service, and what is done about its time and its prompts.
 *
 * It is opened by its fixed name as a SecretService of our own, and not through secret_password_*(): those look at
 * SECRET_BACKEND (an unknown value hangs for ever), at SNAP_NAME (a shell inside a confined editor would get another
 * store) and at SECRET_SERVICE_BUS_NAME. None of these reaches us.
 *
 * Opening it takes a handshake with the bus and a key exchange, longer than all that a renewal says over it. So it
 * stays open from the first operation on, but nothing that it says is remembered. Where what was open before turns out
 * to be dead, or a service that was started again does not know the session, the operation is begun once more on a
 * new one.
 *
 * Time. The service may be mute or show a prompt that nobody answers. Every step is therefore asynchronous on a main
 * context of our own, with the call's deadline as a source; when it comes the step is cancelled, and given up together with
 * the context if it does not even react to that.
 *
 * Prompts. Our class refuses to show one where the call is not interactive, and notes that one was wanted: "locked". One
 * that a person closed is "dismissed".
 */
#include "config.h"

#include "session.h"

#include <string.h>
#include <unistd.h>

#define BUS_NAME "org.freedesktop.secrets"
#define CANCEL_GRACE_MS 500
#define RUNTIME_BUS_MAX 4096

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
	(void)SECRET_ERROR; /* from now on GLib knows the service's errors by their names */
}

static void
rbr_service_init(RbrService *self)
{
	self->may_prompt = FALSE;
}

/* -- one operation at a time, under the deadline -- */

struct connection {
	GMainContext *context;
	GDBusConnection *bus;
	RbrService *service; /* with its session */
};

/* Kept from one operation to the next; there is one thread. */
static struct connection kept;

void
rbr_work_done(GObject *source, GAsyncResult *result, gpointer data)
{
	struct rbr_work *work = data;

	(void)source;
	work->result = g_object_ref(result);
}

static gboolean
on_deadline(gpointer data)
{
	struct rbr_work *work = data;

	work->is_time = TRUE;
	return G_SOURCE_REMOVE;
}

static void
iterate(struct rbr_work *work, gint64 milliseconds)
{
	GSource *deadline = g_timeout_source_new(milliseconds > 0 ? (guint)milliseconds : 0);

	work->is_time = FALSE;
	g_source_set_callback(deadline, on_deadline, work, NULL);
	(void)g_source_attach(deadline, kept.context);
	while (!work->result && !work->is_time)
		(void)g_main_context_iteration(kept.context, TRUE);
	g_source_destroy(deadline);
	g_source_unref(deadline);
}

GAsyncResult *
rbr_work_wait(struct rbr_work *work)
{
	iterate(work, work->host->remaining_ms(work->call));
	if (!work->result) {
		g_cancellable_cancel(work->cancellable);
		iterate(work, CANCEL_GRACE_MS);
		g_clear_object(&work->result);
	}
	return g_steal_pointer(&work->result);
}

int
rbr_work_fail_late(struct rbr_work *work)
{
	work->late = TRUE;
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring did not answer in time; see whether it waits at a prompt, or restart its service");
}

int
rbr_work_fail_locked(struct rbr_work *work)
{
	if (kept.service && kept.service->prompted)
		return work->host->fail(work->call, RINGBEARER_E_STORE_DISMISSED,
			"the keyring stays locked, its prompt was closed or could not be shown; try again and answer it");
	return work->host->fail(work->call, RINGBEARER_E_STORE_LOCKED,
		"the keyring is locked; unlock it (log in to the desktop, or run `ringbearer refresh` where a prompt can be shown)");
}

int
rbr_work_fail_kept(struct rbr_work *work)
{
	return work->host->fail(work->call,
		kept.service->prompted ? RINGBEARER_E_STORE_DISMISSED : RINGBEARER_E_STORE_LOCKED,
		"the secret was not removed: the keyring asks a person first, and its prompt was closed or not shown; remove it in "
		"the keyring's viewer");
}

/* ERROR may be NULL: libsecret fails so where its arguments do not please it. */
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
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
		g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		return rbr_work_fail_late(work);
	if (error)
		(void)g_dbus_error_strip_remote_error(error);
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE, "%s failed (%s); see the keyring's service",
		doing, error ? error->message : "no reason given");
}

/* -- beginning and end -- */

/* Without this look GLib would try to start a bus of its own. */
static int
find_bus(struct rbr_work *work)
{
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = g_getenv("XDG_RUNTIME_DIR");
	char path[RUNTIME_BUS_MAX];

	if (address && *address)
		return 0;
	if (runtime && g_snprintf(path, sizeof path, "%s/bus", runtime) < (gint)sizeof path && access(path, F_OK) == 0)
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
	int rc = 0;

	g_bus_get(G_BUS_TYPE_SESSION, work->cancellable, rbr_work_done, work);
	result = rbr_work_wait(work);
	if (!result)
		return rbr_work_fail_late(work);
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
	secret_service_open(
		rbr_service_get_type(), BUS_NAME, SECRET_SERVICE_OPEN_SESSION, work->cancellable, rbr_work_done, work);
	result = rbr_work_wait(work);
	if (!result)
		return rbr_work_fail_late(work);
	kept.service = (RbrService *)secret_service_open_finish(result, &error);
	if (!kept.service)
		rc = rbr_work_fail(work, "opening the keyring", error);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}

static void
close_service(void)
{
	g_clear_object(&kept.service);
	g_clear_object(&kept.bus);
	g_clear_pointer(&kept.context, g_main_context_unref);
}

static int
try(struct rbr_work *work, rbr_work_steps steps, void *data)
{
	int rc = 0;

	work->late = work->broken = FALSE;
	work->cancellable = g_cancellable_new();
	if (!kept.context)
		kept.context = g_main_context_new();
	g_main_context_push_thread_default(kept.context);
	if (!kept.service)
		rc = open_service(work);
	if (rc == 0) {
		kept.service->may_prompt = work->host->interactive(work->call);
		kept.service->wanted_prompt = kept.service->prompted = FALSE;
		rc = steps(work, data);
	}
	g_main_context_pop_thread_default(kept.context);
	g_clear_object(&work->cancellable);
	/* What did not end yet would end in the next operation otherwise. */
	if (!kept.service || work->late || work->broken)
		close_service();
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
	return SECRET_SERVICE(kept.service);
}

gboolean
rbr_work_wanted_prompt(void)
{
	return kept.service->wanted_prompt || kept.service->prompted;
}

int
rbr_work_call(struct rbr_work *work, const char *path, const char *method, GVariant *arguments, const char *type,
	const char *doing, GVariant **ret_reply)
{
	const char *name = strrchr(method, '.');
	char *interface = g_strndup(method, (gsize)(name - method));
	GAsyncResult *result;
	GError *error = NULL;
	int rc = 0;

	g_dbus_connection_call(kept.bus, BUS_NAME, path, interface, name + 1, arguments, G_VARIANT_TYPE(type),
		G_DBUS_CALL_FLAGS_NONE, G_MAXINT, work->cancellable, rbr_work_done, work);
	g_free(interface);
	result = rbr_work_wait(work);
	if (!result)
		return rbr_work_fail_late(work);
	*ret_reply = g_dbus_connection_call_finish(kept.bus, result, &error);
	if (!*ret_reply)
		rc = rbr_work_fail(work, doing, error);
	g_object_unref(result);
	g_clear_error(&error);
	return rc;
}
