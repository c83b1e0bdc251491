/* SPDX-License-Identifier: MIT */
/* What the OAuth grants share is called with the host's functions and the call at hand. */
#ifndef RBR_OAUTH_H
#define RBR_OAUTH_H

#include "protocol/module.h"

struct rbr_oauth {
	const struct ringbearer_host *host;
	struct ringbearer_call *call;
	bool standing; /* a person gives or has given a standing grant */
	bool refreshing; /* it is used: invalid_grant means that it is over */
};

#endif
