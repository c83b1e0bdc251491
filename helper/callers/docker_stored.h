/* SPDX-License-Identifier: MIT */
/*
 * For a registry that no account answers for docker's caller keeps what `docker login` gives, as other such programs do. That
 * rests in the storage that git has too (vault/storage.h), but at docker://HOST/PATH: what git keeps for a host is none of
 * docker's. A registry without a scheme is one with https, and what was given for https goes nowhere else.
 */
#ifndef RBR_DOCKER_STORED_H
#define RBR_DOCKER_STORED_H

#include "protocol/fastpath/context.h"
#include "protocol/fastpath/url.h"

/* Writes docker's answer with what is kept for URL, which docker called SERVER. RINGBEARER_E_NO_ACCOUNT if that is nothing. */
int rbr_docker_stored_get(struct rbr_context *context, const struct rbr_url *url, const char *server) RBR_MUST_CHECK;

/* One password for each registry: another user's goes. The new one is written first, over what the same user had: in some
 * keyrings what is removed stays in a bin. */
int rbr_docker_stored_keep(struct rbr_context *context, const struct rbr_url *url, const char *username,
	const char *secret) RBR_MUST_CHECK;

int rbr_docker_stored_erase(struct rbr_context *context, const struct rbr_url *url) RBR_MUST_CHECK;

/* The registry's address as docker has it, of a place in the storage; false if that is none of docker's. */
bool rbr_docker_stored_address(const char *stored_at, char ret_address[RBR_URL_MAX]);

#endif
