/* SPDX-License-Identifier: MIT */
/* What a traced program's system calls are about. */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Valid until the next call. */
const char *call_name(uint64_t call);

/* Does the thread ID write a token request, on a TLS connection or in the clear? */
bool call_is_request(pid_t id, const uint64_t args[6]);

/* Does the thread ID, with add_key(), write a record of this KIND? */
bool call_is_record(pid_t id, const uint64_t args[6], const char *kind);

/* Writes what else is to be known of a call of the thread ID that has ended. */
void call_print(FILE *out, pid_t id, uint64_t call, const uint64_t args[6], int64_t result);

#endif
