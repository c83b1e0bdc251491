/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "clock.h"

#include <time.h>

int64_t
rbr_oauth_now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
