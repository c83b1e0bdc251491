/* SPDX-License-Identifier: MIT */
/* kubectl and its kin: they run `ringbearer get --format=kubernetes` and say the rest in the environment. */
#ifndef RBR_KUBERNETES_H
#define RBR_KUBERNETES_H

#include "protocol/fastpath/context.h"
#include "protocol/fastpath/request.h"

/* Puts what $KUBERNETES_EXEC_INFO says into REQUEST: the version to answer in, and the cluster's address as the URL if the
 * command line names none. Whether a person may be asked is the command line's business alone.
 * RINGBEARER_E_MALFORMED_REQUEST, RINGBEARER_E_MODULE. */
int rbr_kubernetes_look(struct rbr_context *context, struct rbr_request *request) RBR_MUST_CHECK;

#endif
