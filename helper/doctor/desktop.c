/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checks.h"
#include "cli/programs.h"
#include "person/browser.h"

#define SOCKET "systemd socket"
#define SOCKET_NAME "ringbearer/credentials.sock"

/* Does somebody listen at PATH? Nobody is connected to: that would start a service. */
static bool
is_listened_at(const char *path)
{
	FILE *file = fopen("/proc/net/unix", "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		found = strlen(line) > strlen(path) && strcmp(line + strlen(line) - strlen(path), path) == 0;
	}
	if (file)
		(void)fclose(file);
	return found;
}

void
rbr_check_socket(struct rbr_checkup *checkup, const char *unit)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	const bool root = geteuid() == 0;
	char path[PATH_MAX];
	struct stat status;

	if (root)
		(void)snprintf(path, sizeof path, "/run/" SOCKET_NAME);
	else if (runtime && *runtime)
		(void)snprintf(path, sizeof path, "%.3000s/" SOCKET_NAME, runtime);
	else
		(void)snprintf(path, sizeof path, "/run/user/%u/" SOCKET_NAME, geteuid());
	if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode) && is_listened_at(path))
		rbr_well(checkup, SOCKET, "systemd listens at %s", path);
	else
		rbr_ill(checkup, SOCKET, RINGBEARER_E_CONFIG,
			"%.80s is allowed a token and nobody listens at %s; run `systemctl %senable --now ringbearer.socket`",
			unit, path, root ? "" : "--user ");
}

void
rbr_check_browser(struct rbr_checkup *checkup)
{
	char path[PATH_MAX];

	if (rbr_browser_named())
		rbr_well(checkup, "browser", "BROWSER says: %.200s", rbr_browser_named());
	else if (!secure_getenv("DISPLAY") && !secure_getenv("WAYLAND_DISPLAY"))
		rbr_unchecked(checkup, "browser",
			"no display here: `ringbearer login` shows the address, or log in with --device");
	else if (rbr_find_program("xdg-open", X_OK, path))
		rbr_well(checkup, "browser", "%s opens one", path);
	else
		rbr_ill(checkup, "browser", RINGBEARER_E_CONFIG,
			"there is a display and no xdg-open; `apt install xdg-utils`, or set BROWSER");
}
