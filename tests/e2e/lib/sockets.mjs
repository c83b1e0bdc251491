// SPDX-License-Identifier: MIT
//
// The TCP sockets that a process listens on, as the kernel tells: "127.0.0.1:8080", "[::1]:8080".

import fs from 'node:fs';
import os from 'node:os';

const LISTENING = '0A';
const LOOPBACK_6 = '00000000000000000000000001000000';

export const hasIPv6 = Object.values(os.networkInterfaces()).flat().some(({ address }) => address === '::1');

// Addresses stand there as 32-bit words in the machine's order of bytes (little endian).
function spell(address, port) {
  if (address.length === 8) return `${address.match(/../g).reverse().map((octet) => Number.parseInt(octet, 16)).join('.')}:${port}`;
  return `[${address === LOOPBACK_6 ? '::1' : address}]:${port}`;
}

export function listenersOf(pid) {
  const inodes = new Set(fs.readdirSync(`/proc/${pid}/fd`).map((number) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${number}`))?.[1];
    } catch {
      return undefined; // closed meanwhile
    }
  }));
  return ['tcp', 'tcp6'].flatMap((family) => {
    const rows = fs.readFileSync(`/proc/${pid}/net/${family}`, 'utf8').trim().split('\n').slice(1).map((row) => row.trim().split(/\s+/));
    return rows.filter(([, , , state, , , , , , inode]) => state === LISTENING && inodes.has(inode)).map(([, local]) => {
      const [address, port] = local.split(':');
      return spell(address, Number.parseInt(port, 16));
    });
  });
}
