// SPDX-License-Identifier: MIT
//
// A server that programs want to reach: behind TLS with the test certificate, and open to whoever brings a token that the
// authorization server takes at its own resource.
//
//     const server = await openGuarded(world, (request, response) => response.end('hello'));
//     server.url; server.seen; await server.close();
//
// `seen` has { method, path, token, status } of each request. `tokenOf` takes the token out of the value of
// Authorization; `refuse` writes the answer for a request without a good one; where `open` says so, none is needed.

import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';

const RESOURCE = '/rest/v2/segments';

const bearerOf = (value) => /^Bearer +(\S+)$/i.exec(value)?.[1];

// The password of Basic.
export function passwordOf(value) {
  const given = /^Basic +(\S+)$/i.exec(value)?.[1];
  const [, ...password] = Buffer.from(given ?? '', 'base64').toString().split(':');
  return password.join(':') || undefined;
}

function unauthorized(response) {
  response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"', 'content-type': 'text/plain' });
  response.end('the token is missing, expired or revoked\n');
}

export async function openGuarded(world, handler, { tokenOf = bearerOf, refuse = unauthorized, open = () => false } = {}) {
  const read = (name) => fs.readFileSync(path.join(path.dirname(world.caFile), name));
  const seen = [];
  const server = https.createServer({ key: read('server.key'), cert: read('server.pem') }, async (request, response) => {
    const token = tokenOf(request.headers.authorization ?? '');
    const good = token !== undefined && (await world.api(RESOURCE, token)).status === 200;
    response.on('finish', () => seen.push({ method: request.method, path: request.url, token, status: response.statusCode }));
    if (good || open(request)) handler(request, response, seen);
    else refuse(response);
  });
  server.on('tlsClientError', () => {});
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `https://127.0.0.1:${server.address().port}`,
    host: `127.0.0.1:${server.address().port}`,
    seen,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
