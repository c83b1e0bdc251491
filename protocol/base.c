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

void
rbr_close(int *descriptor)
{
	if (*descriptor >= 0)
		(void)close(*descriptor);
	*descriptor = -1;
}
