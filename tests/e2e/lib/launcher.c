/* SPDX-License-Identifier: MIT */
/*
 * launcher deny ERRNO COMMAND…   runs COMMAND where add_key, request_key and keyctl fail with this number, as in containers
 * launcher session COMMAND…      in a new session keyring, from which no path leads to the user keyring
 * launcher full COMMAND…         while the user's quota of keys is used up
 * launcher secure                prints whether it runs in secure execution (AT_SECURE)
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS_MAX 1024
#define PAYLOAD_MAX 4096
#define ROUNDS 4
#define PAUSE_US 20000

static int
deny(int number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_request_key, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)number),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof code[0], code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static long
add(const char *description, size_t size)
{
	static const char payload[PAYLOAD_MAX];

	return syscall(SYS_add_key, "user", description, payload, size, (long)KEY_SPEC_USER_KEYRING);
}

/* Adds keys to the COUNT that are there, large ones first, until not even a small one fits. */
static int
fill(long keys[KEYS_MAX], int count)
{
	size_t size = PAYLOAD_MAX;
	char name[64];

	while (count < KEYS_MAX && size > 0) {
		(void)snprintf(name, sizeof name, "ringbearer-test-%d-%d", (int)getpid(), count);
		keys[count] = add(name, size);
		if (keys[count] >= 0)
			count++;
		else if (errno == EDQUOT)
			size /= 2;
		else
			return -1;
	}
	return count;
}

static int
run_full(char **command)
{
	long keys[KEYS_MAX];
	int count = 0, status = 0, i;
	pid_t child;

	/* Keys that were just dropped free their share a moment later. */
	for (i = 0; i < ROUNDS && count >= 0; i++) {
		count = fill(keys, count);
		(void)usleep(PAUSE_US);
	}
	child = count < 0 ? -1 : fork();
	if (child == 0) {
		(void)execvp(command[0], command);
		_exit(127);
	}
	if (child > 0)
		(void)waitpid(child, &status, 0);
	for (i = 0; i < count; i++)
		(void)syscall(SYS_keyctl, KEYCTL_INVALIDATE, keys[i]);
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int skip = 2;

	if (strcmp(mode, "secure") == 0)
		return printf("%lu\n", getauxval(AT_SECURE)) < 0;
	if (strcmp(mode, "full") == 0 && argc > 2)
		return run_full(argv + 2);
	if (strcmp(mode, "deny") == 0 && argc > 3 && deny(atoi(argv[2])) == 0)
		skip = 3;
	else if (strcmp(mode, "session") != 0 || syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return 126;
	(void)execvp(argv[skip], argv + skip);
	return 127;
}
