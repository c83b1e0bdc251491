/* SPDX-License-Identifier: MIT */
/*
 * unit-client ADDRESS SOCKET: connects to SOCKET as a service manager does for LoadCredential=, from the abstract address
 * ADDRESS (empty: from none), sends nothing, and copies what it reads to stdout.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX}, other = {.sun_family = AF_UNIX};
	int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buffer[4096];
	ssize_t size;

	if (argc != 3 || strlen(argv[1]) + 1 > sizeof own.sun_path || strlen(argv[2]) >= sizeof other.sun_path)
		return 2;
	memcpy(own.sun_path + 1, argv[1], strlen(argv[1]));
	memcpy(other.sun_path, argv[2], strlen(argv[2]));
	if (connection < 0 ||
		(argv[1][0] &&
			bind(connection, (struct sockaddr *)&own,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(argv[1]))) < 0) ||
		connect(connection, (struct sockaddr *)&other, sizeof other) < 0 || shutdown(connection, SHUT_WR) < 0) {
		fprintf(stderr, "unit-client: %s\n", strerror(errno));
		return 1;
	}
	while ((size = read(connection, buffer, sizeof buffer)) > 0)
		if (write(STDOUT_FILENO, buffer, (size_t)size) != size)
			return 1;
	return size < 0;
}
