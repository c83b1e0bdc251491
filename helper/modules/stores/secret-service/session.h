/* SPDX-License-Identifier: MIT */
/* One operation at a time on the Secret Service, under the deadline of its call; see the head of session.c. */
#ifndef RBR_SESSION_H
#define RBR_SESSION_H

/* What has to do with D-Bus paths, which libsecret calls unstable. */
#define SECRET_API_SUBJECT_TO_CHANGE 1
#include <libsecret/secret.h>

#include "protocol/module.h"

#define RBR_SERVICE_PATH "/org/freedesktop/secrets"
#define RBR_DEFAULT_KEYRING RBR_SERVICE_PATH "/aliases/default"
#define RBR_SERVICE "org.freedesktop.Secret.Service"
#define RBR_COLLECTION "org.freedesktop.Secret.Collection"
#define RBR_ITEM "org.freedesktop.Secret.Item"
#define RBR_PROPERTIES "org.freedesktop.DBus.Properties"

#define RBR_CANCEL_GRACE_MS 500 /* for what was cancelled to end */
#define RBR_ASKED_MAX 2 /* at once */

struct rbr_work {
	const struct ringbearer_host *host;
	struct ringbearer_call *call;
	const struct ringbearer_item *item; /* what it is about; NULL if it is about none */
	gboolean interactive; /* a person may be asked */
	gboolean prompted; /* the service wanted a person since the steps began, whether one was asked or not */
	gboolean closed; /* no keyring was open when the steps began: a search may open a window */
	GCancellable *cancellable;
	GAsyncResult *result; /* of the step that has just ended */
	gboolean has_result;
	gint64 until; /* on the monotonic clock, 0: the call's deadline alone counts */
	gboolean is_time;
	gboolean done; /* what rbr_work_idle() waits for */
	gboolean late; /* a step did not end in time, and may be waiting still */
	gboolean broken; /* the service or the bus did not do what was asked */
};

typedef int (*rbr_work_steps)(struct rbr_work *work, void *data);

/* Takes STEPS on the service that is open, or on a new one. They are taken from the first of them once more if what was
 * open is no good any more, and so must not mind. What they return; RINGBEARER_E_STORE_UNAVAILABLE. */
int rbr_work_run(struct rbr_work *work, rbr_work_steps steps, void *data) __attribute__((warn_unused_result));

/* An operation will come: begins to open the service, unless it is open, and to look for SEARCHES, an a{ss} for each item,
 * if the keyring is open. Nothing else may know of WORK's call afterwards. */
void rbr_work_expect(struct rbr_work *work, GPtrArray *searches);

/* Within the steps: the service, and the bus that it is on. */
SecretService *rbr_work_service(void);
GDBusConnection *rbr_work_bus(void);

/* The place where a search for NAMES has found an item, and no other; NULL: not known. What is there now has to be looked
 * at. It is noted until the service is closed, or until PATH is NULL. */
const gchar *rbr_work_place(GVariant *names);
void rbr_work_note_place(GVariant *names, const gchar *path);

/* Waits until WORK is done or its time is over. */
void rbr_work_idle(struct rbr_work *work);

struct rbr_asked {
	const char *path;
	const char *method; /* with its interface */
	GVariant *arguments; /* may be floating */
	const char *type; /* the reply's */
	GVariant *reply; /* NULL: there is none, ERROR says why */
	GError *error;
};

/* Calls all COUNT of ASKED, RBR_ASKED_MAX at most, without waiting between them; they arrive in that order.
 * RINGBEARER_E_STORE_UNAVAILABLE if one is not answered in time; otherwise rbr_asked_clear() has to come. */
int rbr_work_ask(struct rbr_work *work, struct rbr_asked *asked, gsize count) __attribute__((warn_unused_result));
void rbr_asked_clear(struct rbr_asked *asked, gsize count);

/* Calls METHOD (with its interface) of the object at PATH. ARGUMENTS may be floating; TYPE is the reply's. DOING is for
 * the message if it fails. RINGBEARER_E_STORE_LOCKED, _DISMISSED, _UNAVAILABLE. */
int rbr_work_call(struct rbr_work *work, const char *path, const char *method, GVariant *arguments, const char *type,
	const char *doing, GVariant **ret_reply) __attribute__((warn_unused_result));

/* The same, where it is no failure that the service does not do it: 1. RINGBEARER_E_STORE_UNAVAILABLE if it does not answer in
 * time. */
int rbr_work_try(struct rbr_work *work, const char *path, const char *method, GVariant *arguments, const char *type,
	GVariant **ret_reply) __attribute__((warn_unused_result));

/* The property NAME of the object at PATH, if it has the type TYPE; 1 if not. Else as rbr_work_try(). */
int rbr_work_property(struct rbr_work *work, const char *path, const char *interface, const char *name,
	const char *type, GVariant **ret_value) __attribute__((warn_unused_result));

/* What went wrong, as the code that they return. ERROR may be NULL: libsecret fails so where its arguments do not please
 * it. */
int rbr_work_fail(struct rbr_work *work, const char *doing, GError *error);
int rbr_work_fail_locked(struct rbr_work *work);
int rbr_work_fail_asks(struct rbr_work *work, const char *doing); /* the keyring asks a person before DOING */

#endif
