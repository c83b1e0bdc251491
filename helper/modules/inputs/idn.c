/* SPDX-License-Identifier: MIT */
/* A host in Unicode, as a network knows it (IDNA 2008, with the mapping of UTS 46 that browsers and git's libcurl use): the line
 * `host=`. What is none is refused. */
#include "config.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "protocol/module.h"

#define HOST_MAX 1024 /* bytes; one in Unicode is longer than what becomes of it */

static const struct ringbearer_host *host;

static int
flatten(struct ringbearer_call *call, const char *text, size_t size, struct ringbearer_secret **ret_message)
{
	uint8_t *name = NULL;
	int rc = size < HOST_MAX && strlen(text) == size
		? idn2_lookup_u8((const uint8_t *)text, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
		: IDN2_TOO_BIG_DOMAIN;

	if (rc != IDN2_OK)
		return host->fail(
			call, RINGBEARER_E_MALFORMED_REQUEST, "it is no host (%s); correct it", idn2_strerror(rc));
	*ret_message = host->secret_new("host=", strlen("host="));
	rc = *ret_message && host->secret_append(*ret_message, name, strlen((const char *)name)) == 0 &&
			host->secret_append(*ret_message, "\n", 1) == 0
		? 0
		: host->fail(call, RINGBEARER_E_SYSTEM, "out of memory");
	if (rc < 0) {
		host->secret_free(*ret_message);
		*ret_message = NULL;
	}
	idn2_free(name);
	return rc;
}

static const struct ringbearer_input operations = {
	.size = sizeof operations,
	.flatten = flatten,
};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "input-idn",
	.family = "input",
	.operations = &operations,
};

RINGBEARER_EXPORT const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
