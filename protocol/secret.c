/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "secret.h"

#include <stdlib.h>
#include <string.h>

#include "ringbearer.h"

#define FIRST_CAPACITY 256

int
rbr_secret_reserve(struct ringbearer_secret *secret, size_t size)
{
	size_t capacity = secret->capacity ? secret->capacity : FIRST_CAPACITY;
	char *data;

	if (size > RBR_SECRET_MAX || secret->size + size > RBR_SECRET_MAX)
		return RINGBEARER_E_SYSTEM;
	if (secret->data && secret->size + size < secret->capacity)
		return 0;
	while (capacity <= secret->size + size)
		capacity *= 2;
	data = malloc(capacity);
	if (!data)
		return RINGBEARER_E_SYSTEM;
	if (secret->data) {
		memcpy(data, secret->data, secret->size);
		explicit_bzero(secret->data, secret->capacity);
		free(secret->data);
	}
	data[secret->size] = '\0';
	secret->data = data;
	secret->capacity = capacity;
	return 0;
}

int
rbr_secret_append(struct ringbearer_secret *secret, const void *data, size_t size)
{
	int rc = rbr_secret_reserve(secret, size);

	if (rc < 0)
		return rc;
	if (size > 0)
		memcpy(secret->data + secret->size, data, size);
	secret->size += size;
	secret->data[secret->size] = '\0';
	return 0;
}

int
rbr_secret_append_string(struct ringbearer_secret *secret, const char *string)
{
	return rbr_secret_append(secret, string, strlen(string));
}

void
rbr_secret_wipe(struct ringbearer_secret *secret)
{
	if (secret->data) {
		explicit_bzero(secret->data, secret->capacity);
		free(secret->data);
	}
	*secret = RBR_SECRET_EMPTY;
}

struct ringbearer_secret *
rbr_secret_new(const void *data, size_t size)
{
	struct ringbearer_secret *secret = calloc(1, sizeof *secret);

	if (secret && rbr_secret_append(secret, data, size) < 0) {
		free(secret);
		return NULL;
	}
	return secret;
}

void
rbr_secret_free(struct ringbearer_secret *secret)
{
	if (!secret)
		return;
	rbr_secret_wipe(secret);
	free(secret);
}

void
rbr_secret_freep(struct ringbearer_secret **secret)
{
	rbr_secret_free(*secret);
	*secret = NULL;
}

int
rbr_secret_equal(const void *a, size_t a_size, const void *b, size_t b_size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;
	unsigned char difference = 0;
	size_t i;

	if (a_size != b_size)
		return 0;
	for (i = 0; i < a_size; i++)
		difference |= (unsigned char)(x[i] ^ y[i]);
	return difference == 0;
}

const char *
rbr_secret_string(const struct ringbearer_secret *secret)
{
	return secret->data ? secret->data : "";
}
