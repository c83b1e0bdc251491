// SPDX-License-Identifier: MIT
//
// The attacker runs an authorization server, or writes an issuer's metadata, and somebody logs in there: what comes back, and
// what a browser and a terminal are given of it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { altered, Login } from '../e2e/lib/login.mjs';
import { Service } from '../e2e/lib/service.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

let [number, world, service] = [0];

before(async () => { [world, service] = await Promise.all([World.create({ servers: false }), Service.start()]); });
after(async () => { service.stop(); await world.close(); });

async function add(extra = {}) {
  number += 1;
  const name = unique(`service-login-${number}`);
  world.account(name, {
    provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up', match: 'https://api.example.com/',
    authorization_endpoint: `${service.origin}/auth`, token_endpoint: `${service.origin}/token`, ...extra,
  });
  return name;
}

describe('an answer of another service (mix-up, RFC 9700 section 4.4)', () => {
  const foreign = ['https://honest.example', 'https://127.0.0.1', 'http://127.0.0.1:1', 'nonsense', ''];
  test('is refused where the account knows no issuer: the code and the verifier stay here', async () => {
    const name = await add();
    for (const iss of [...foreign, `${service.origin}.attacker.test`, `${service.origin}/?x`, `http://x@${new URL(service.origin).host}`]) {
      const { code, stderr, page } = await Login.complete(world, name, { change: altered({ iss }) });
      assert.equal(code, 6, `${iss}: ${stderr}`);
      assert.match(stderr, /another service/);
      assert.match(page.body, /did not work/);
    }
    assert.deepEqual(service.forms('/token'), []);
    for (const iss of [service.origin, `${service.origin}/any`]) assert.equal((await Login.complete(world, name, { change: altered({ iss }) })).code, 0);
  });

  test('is refused before its error is believed or shown', async () => {
    const name = await add();
    const { code, stderr, page } = await Login.complete(world, name, { change: altered({ code: null, error: 'access_denied', error_description: 'call 555-0100', iss: foreign[0] }) });
    assert.equal(code, 6);
    assert.match(stderr, /another service \(https:\/\/honest\.example\)/);
    assert.doesNotMatch(stderr, /555-0100|access_denied|consent/);
    assert.doesNotMatch(page.body, /not granted/);
  });

  test('comes to an address of its own account', async () => {
    const name = await add();
    const { parameters } = await Login.complete(world, name);
    assert.equal(new URL(parameters.redirect_uri).pathname, `/callback/${name}`);
  });
});

describe('an address with more in it than addresses have', () => {
  const tricks = { blanks: ' --new-window', quotes: '"\'`', 'a command': '`id`|<x>', 'an escape': '\u001b]0;t\u0007', 'a header': '\r\nSet-Cookie: a=b', 'a fragment': '#x', 'other letters': '\u202ex' };
  test('from metadata: it reaches no browser, no terminal and no header', async () => {
    const report = `${world.dir}/opened`;
    const file = `${world.dir}/bin/reporter`;
    fs.writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$@" >>${report}\n`, { mode: 0o700 });
    for (const [what, trick] of Object.entries(tricks)) {
      service.metadata = { authorization_endpoint: `${service.origin}/auth?x=${trick}` };
      const issuer = `${service.origin}/${encodeURIComponent(what)}`;
      service.routes[`/.well-known/oauth-authorization-server/${encodeURIComponent(what)}`] = (request, response) => response.end(JSON.stringify({ ...service.document(), issuer }));
      const name = await add({ issuer, authorization_endpoint: [], token_endpoint: [] });
      const { code, stderr } = await world.run(['login', name], { env: { BROWSER: file }, timeout: 10000 });
      assert.equal(code, 7, `${what}: ${stderr}`);
      assert.doesNotMatch(stderr, /Open this|Your browser/, what);
      assert.ok(!stderr.includes(trick), what);
    }
    assert.equal(fs.existsSync(report), false);
  });
});
