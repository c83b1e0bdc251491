// SPDX-License-Identifier: MIT
//
// The listeners: each on a free loopback port, as the kernel gives it. The port becomes part of
// the issuer, so handlers are attached once it is known.
//
//   control                        http, see control.mjs
//   a, b                           https, certificate for localhost, 127.0.0.1 and ::1
//   a6, b6                         the same on [::1], where the machine has it
//   a-plain, b-plain               http, with issuers of their own and the same applications and tokens
//   a-rogue, a-expired, a-wronghost  tenant a behind a certificate that a client must refuse
//   silent                         accepts connections and never says a word

import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { controlHandler } from './control.mjs';
import { makeHandler } from './provider.mjs';

const IPV4 = '127.0.0.1';
const IPV6 = '::1';

function listen(server, host, port = 0) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server.address().port));
  });
}

// A client that goes away half-way is business as usual here.
function makeServer(tls) {
  const server = tls ? https.createServer({ ...tls, minVersion: 'TLSv1.2' }) : http.createServer();
  server.on('tlsClientError', () => {});
  server.on('clientError', (error, socket) => socket.destroy());
  return server;
}

export async function openListeners(site, directory) {
  const read = (name) => fs.readFileSync(path.join(directory, name));
  const certificate = (name) => ({ key: read('server.key'), cert: read(`${name}.pem`) });
  const urls = {};
  const servers = [];

  const open = async (name, tls, handlerFor, host = IPV4, wantedPort = 0) => {
    const server = makeServer(tls);
    const port = await listen(server, host, wantedPort);
    urls[name] = `${tls ? 'https' : 'http'}://${host === IPV6 ? `[${IPV6}]` : host}:${port}`;
    server.on('request', handlerFor(urls[name]));
    servers.push(server);
    return port;
  };
  const fresh = (tenant) => (issuer) => makeHandler(site, tenant, issuer);

  await open('control', undefined, () => controlHandler(site));
  site.sinkUrl = `${urls.control}/sink`;
  for (const tenant of Object.values(site.tenants)) {
    let handler;
    const port = await open(tenant.id, certificate('server'), (issuer) => { handler = makeHandler(site, tenant, issuer); return handler; });
    await open(`${tenant.id}6`, certificate('server'), () => handler, IPV6, port).catch(() => {});
    await open(`${tenant.id}-plain`, undefined, fresh(tenant));
  }
  for (const name of ['rogue', 'expired', 'wronghost']) await open(`a-${name}`, certificate(name), fresh(site.tenants.a));

  const silent = net.createServer((socket) => socket.on('error', () => {}));
  urls.silent = `https://${IPV4}:${await listen(silent, IPV4)}`;
  return urls;
}
