/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t
rbr_now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
rbr_sleep_ms(int64_t milliseconds)
{
	struct timespec left = {
		.tv_sec = (time_t)(milliseconds / 1000), .tv_nsec = (long)(milliseconds % 1000) * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

void
rbr_context_start(struct rbr_context *context)
{
	const char *trace = secure_getenv("RINGBEARER_TRACE");

	memset(context, 0, sizeof *context);
	context->trace = trace && strcmp(trace, "1") == 0;
	context->started = rbr_clock_now();
	context->started_ms = rbr_now_ms();
}
