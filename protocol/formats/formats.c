/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "formats.h"

#include <string.h>

static const struct rbr_format formats[] = {
	{"git", "git's credential protocol (the default)", rbr_format_git},
	{"token", "the bare token and a newline", rbr_format_token},
	{"header", "an HTTP Authorization header", rbr_format_header},
	{"json", "one JSON object", rbr_format_json},
};

const struct rbr_format *
rbr_format_at(size_t index)
{
	return index < RBR_ARRAY_SIZE(formats) ? &formats[index] : NULL;
}

const struct rbr_format *
rbr_format_find(const char *name)
{
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}
