/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "checks.h"

#define SUBJECT "D-Bus"
#define ADDRESS_MAX 512

/* Where an address of the D-Bus specification leads, if that is a socket on this machine: "unix:path=…", "unix:abstract=…". */
static bool
read_address(const char *address, struct sockaddr_un *ret_socket, socklen_t *ret_size)
{
	static const char path[] = "unix:path=", abstract[] = "unix:abstract=";
	const bool is_path = strncmp(address, path, sizeof path - 1) == 0;
	const char *name = address + (is_path ? sizeof path : sizeof abstract) - 1;
	size_t size;

	if (!is_path && strncmp(address, abstract, sizeof abstract - 1) != 0)
		return false;
	size = strcspn(name, ",;");
	if (size == 0 || size + 1 >= sizeof ret_socket->sun_path || memchr(name, '%', size))
		return false;
	*ret_socket = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret_socket->sun_path + (is_path ? 0 : 1), name, size);
	*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
	return true;
}

/* Where the keyring's module looks for it: what is named, else what lies in the folder of the session. NULL if there is none. */
static const char *
find_address(char usual[ADDRESS_MAX])
{
	static const char prefix[] = "unix:path=";
	const char *address = secure_getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = secure_getenv("XDG_RUNTIME_DIR");
	int length;

	if (address && *address)
		return address;
	if (runtime && *runtime)
		length = snprintf(usual, ADDRESS_MAX, "%s%s/bus", prefix, runtime);
	else
		length = snprintf(usual, ADDRESS_MAX, "%s/run/user/%u/bus", prefix, geteuid());
	return length < ADDRESS_MAX && access(usual + sizeof prefix - 1, F_OK) == 0 ? usual : NULL;
}

bool
rbr_bus_is_absent(void)
{
	char usual[ADDRESS_MAX];

	return !find_address(usual);
}

void
rbr_check_bus(struct rbr_checkup *checkup)
{
	RBR_CLEANUP(rbr_close) int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char usual[ADDRESS_MAX];
	const char *address = find_address(usual);
	struct sockaddr_un where;
	socklen_t size;

	if (!address) {
		rbr_unchecked(checkup, SUBJECT, "no session here: no keyring service, no windows, no notices");
		return;
	}
	if (!read_address(address, &where, &size))
		rbr_unchecked(
			checkup, SUBJECT, "the session's address is of a kind that is not looked at: %.100s", address);
	else if (connection < 0 || connect(connection, (const struct sockaddr *)&where, size) < 0)
		rbr_ill(checkup, SUBJECT, RINGBEARER_E_STORE_UNAVAILABLE,
			"%.100s does not answer (%s); log in anew, or run `systemctl --user start dbus.socket`",
			address, strerror(errno));
	else
		rbr_well(checkup, SUBJECT, "the session answers at %.100s", address);
}
