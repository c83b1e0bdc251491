/* SPDX-License-Identifier: MIT */
/* One operation at a time on the Secret Service, under the deadline of its call; see the head of session.c. */
#ifndef RBR_SESSION_H
#define RBR_SESSION_H

/* What has to do with D-Bus paths, which libsecret calls unstable. */
#define SECRET_API_SUBJECT_TO_CHANGE 1
#include <libsecret/secret.h>

#include "protocol/module.h"

struct rbr_work {
	const struct ringbearer_host *host;
	struct ringbearer_call *call;
	const struct ringbearer_item *item; /* what it is about; NULL if it is about none */
	GCancellable *cancellable;
	GAsyncResult *result; /* of the step that has just ended */
	gboolean is_time;
	gboolean late; /* a step did not end in time, and may be waiting still */
	gboolean broken; /* the service or the bus did not do what was asked */
};

typedef int (*rbr_work_steps)(struct rbr_work *work, void *data);

/* Takes STEPS on the service that is open, or on a new one. They are taken from the first of them once more if what was
 * open is no good any more, and so must not mind. What they return; RINGBEARER_E_STORE_UNAVAILABLE. */
int rbr_work_run(struct rbr_work *work, rbr_work_steps steps, void *data) __attribute__((warn_unused_result));

/* Within the steps: the service, and whether a prompt was shown or refused since they began. */
SecretService *rbr_work_service(void);
gboolean rbr_work_wanted_prompt(void);

/* A step that libsecret takes is started with rbr_work_done() and WORK as its callback and data. Its result, to be
 * freed; NULL: it did not end in time, which is said with rbr_work_fail_late(). */
void rbr_work_done(GObject *source, GAsyncResult *result, gpointer work);
GAsyncResult *rbr_work_wait(struct rbr_work *work) __attribute__((warn_unused_result));

/* Calls METHOD (with its interface) of the object at PATH. ARGUMENTS may be floating; TYPE is the reply's. DOING is for
 * the message if it fails. RINGBEARER_E_STORE_LOCKED, _DISMISSED, _UNAVAILABLE. */
int rbr_work_call(struct rbr_work *work, const char *path, const char *method, GVariant *arguments, const char *type,
	const char *doing, GVariant **ret_reply) __attribute__((warn_unused_result));

/* What went wrong, as the code that they return. ERROR may be NULL: libsecret fails so where its arguments do not please
 * it. */
int rbr_work_fail(struct rbr_work *work, const char *doing, GError *error);
int rbr_work_fail_late(struct rbr_work *work);
int rbr_work_fail_locked(struct rbr_work *work);
int rbr_work_fail_kept(struct rbr_work *work); /* not removed, for want of a person's consent */

#endif
