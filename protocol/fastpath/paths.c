/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "folders.h"

#include "paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A path from the environment counts if it is absolute (XDG Base Directory Specification). */
static const char *
environment_path(const char *name)
{
	const char *value = secure_getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

static int
put(char path[PATH_MAX], struct rbr_error *error, const char *a, const char *b, const char *c)
{
	if (strlen(a) + strlen(b) + strlen(c) >= PATH_MAX)
		return rbr_fail(error, RINGBEARER_E_CONFIG, "the path %.80s… is too long", a);
	(void)stpcpy(stpcpy(stpcpy(path, a), b), c);
	return 0;
}

static const char *
home(void)
{
	const char *base = environment_path("HOME");

	return base ? base : rbr_home();
}

static int
user_folder(const char *what, char path[PATH_MAX], struct rbr_error *error)
{
	const char *base = environment_path("XDG_CONFIG_HOME");

	if (base)
		return put(path, error, base, "/ringbearer/", what);
	base = home();
	if (!base)
		return rbr_fail(error, RINGBEARER_E_CONFIG, "there is no home folder; set HOME or XDG_CONFIG_HOME");
	return put(path, error, base, "/.config/ringbearer/", what);
}

int
rbr_path_state(enum rbr_place place, char ret_path[PATH_MAX], struct rbr_error *error)
{
	const char *base = environment_path("XDG_STATE_HOME");

	if (place == RBR_PLACE_SYSTEM)
		return put(ret_path, error, RBR_STATEDIR, "", "");
	if (base)
		return put(ret_path, error, base, "/ringbearer", "");
	base = home();
	if (!base)
		return rbr_fail(error, RINGBEARER_E_CONFIG, "there is no home folder; set HOME or XDG_STATE_HOME");
	return put(ret_path, error, base, "/.local/state/ringbearer", "");
}

const char *
rbr_path_credentials(void)
{
	return environment_path("CREDENTIALS_DIRECTORY");
}

int
rbr_path_folder(enum rbr_place place, const char *what, char ret_path[PATH_MAX], struct rbr_error *error)
{
	const char *shipped;

	switch (place) {
	case RBR_PLACE_USER:
		return user_folder(what, ret_path, error);
	case RBR_PLACE_SYSTEM:
		return put(ret_path, error, RBR_SYSCONFDIR, "/ringbearer/", what);
	case RBR_PLACE_SHIPPED:
		break;
	}
	shipped = environment_path("RINGBEARER_PROVIDER_DIR");
	return shipped ? put(ret_path, error, shipped, "", "") : put(ret_path, error, RBR_DATADIR, "/", what);
}

int
rbr_path_join(const char *folder, const char *name, char ret_path[PATH_MAX], struct rbr_error *error)
{
	return put(ret_path, error, folder, "/", name);
}

const char *
rbr_path_modules(void)
{
	const char *folder = environment_path("RINGBEARER_MODULE_DIR");

	return folder ? folder : RBR_MODULEDIR;
}

int
rbr_path_make(const char *path, struct rbr_error *error)
{
	char part[PATH_MAX];
	char *slash;
	int rc = put(part, error, path, "", "");

	if (rc < 0)
		return rc;
	for (slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return rbr_fail(
				error, RINGBEARER_E_CONFIG, "the folder %s cannot be made: %s", part, strerror(errno));
		if (!slash)
			return 0;
		*slash = '/';
	}
}
