/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "calls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PEEK 512
#define RECORD_START "for=" /* and its kind */
#define REQUEST_MIN 200 /* a TLS record that is longer than what a handshake ends with */

static const struct {
	long call;
	const char *name;
} names[] = {
	{SYS_read, "read"},
	{SYS_write, "write"},
	{SYS_close, "close"},
	{SYS_fcntl, "fcntl"},
	{SYS_ioctl, "ioctl"},
	{SYS_brk, "brk"},
	{SYS_mmap, "mmap"},
	{SYS_munmap, "munmap"},
	{SYS_mprotect, "mprotect"},
	{SYS_madvise, "madvise"},
	{SYS_sendto, "sendto"},
	{SYS_recvfrom, "recvfrom"},
	{SYS_sendmsg, "sendmsg"},
	{SYS_recvmsg, "recvmsg"},
	{SYS_socket, "socket"},
	{SYS_connect, "connect"},
	{SYS_shutdown, "shutdown"},
	{SYS_getsockopt, "getsockopt"},
	{SYS_setsockopt, "setsockopt"},
	{SYS_getpeername, "getpeername"},
	{SYS_getsockname, "getsockname"},
	{SYS_ppoll, "ppoll"},
	{SYS_futex, "futex"},
	{SYS_eventfd2, "eventfd2"},
	{SYS_getrandom, "getrandom"},
	{SYS_add_key, "add_key"},
	{SYS_keyctl, "keyctl"},
	{SYS_rt_sigprocmask, "rt_sigprocmask"},
	{SYS_rt_sigaction, "rt_sigaction"},
	{SYS_clone, "clone"},
	{SYS_clone3, "clone3"},
	{SYS_getpid, "getpid"},
	{SYS_openat, "openat"},
	{SYS_pread64, "pread64"},
	{SYS_clock_nanosleep, "clock_nanosleep"},
	{SYS_renameat2, "renameat2"},
	{SYS_unlinkat, "unlinkat"},
	{SYS_exit_group, "exit_group"},
	{SYS_exit, "exit"},
#ifdef SYS_renameat
	{SYS_renameat, "renameat"},
#endif
#ifdef SYS_poll
	{SYS_poll, "poll"},
	{SYS_open, "open"},
#endif
};

const char *
call_name(uint64_t call)
{
	static char number[24];
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((uint64_t)names[i].call == call)
			return names[i].name;
	(void)snprintf(number, sizeof number, "call-%llu", (unsigned long long)call);
	return number;
}

static size_t
peek(pid_t id, uint64_t address, size_t size, unsigned char bytes[PEEK])
{
	struct iovec here = {bytes, size < PEEK ? size : PEEK}, there = {(void *)(uintptr_t)address, here.iov_len};
	ssize_t got = process_vm_readv(id, &here, 1, &there, 1, 0);

	return got > 0 ? (size_t)got : 0;
}

bool
call_is_request(pid_t id, const uint64_t args[6])
{
	unsigned char bytes[PEEK];
	size_t size = peek(id, args[1], (size_t)args[2], bytes);

	return (size > 5 && bytes[0] == 0x17 && bytes[1] == 3 && args[2] > REQUEST_MIN) ||
		(size > 5 && memcmp(bytes, "POST ", 5) == 0);
}

/* The kind in a record's payload, which begins with "for=7:pending": its length in hexadecimal, and then itself. NULL if it is
 * none. */
static const unsigned char *
kind_in(const unsigned char *bytes, size_t size, size_t *ret_length)
{
	const size_t start = strlen(RECORD_START);
	const unsigned char *kind;
	char *end;

	if (size <= start || memcmp(bytes, RECORD_START, start) != 0)
		return NULL;
	*ret_length = strtoul((const char *)bytes + start, &end, 16);
	kind = (const unsigned char *)end + 1;
	return *end == ':' && kind + *ret_length <= bytes + size ? kind : NULL;
}

bool
call_is_record(pid_t id, const uint64_t args[6], const char *kind)
{
	unsigned char bytes[PEEK + 1] = "";
	size_t length = 0, size = peek(id, args[2], (size_t)args[3], bytes);
	const unsigned char *found = kind_in(bytes, size, &length);

	return found && length == strlen(kind) && memcmp(found, kind, length) == 0;
}

static void
print_start(FILE *out, pid_t id, uint64_t address, size_t size)
{
	unsigned char bytes[PEEK];
	size_t i, got = peek(id, address, size < 5 ? size : 5, bytes);

	for (i = 0; i < got; i++)
		(void)fprintf(out, "%02x", bytes[i]);
}

/* "for=pending" of a record's payload. */
static void
print_record(FILE *out, pid_t id, uint64_t address, size_t size)
{
	unsigned char bytes[PEEK + 1] = "";
	size_t length = 0, got = peek(id, address, size, bytes);
	const unsigned char *kind = kind_in(bytes, got, &length);

	if (kind)
		(void)fprintf(out, RECORD_START "%.*s", (int)length, (const char *)kind);
}

void
call_print(FILE *out, pid_t id, uint64_t call, const uint64_t args[6], int64_t result)
{
	switch (call) {
	case SYS_sendto:
	case SYS_write:
		(void)fprintf(out, " %d ", (int)args[0]);
		print_start(out, id, args[1], (size_t)args[2]);
		if (call_is_request(id, args))
			(void)fputs(" request", out);
		break;
	case SYS_recvfrom:
	case SYS_read:
		(void)fprintf(out, " %d ", (int)args[0]);
		print_start(out, id, args[1], result > 0 ? (size_t)result : 0);
		break;
	case SYS_add_key:
		(void)fprintf(out, " %d %zu ", (int)args[4], (size_t)args[3]);
		print_record(out, id, args[2], (size_t)args[3]);
		break;
	case SYS_keyctl:
		(void)fprintf(out, " %d %d", (int)args[0], (int)args[1]);
		break;
	default:
		break;
	}
}
