// SPDX-License-Identifier: MIT
//
// Small servers on loopback for single tests: { url, port, seen, close }. They keep nobody waiting.

import http from 'node:http';
import net from 'node:net';

function opened(server, seen) {
  return new Promise((resolve) => {
    server.unref().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const close = () => { server.closeAllConnections?.(); server.close(); };
      resolve({ url: `http://127.0.0.1:${port}`, port, seen, close });
    });
  });
}

// Answers every request with this object as JSON.
export function jsonServer(answer) {
  const seen = [];
  return opened(http.createServer((request, response) => {
    seen.push(request.url);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer()));
  }), seen);
}

// An HTTP proxy that knows CONNECT only and notes where to.
export function connectProxy() {
  const seen = [];
  const server = http.createServer((request, response) => response.writeHead(405).end());
  server.on('connect', (request, socket) => {
    seen.push(request.url);
    const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(request.url);
    const onward = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => { onward.destroy(); socket.destroy(); });
  });
  return opened(server, seen);
}
