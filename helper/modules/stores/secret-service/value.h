/* SPDX-License-Identifier: MIT */
/* How a secret stands in an item: ASCII without braces, since content types get lost, and one service expands `{…}`. */
#ifndef RBR_SECRET_SERVICE_VALUE_H
#define RBR_SECRET_SERVICE_VALUE_H

#include "session.h"

/* SECRET for an item, in memory that is locked. */
SecretValue *rbr_value_encode(const struct rbr_work *work, const struct ringbearer_secret *secret);

/* RINGBEARER_E_STORE_UNAVAILABLE if somebody else wrote VALUE. */
int rbr_value_decode(struct rbr_work *work, SecretValue *value, struct ringbearer_secret **ret_secret)
	__attribute__((warn_unused_result));

#endif
