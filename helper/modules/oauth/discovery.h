/* SPDX-License-Identifier: MIT */
/* A service's metadata (RFC 8414; OpenID Connect Discovery 1.0). */
#ifndef RBR_DISCOVERY_H
#define RBR_DISCOVERY_H

#include "oauth.h"

#define RBR_ISSUER_MAX 1024 /* bytes of an issuer identifier, with its NUL */
#define RBR_WELL_KNOWN_COUNT 3

/* The address number INDEX at which ISSUER's metadata may be, in the order of RFC 8414 sections 3.1 and 5: its own well-known
 * path inserted before the issuer's, OpenID's inserted, OpenID's appended. False if ISSUER is no issuer identifier (https,
 * no query, no fragment) or too long. */
bool rbr_discovery_url(const char *issuer, unsigned index, char ret_url[RBR_ISSUER_MAX + 64]);

/* Reads the metadata and hands over the endpoints (host->discovered). NEEDS_S256: refuse a service that lists challenge
 * methods without S256. RINGBEARER_E_CONFIG (no metadata, another issuer, an endpoint that is not https), and those of
 * rbr_http_get(). */
int rbr_discover(const struct rbr_oauth *oauth, bool needs_s256) __attribute__((warn_unused_result));

#endif
