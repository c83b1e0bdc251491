// SPDX-License-Identifier: MIT
//
// A service whose answer never ends: in its header lines, in trailers, in answers before the answer, in the framing between
// two bytes of the body. The request ends soon, with little taken and one line that says what came, at every endpoint.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from '../e2e/lib/accounts.mjs';
import { rawServer } from '../e2e/lib/loopback.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const MIB = 1024 * 1024;
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

// How each begins and what it then repeats, and whether a body is complete before it.
const floods = {
  'trailers': [`${CHUNKED}2\r\n{}\r\n0\r\n`, `X-Trailer: ${'t'.repeat(1000)}\r\n`],
  'header lines': [OK, `X-Header: ${'h'.repeat(1000)}\r\n`],
  'empty header lines': [OK, 'X-Header:\r\n'],
  'one header line': [`${OK}X-Header: `, 'h'.repeat(1000)],
  'a folded header line': [`${OK}X-Header: h\r\n`, ` ${'h'.repeat(1000)}\r\n`],
  'interim answers': ['', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
  'bare interim answers': ['', 'HTTP/1.1 100 Continue\r\n\r\n'],
  'chunk extensions': [`${CHUNKED}2`, `;extension=${'e'.repeat(1000)}`],
  'a body': [`${OK}\r\n`, 'b'.repeat(1000)],
  'a body in chunks of one byte': [CHUNKED, '1\r\nb\r\n'],
};
const endpoints = {
  token: ['token'], device: ['login'], revocation: ['logout'], discovery: ['token'],
};

let world;
let server;
let flood;
let written; // bytes that went out, of the last request

function pour(socket) {
  const [begin, more] = flood;
  const block = Buffer.from(more.repeat(Math.ceil(16384 / more.length)));
  const pump = () => { while (!socket.destroyed && socket.writable && socket.write(block)); };
  socket.on('drain', pump).on('close', () => { written.push(socket.bytesWritten); });
  socket.write(begin);
  pump();
}

before(async () => {
  world = await World.create({ servers: false });
  server = await rawServer((socket) => pour(socket));
});
after(async () => {
  server.close();
  await closeWorld(world);
});

describe('a flood ends soon', () => {
  for (const [endpoint, [command]] of Object.entries(endpoints)) {
    for (const [what, one] of Object.entries(floods)) {
      if (endpoint !== 'token' && !['trailers', 'header lines', 'interim answers', 'chunk extensions'].includes(what)) continue;
      test(`${what}, from the ${endpoint} endpoint`, async () => {
        const name = unique(`flood-${endpoint}-${Object.keys(floods).indexOf(what)}`);
        const places = endpoint === 'discovery' ? { issuer: server.url }
          : { token_endpoint: `${server.url}/t`, device_authorization_endpoint: `${server.url}/d`, revocation_endpoint: `${server.url}/r` };
        world.account(name, { provider: 'oauth2', grant: 'device_code', client_id: 'made-up', client_auth: 'none', ...places });
        if (endpoint !== 'discovery') await world.request({ account: name, refresh_token: 'made-up-refresh' }, { verb: 'store' });
        [flood, written] = [one, []];
        const { code, stderr } = await world.run([command, name], { timeout: 20000 });
        assert.notEqual(code, null, 'it ends by itself');
        assert.ok(code !== 0 && code !== 1, `exit ${code}: ${stderr}`);
        if (endpoint !== 'discovery') assert.match(stderr, /more than|longer than|no HTTP|used up|lost/);
        for (const bytes of written) assert.ok(bytes < 16 * MIB, `${bytes} bytes went out`);
      });
    }
  }
});
