/* SPDX-License-Identifier: MIT */
/*
 * Secrets that somebody else has put into files: `store = credentials`. systemd does so for a service (LoadCredential=,
 * LoadCredentialEncrypted=), Docker and Kubernetes for a container (/run/secrets). It is only read: store, erase and list are
 * not supported.
 *
 * The file ACCOUNT.KIND has the secret and nothing else. It cannot say what the secret is bound to; who puts it there names the
 * account, and who can edit the account decides where it goes. A file ACCOUNT.endpoint beside it binds it all the same: the
 * secret is absent for any other endpoint. What the machine keeps for a store that is elsewhere is in STORE.seal_key and
 * STORE.store_password.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/module.h"

#define ENDPOINT "endpoint"
#define ELSEWHERE "store:" /* begins the account of what is no account's, and would be no name of a credential */
#define SECRET_MAX 66000 /* bytes; what is longer is no secret */

static const struct ringbearer_host *host;

static int
fail(struct ringbearer_call *call, const char *path, const char *what)
{
	return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE, "the secret in %s %s", path, what);
}

static int
fail_system(struct ringbearer_call *call, const char *path, int number)
{
	return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
		"the secret in %s cannot be read: %s; see that whoever runs this may", path, strerror(number));
}

/* One newline at the end is the editor's. */
static size_t
without_newline(const char *text, size_t size)
{
	if (size > 0 && text[size - 1] == '\n')
		size--;
	if (size > 0 && text[size - 1] == '\r')
		size--;
	return size;
}

static int
take(struct ringbearer_call *call, const char *path, int file, struct ringbearer_secret **ret_value)
{
	char text[SECRET_MAX + 1];
	struct stat status;
	size_t size = 0;
	ssize_t got = 1;
	int rc = 0;

	if (fstat(file, &status) < 0)
		return fail_system(call, path, errno);
	if (!S_ISREG(status.st_mode))
		return fail(call, path, "is no regular file; put the secret into one");
	if (status.st_mode & S_IWOTH)
		return fail(call, path, "can be written by anybody; have it put there with a mode such as 0400");
	while (size < sizeof text && got != 0) {
		got = read(file, text + size, sizeof text - size);
		if (got < 0 && errno != EINTR)
			break;
		size += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		rc = fail_system(call, path, errno);
	else if (size > SECRET_MAX)
		rc = fail(call, path, "is too long to be one; put the secret alone into the file");
	else if (without_newline(text, size) == 0)
		rc = fail(call, path, "is empty; have the secret put there");
	else if (!(*ret_value = host->secret_new(text, without_newline(text, size))))
		rc = host->fail(call, RINGBEARER_E_SYSTEM, "out of memory");
	explicit_bzero(text, sizeof text);
	return rc;
}

/* RINGBEARER_E_NO_SECRET if there is no such file. */
static int
read_file(struct ringbearer_call *call, const char *path, struct ringbearer_secret **ret_value)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc;

	if (file < 0)
		return errno == ENOENT ? RINGBEARER_E_NO_SECRET : fail_system(call, path, errno);
	rc = take(call, path, file, ret_value);
	(void)close(file);
	return rc;
}

static int
find_folder(struct ringbearer_call *call, char folder[PATH_MAX])
{
	const char *named = host->config(call, "store_folder", 0);
	struct stat status;

	if (!named)
		named = host->config(call, "credentials_folder", 0);
	if (!named)
		return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
			"there are no credentials: this is no service that systemd has given some; use LoadCredential= in its unit, or set "
			"`store_folder`, such as /run/secrets");
	if (snprintf(folder, PATH_MAX, "%s", named) >= PATH_MAX || stat(folder, &status) < 0)
		return host->fail(call, RINGBEARER_E_STORE_UNAVAILABLE,
			"the folder of credentials %s cannot be read: %s; mend `store_folder`, or the unit", named,
			strerror(errno));
	return 0;
}

/* Is the secret meant for another place? */
static int
check_binding(struct ringbearer_call *call, const struct ringbearer_item *item, const char *folder)
{
	struct ringbearer_secret *endpoint = NULL;
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof path, "%s/%s." ENDPOINT, folder, item->account) >= (int)sizeof path)
		return RINGBEARER_E_NO_SECRET;
	rc = read_file(call, path, &endpoint);
	if (rc == RINGBEARER_E_NO_SECRET)
		return 0;
	if (rc == 0 && strcmp(host->secret_data(endpoint), item->endpoint) != 0) {
		host->log(
			call, RINGBEARER_LOG_TRACE, "%s binds the secret to another endpoint than the account's", path);
		rc = RINGBEARER_E_NO_SECRET;
	}
	host->secret_free(endpoint);
	return rc;
}

static int
lookup(struct ringbearer_call *call, const struct ringbearer_item *item, struct ringbearer_secret **ret_value)
{
	bool elsewhere = strncmp(item->account, ELSEWHERE, sizeof ELSEWHERE - 1) == 0;
	const char *name = item->account + (elsewhere ? sizeof ELSEWHERE - 1 : 0);
	char folder[PATH_MAX], path[PATH_MAX];
	int rc = find_folder(call, folder);

	if (rc < 0)
		return rc;
	/* What git stores is named by URLs: there is none of it here. */
	if (strchr(name, '/') || strchr(item->kind, '/') || name[0] == '.' ||
		snprintf(path, sizeof path, "%s/%s.%s", folder, name, item->kind) >= (int)sizeof path)
		return RINGBEARER_E_NO_SECRET;
	rc = check_binding(call, item, folder);
	return rc < 0 ? rc : read_file(call, path, ret_value);
}

static const struct ringbearer_store operations = {.size = sizeof operations, .lookup = lookup};

static const struct ringbearer_module module = {
	.abi = RINGBEARER_MODULE_ABI,
	.size = sizeof module,
	.name = "store-credentials",
	.family = "store",
	.operations = &operations,
};

const struct ringbearer_module *
ringbearer_module_init(uint32_t host_abi, const struct ringbearer_host *given_host)
{
	if (host_abi >> 16 != RINGBEARER_MODULE_ABI_MAJOR)
		return NULL;
	host = given_host;
	return &module;
}
