/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_MAX 48 /* an address and a port as the table has them, with a NUL */
#define LOOKS 2 /* the table is not read in one piece: what it lacks is looked for once more */

/* ADDRESS as proc(5) writes it into /proc/net/tcp and tcp6. */
static void
write_end(const struct sockaddr_storage *address, char end[END_MAX])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint32_t words[4];

	if (address->ss_family == AF_INET) {
		memcpy(&v4, address, sizeof v4);
		(void)snprintf(end, END_MAX, "%08X:%04X", (unsigned)v4.sin_addr.s_addr, ntohs(v4.sin_port));
		return;
	}
	memcpy(&v6, address, sizeof v6);
	memcpy(words, &v6.sin6_addr, sizeof words);
	(void)snprintf(
		end, END_MAX, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3], ntohs(v6.sin6_port));
}

enum finding { NO_TABLE, NOT_THERE, OURS, ANOTHERS };

/* What the table in FILE says of the connection from THEIRS to MINE. */
static enum finding
look_up(const char *file, const char *theirs, const char *mine)
{
	FILE *table = fopen(file, "re");
	enum finding finding = NOT_THERE;
	char line[512], local[END_MAX], remote[END_MAX];
	unsigned owner;
	unsigned long inode;

	if (!table)
		return NO_TABLE;
	while (finding == NOT_THERE && fgets(line, sizeof line, table))
		if (sscanf(line, " %*d: %47s %47s %*x %*s %*s %*s %u %*d %lu", local, remote, &owner, &inode) == 4 &&
			strcmp(local, theirs) == 0 && strcmp(remote, mine) == 0)
			finding = inode != 0 && (owner == geteuid() || owner == 0) ? OURS : ANOTHERS;
	(void)fclose(table);
	return finding;
}

static bool
is_connected(int socket)
{
	struct tcp_info info;
	socklen_t size = sizeof info;

	memset(&info, 0, sizeof info);
	return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_ESTABLISHED;
}

bool
rbr_peer_is_another(int socket)
{
	struct sockaddr_storage there, here;
	socklen_t there_size = sizeof there, here_size = sizeof here;
	char theirs[END_MAX], mine[END_MAX];
	enum finding finding = NOT_THERE;
	int i;

	memset(&there, 0, sizeof there);
	memset(&here, 0, sizeof here);
	if (getpeername(socket, (struct sockaddr *)&there, &there_size) < 0 ||
		getsockname(socket, (struct sockaddr *)&here, &here_size) < 0)
		return true;
	write_end(&there, theirs);
	write_end(&here, mine);
	for (i = 0; i < LOOKS && finding == NOT_THERE; i++)
		finding = look_up(there.ss_family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", theirs, mine);
	return finding == ANOTHERS || (finding == NOT_THERE && !is_connected(socket));
}
