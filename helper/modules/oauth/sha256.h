/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4) of texts that are no secrets for long: proof keys and style sheets. */
#ifndef RBR_SHA256_H
#define RBR_SHA256_H

#include <stddef.h>

#define RBR_SHA256_SIZE 32

void rbr_sha256(const void *octets, size_t size, unsigned char ret_digest[RBR_SHA256_SIZE]);

#endif
