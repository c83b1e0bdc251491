/* SPDX-License-Identifier: MIT */
/* What the OAuth grants wait by. */
#ifndef RBR_OAUTH_CLOCK_H
#define RBR_OAUTH_CLOCK_H

#include <stdint.h>

/* CLOCK_BOOTTIME in milliseconds: it goes on during suspend and cannot be set. */
int64_t rbr_oauth_now_ms(void);

#endif
