/* SPDX-License-Identifier: MIT */
/* A thread that opens the service, and has it say where items are, while the process does something else. */
#ifndef RBR_SECRET_SERVICE_AHEAD_H
#define RBR_SECRET_SERVICE_AHEAD_H

#include "connection.h"

/* Takes *CONNECTION, which has its bus, and looks for SEARCHES: an a{ss} for each item. None is under way. */
void rbr_ahead_open(struct rbr_connection *connection, GPtrArray *searches);

gboolean rbr_ahead_is_opening(void);

/* Waits for it, and takes over what was opened, if anything was. FALSE: it did not end, not even when it was told to. */
gboolean rbr_ahead_take(gint64 milliseconds, struct rbr_connection *ret_made) __attribute__((warn_unused_result));

#endif
