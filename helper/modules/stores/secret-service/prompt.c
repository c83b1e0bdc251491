/* SPDX-License-Identifier: MIT */
/*
 * Prompts. libsecret's own are left aside: they take a prompt that was closed for a consent, and complain on standard
 * error about one whose result has a type that they do not expect (KWallet's).
 *
 * Where nobody may be asked, one that is sure to open a window is never begun. One that may end by itself gets a moment to
 * do so (KeePassXC returns one for each item that is made or removed, whether it asks or not); if it does not, it was a
 * question, and is withdrawn. Where a person may be asked, the prompt has their time and not the call's.
 */
#include "config.h"

#include "prompt.h"

#include <string.h>

#define PROMPT "org.freedesktop.Secret.Prompt"
#define BY_ITSELF_MS 2000
#define DISMISS_MS 500

struct outcome {
	struct rbr_work *work;
	gboolean completed;
	gboolean dismissed;
	gboolean gone; /* the service went away */
};

static void
on_completed(GDBusConnection *bus, const gchar *sender, const gchar *path, const gchar *interface, const gchar *signal,
	GVariant *parameters, gpointer data)
{
	struct outcome *outcome = data;

	(void)bus, (void)sender, (void)path, (void)interface, (void)signal;
	outcome->completed = TRUE;
	outcome->dismissed = TRUE;
	if (g_variant_is_of_type(parameters, G_VARIANT_TYPE("(bv)")))
		g_variant_get_child(parameters, 0, "b", &outcome->dismissed);
	outcome->work->done = TRUE;
}

static void
on_owner(GDBusConnection *bus, const gchar *sender, const gchar *path, const gchar *interface, const gchar *signal,
	GVariant *parameters, gpointer data)
{
	struct outcome *outcome = data;

	(void)bus, (void)sender, (void)path, (void)interface, (void)signal, (void)parameters;
	outcome->gone = TRUE;
	outcome->work->done = TRUE;
}

static int
fail_gone(struct rbr_work *work)
{
	work->broken = TRUE;
	return work->host->fail(work->call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the keyring's service went away while it asked; see whether it runs, and try again");
}

/* Some services reply when the prompt has begun, others when it has ended. */
static int
perform(struct rbr_work *work, const char *path, struct outcome *outcome)
{
	GVariant *reply = NULL;
	int rc = rbr_work_try(work, path, PROMPT ".Prompt", g_variant_new("(s)", ""), "()", &reply);

	if (reply)
		g_variant_unref(reply);
	if (rc == 0 && !outcome->completed && !outcome->gone)
		rbr_work_idle(work);
	if (outcome->gone && !outcome->completed)
		return fail_gone(work);
	return outcome->completed && !outcome->dismissed ? 0 : 1;
}

static void
withdraw(struct rbr_work *work, const char *path)
{
	GVariant *reply = NULL;

	work->until = g_get_monotonic_time() + DISMISS_MS * G_TIME_SPAN_MILLISECOND;
	if (rbr_work_try(work, path, PROMPT ".Dismiss", NULL, "()", &reply) == 0)
		g_variant_unref(reply);
}

int
rbr_prompt(struct rbr_work *work, const char *path, enum rbr_question question)
{
	struct outcome outcome = {.work = work};
	GDBusConnection *bus = rbr_work_bus();
	gchar *owner;
	guint completed, owned;
	int rc;

	if (strcmp(path, "/") == 0)
		return 0;
	work->prompted = TRUE;
	if (!work->interactive && question == RBR_ASKS_SURELY)
		return 1;
	owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(rbr_work_service()));
	if (!owner) /* without one anybody's answer would count */
		return fail_gone(work);
	completed = g_dbus_connection_signal_subscribe(
		bus, owner, PROMPT, "Completed", path, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_completed, &outcome, NULL);
	owned = g_dbus_connection_signal_subscribe(bus, "org.freedesktop.DBus", "org.freedesktop.DBus",
		"NameOwnerChanged", "/org/freedesktop/DBus", owner, G_DBUS_SIGNAL_FLAGS_NONE, on_owner, &outcome, NULL);
	if (work->interactive)
		work->host->asking(work->call, true);
	else
		work->until = g_get_monotonic_time() + BY_ITSELF_MS * G_TIME_SPAN_MILLISECOND;
	rc = perform(work, path, &outcome);
	if (!outcome.completed && !outcome.gone)
		withdraw(work, path);
	work->until = 0;
	if (work->interactive)
		work->host->asking(work->call, false);
	g_dbus_connection_signal_unsubscribe(bus, completed);
	g_dbus_connection_signal_unsubscribe(bus, owned);
	g_free(owner);
	return rc;
}
