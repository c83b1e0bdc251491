// SPDX-License-Identifier: MIT
//
// A way to a server that can be closed: the port stays known, and nobody listens there.

import net from 'node:net';

export class Relay {
  #target;
  #port = 0;
  #server;

  constructor(url) {
    this.#target = { host: new URL(url).hostname, port: Number(new URL(url).port) };
  }

  get host() { return `127.0.0.1:${this.#port}`; }

  // `connections`: after so many nobody listens any more.
  open(connections = Infinity) {
    let left = connections;
    this.#server = net.createServer((socket) => {
      left -= 1;
      if (left === 0) this.#server.close();
      const onward = net.connect(this.#target);
      for (const end of [socket, onward]) end.on('error', () => { socket.destroy(); onward.destroy(); });
      socket.pipe(onward).pipe(socket);
      socket.on('close', () => onward.destroy());
      onward.on('close', () => socket.destroy());
    });
    return new Promise((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = this.#server.address().port;
        resolve();
      });
    });
  }

  close() { this.#server.close(); }
}
