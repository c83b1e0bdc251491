/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a connection on a loopback address. */
#ifndef RBR_PEER_H
#define RBR_PEER_H

#include <stdbool.h>

/*
 * Does the other end of SOCKET belong to somebody else on this machine? The kernel's own table of connections says whose each
 * is. An end that belongs to us or to root is not somebody else's (who forwards a port for a browser elsewhere is one of the
 * two), nor is one that this machine has no owner for while it is connected. One that has gone away already belongs to nobody
 * who waits for an answer: that is somebody else. False where there is no such table.
 */
bool rbr_peer_is_another(int socket);

#endif
