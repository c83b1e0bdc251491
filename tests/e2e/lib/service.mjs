// SPDX-License-Identifier: MIT
//
// A small OAuth service for tests that need one of their own, on an origin of its own, which writes down what it was sent:
//
//     const service = await Service.start();
//     service.metadata = { revocation_endpoint: `${other.origin}/revoke` };   // beside the usual ones
//     service.forms('/revoke')   // what arrived there
//
// It answers at /auth (consents at once), /token (rotates), /device and /revoke; everything else that it is asked for is
// in `routes`: path -> (request, response).

import fs from 'node:fs';
import http from 'node:http';

const json = (response, status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(typeof value === 'string' ? value : JSON.stringify(value));

export class Service {
  metadata = {};
  routes = {};
  requests = [];
  #issued = 0;

  static async start() {
    const service = new Service();
    service.server = http.createServer((request, response) => service.#answer(request, response));
    await new Promise((resolve) => { service.server.listen(0, '127.0.0.1', resolve); });
    service.origin = `http://127.0.0.1:${service.server.address().port}`;
    return service;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  document() {
    return { issuer: this.origin, authorization_endpoint: `${this.origin}/auth`, token_endpoint: `${this.origin}/token`, ...this.metadata };
  }

  forms(path) { return this.requests.filter((one) => one.path === path).map(({ form }) => form); }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, this.origin);
    this.requests.push({ path: url.pathname, headers: request.headers, form: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())) });
    const own = this.routes[url.pathname];
    if (own) return own(request, response);
    if (url.pathname.startsWith('/.well-known/')) return json(response, 200, this.document());
    return this.#serve(url, response);
  }

  #serve(url, response) {
    this.#issued += 1;
    switch (url.pathname) {
      case '/auth': {
        const back = new URL(url.searchParams.get('redirect_uri'));
        back.search = new URLSearchParams({ code: `code-${this.#issued}`, state: url.searchParams.get('state') });
        return response.writeHead(302, { location: back.href }).end();
      }
      case '/token':
        return json(response, 200, { access_token: `access-${this.#issued}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `refresh-${this.#issued}` });
      case '/device':
        return json(response, 200, { device_code: 'device', user_code: 'CODE', verification_uri: 'https://example.com/', interval: 1, expires_in: 60 });
      case '/revoke':
        return json(response, 200, {});
      default:
        return json(response, 404, {});
    }
  }
}

// A browser that goes where it is sent, redirects and all: the environment for it.
export function robot(world) {
  const file = `${world.dir}/bin/robot`;
  fs.writeFileSync(file, `#!${process.execPath}
const http = require('node:http');
const go = (url, left) => http.get(url, (answer) => { answer.resume(); if (answer.headers.location && left) go(new URL(answer.headers.location, url), left - 1); });
go(process.argv[2], 5);
`, { mode: 0o700 });
  return { BROWSER: file };
}
