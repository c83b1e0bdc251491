/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "formats.h"

#include <stdio.h>
#include <string.h>

#include "protocol/writer.h"

static const struct rbr_format formats[] = {
	{"git", "git's credential protocol (the default)", rbr_format_git, NULL, false, false},
	{"token", "the bare token and a newline", rbr_format_token, NULL, false, false},
	{"header", "an HTTP Authorization header", rbr_format_header, NULL, false, false},
	{"json", "one JSON object", rbr_format_json, NULL, false, false},
	{"env", "variables for eval and for systemd's EnvironmentFile", rbr_format_env, NULL, false, false},
	{"google", "the answer of an executable to Google's client libraries", rbr_format_google,
		rbr_format_google_failure, false, false},
	{"xoauth2", "the first message of SASL XOAUTH2, in base64", rbr_format_xoauth2, NULL, false, false},
	{"oauthbearer", "the first message of SASL OAUTHBEARER, in base64", rbr_format_oauthbearer, NULL, false, false},
	{"docker", "a registry's credential, for docker and its kin", rbr_format_docker, NULL, true, false},
	{"bazel", "HTTP headers, for Bazel", rbr_format_bazel, NULL, true, false},
	{"cargo", "an answer to `get`, for cargo", rbr_format_cargo, NULL, true, false},
	{"terraform", "a credentials object, for Terraform", rbr_format_terraform, NULL, true, false},
	{"kubernetes", "an ExecCredential, for kubectl", rbr_format_kubernetes, NULL, true, true},
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

void
rbr_format_names(char names[RBR_FORMAT_NAMES_MAX])
{
	struct rbr_writer writer = rbr_writer_start(names, RBR_FORMAT_NAMES_MAX);
	size_t i;

	for (i = 0; i < RBR_ARRAY_SIZE(formats); i++) {
		rbr_write_text(&writer, i == 0 ? "" : i + 1 < RBR_ARRAY_SIZE(formats) ? ", " : " or ");
		rbr_write_text(&writer, formats[i].name);
	}
}
