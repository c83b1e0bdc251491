/* SPDX-License-Identifier: MIT */
#include "base.h"

#include <stdlib.h>
#include <unistd.h>

void
rbr_free_string(char **string)
{
	free(*string);
	*string = NULL;
}

char *
rbr_hex(char *to, uint64_t number)
{
	int digits = 1;
	uint64_t rest;
	char *end;

	for (rest = number >> 4; rest > 0; rest >>= 4)
		digits++;
	end = to + digits;
	for (to = end; digits > 0; digits--, number >>= 4)
		*--to = "0123456789abcdef"[number & 15];
	return end;
}

void
rbr_close(int *descriptor)
{
	if (*descriptor >= 0)
		(void)close(*descriptor);
	*descriptor = -1;
}
