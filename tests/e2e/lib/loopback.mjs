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

// A service: ANSWER(path, form, response) is called with each request's whole form.
export function formServer(answer) {
  const seen = [];
  return opened(http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
      seen.push({ path: request.url, form });
      answer(request.url, form, response);
    });
  }), seen);
}

// An answer of formServer()'s: BODY as it is if it is a text or bytes, otherwise as JSON.
export function reply(response, status, body = '') {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

// A listener that lets BEGIN(socket) do as it likes once a request has come.
export function rawServer(begin) {
  const seen = [];
  return opened(net.createServer((socket) => {
    socket.on('error', () => {}).once('data', (data) => {
      seen.push(String(data).split(' ')[1]);
      begin(socket, seen.at(-1));
    });
  }), seen);
}
