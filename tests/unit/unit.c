/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAUGHT_MAX 65536
#define FOLDERS_OPEN_MAX 16

static char folder[UNIT_PATH_MAX];
static int caught = -1;
static int saved_stderr = -1;

static void
need(bool done, const char *what)
{
	if (!done) {
		(void)fprintf(stderr, "unit: %s: %s\n", what, strerror(errno));
		abort();
	}
}

static void
set_path(const char *variable, const char *name)
{
	char path[UNIT_PATH_MAX + 32];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	need(setenv(variable, path, 1) == 0, variable);
}

int
unit_enter(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	(void)snprintf(folder, sizeof folder, "%s/ringbearer-unit-XXXXXX", base ? base : "/tmp");
	need(mkdtemp(folder) != NULL, folder);
	need(chdir(folder) == 0, folder);
	set_path("HOME", "home");
	set_path("XDG_CONFIG_HOME", "config");
	set_path("RINGBEARER_PROVIDER_DIR", "shipped");
	(void)unsetenv("RINGBEARER_TRACE");
	(void)unsetenv("RINGBEARER_MODULE_DIR");
	return 0;
}

static int
remove_each(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

int
unit_leave(void **state)
{
	(void)state;
	need(chdir("/") == 0, "/");
	return nftw(folder, remove_each, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}

const char *
unit_folder(void)
{
	return folder;
}

void
unit_write(const char *path, const char *text, mode_t mode)
{
	char part[UNIT_PATH_MAX];
	char *slash;
	FILE *file;

	(void)snprintf(part, sizeof part, "%s", path);
	for (slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		need(part[0] == '\0' || mkdir(part, 0700) == 0 || errno == EEXIST, part);
		*slash = '/';
	}
	file = fopen(path, "we");
	need(file != NULL, path);
	need(fputs(text, file) >= 0 && fclose(file) == 0 && chmod(path, mode) == 0, path);
}

void
unit_stderr_catch(void)
{
	(void)fflush(stderr);
	caught = memfd_create("stderr", MFD_CLOEXEC);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	need(caught >= 0 && saved_stderr >= 0 && dup2(caught, STDERR_FILENO) >= 0, "stderr");
}

const char *
unit_stderr_release(void)
{
	static char text[CAUGHT_MAX];
	ssize_t got;

	(void)fflush(stderr);
	need(dup2(saved_stderr, STDERR_FILENO) >= 0, "stderr");
	got = pread(caught, text, sizeof text - 1, 0);
	need(got >= 0, "stderr");
	text[got] = '\0';
	(void)close(caught);
	(void)close(saved_stderr);
	return text;
}

void
unit_contains(const char *text, const char *part, bool wanted, const char *file, int line)
{
	if ((strstr(text, part) != NULL) == wanted)
		return;
	print_error("`%s` %s `%s`\n", text, wanted ? "lacks" : "must not contain", part);
	_fail(file, line);
}

bool
unit_passes_elsewhere(bool (*check)(void))
{
	pid_t child = fork();
	int status = 0;

	need(child >= 0, "fork");
	if (child == 0)
		_exit(check() ? 0 : 1);
	need(waitpid(child, &status, 0) == child, "waitpid");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
unit_has_keyring(void)
{
	long key = syscall(SYS_add_key, "user", "ringbearer-unit-probe", "x", 1, (long)KEY_SPEC_USER_KEYRING);

	if (key < 0)
		return false;
	(void)syscall(SYS_keyctl, KEYCTL_UNLINK, key, (long)KEY_SPEC_USER_KEYRING, 0, 0);
	return true;
}

bool
unit_refuse_keys(int code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_request_key, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)code),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
