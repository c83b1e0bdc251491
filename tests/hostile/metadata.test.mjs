// SPDX-License-Identifier: MIT
//
// The attacker writes an issuer's metadata, from the start or later on: no secret follows them away from the token endpoint
// that it is bound to.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { onTerminal } from '../e2e/lib/terminal.mjs';
import { World } from '../e2e/lib/world.mjs';
import { robot, Service } from '../e2e/lib/service.mjs';

const SECRET = 'made-up-client-secret';
const REFRESH = 'made-up-refresh-token';
let [number, world, issuer, home, elsewhere, name] = [0];

before(async () => { world = await World.create({ servers: false }); });
after(() => world.close());
beforeEach(async () => {
  number += 1;
  name = unique(`metadata-${number}`);
  [issuer, home, elsewhere] = await Promise.all([Service.start(), Service.start(), Service.start()]);
  // Its origin comes again with its port, and metadata of the one before it would be remembered for a day.
  issuer.metadata = { issuer: `${issuer.origin}/${name}`, authorization_endpoint: `${home.origin}/auth`, token_endpoint: `${home.origin}/token` };
});
afterEach(() => { for (const service of [issuer, home, elsewhere]) service.stop(); });

const keys = (extra = {}) => ({
  provider: 'oauth2', grant: 'authorization_code', client_auth: 'client_secret_post', client_id: 'made-up',
  issuer: issuer.metadata.issuer, match: 'https://api.example.com/', ...extra,
});
const lead = (change) => { issuer.metadata = { ...issuer.metadata, ...change }; };
const store = (secrets) => world.request({ account: name, ...secrets }, { verb: 'store' });
const login = (...args) => world.run(['login', name, ...args], { env: robot(world) });
const nothingWent = () => assert.deepEqual(elsewhere.requests, [], 'nothing may reach the other place');

async function addAndLogIn(extra) {
  await world.add(name, keys(extra), SECRET);
  const { code, stderr } = await login();
  assert.equal(code, 0, stderr);
}

describe('an endpoint that metadata lead elsewhere', () => {
  test('is sent no token and no client secret by logout, which forgets all the same', async () => {
    lead({ revocation_endpoint: `${elsewhere.origin}/revoke` });
    world.account(name, keys({ token_endpoint: `${home.origin}/token` }));
    await store({ client_secret: SECRET, refresh_token: REFRESH });
    const { code, stderr } = await world.run(['logout', name]);
    assert.equal(code, 7, stderr);
    assert.match(stderr, /forgotten here, but .*`revocation_endpoint`.*add revocation_endpoint = http/);
    nothingWent();
    assert.equal((await world.run(['token', name])).code, 3, 'the refresh token is gone');
  });

  test('is sent no client secret by a login with a device', async () => {
    lead({ device_authorization_endpoint: `${elsewhere.origin}/device` });
    world.account(name, keys({ token_endpoint: `${home.origin}/token` }));
    await store({ client_secret: SECRET });
    const { code, stderr } = await login('--device');
    assert.equal(code, 7, stderr);
    assert.match(stderr, /`device_authorization_endpoint`/);
    nothingWent();
  });

  test('may be asked for a code by a client that has no secret', async () => {
    lead({ device_authorization_endpoint: `${elsewhere.origin}/device` });
    elsewhere.routes['/device'] = (request, response) => response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_scope"}');
    world.account(name, keys({ client_auth: 'none' }));
    await login('--device');
    assert.deepEqual(elsewhere.forms('/device').map((form) => Object.keys(form)), [['client_id', 'code_challenge', 'code_challenge_method']]);
  });

  test('is not followed when it moves after the login', async () => {
    lead({ revocation_endpoint: `${home.origin}/revoke` });
    await addAndLogIn();
    lead({ revocation_endpoint: `${elsewhere.origin}/revoke` });
    await world.must(['refresh', name, '--metadata']);
    assert.equal((await world.run(['logout', name])).code, 7);
    nothingWent();
  });

  test('is another place with another port, scheme or user name, and with a name that only begins alike', async () => {
    world.account(name, keys({ token_endpoint: `${home.origin}/token` }));
    for (const place of [`https://127.0.0.1:${new URL(home.origin).port}/revoke`, `${elsewhere.origin}/revoke`, `https://127.0.0.1.example.com/revoke`]) {
      lead({ revocation_endpoint: place });
      await store({ client_secret: SECRET, refresh_token: REFRESH });
      world.account(name, keys({ token_endpoint: `${home.origin}/token`, scope: `scope-${number += 1}` }));
      assert.equal((await world.run(['erase', `--account=${name}`])).code, 0);
      await world.run(['refresh', name, '--metadata']);
      const { code, stderr } = await world.run(['logout', name]);
      assert.equal(code, 7, stderr);
      assert.match(stderr, /`revocation_endpoint`/, place);
    }
    nothingWent();
  });
});

test('a token endpoint that metadata move finds no secret', async () => {
  await addAndLogIn();
  lead({ token_endpoint: `${elsewhere.origin}/token` });
  assert.equal((await world.run(['refresh', name, '--metadata'])).code, 4, 'the client secret is not found');
  await store({ client_secret: SECRET });
  assert.equal((await world.run(['refresh', name])).code, 3, 'nor is the refresh token');
  nothingWent();
});

describe('another place takes secrets', () => {
  test('where the account names it', async () => {
    await addAndLogIn({ revocation_endpoint: `${elsewhere.origin}/revoke` });
    await world.must(['logout', name]);
    assert.ok(elsewhere.forms('/revoke').some(({ token, client_secret }) => token.startsWith('refresh-') && client_secret === SECRET));
  });

  test('where its provider names it', async () => {
    const folder = `${world.env.XDG_CONFIG_HOME}/ringbearer/providers`;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    fs.writeFileSync(`${folder}/two-places`, `client_auth = client_secret_post\nrevocation_endpoint = ${elsewhere.origin}/revoke\n`, { mode: 0o600 });
    await addAndLogIn({ provider: 'two-places' });
    await world.must(['logout', name]);
    assert.ok(elsewhere.forms('/revoke').length > 0);
  });

  test('where a person confirmed it at the login, and there alone', async () => {
    lead({ revocation_endpoint: `${elsewhere.origin}/revoke` });
    const answer = async (word) => {
      const { code, output } = await onTerminal(world, ['login', name], [[/Type yes .*: $/s, `${word}\n`]], { env: robot(world) });
      assert.equal(code, 0, output);
      assert.ok(output.includes(`${elsewhere.origin}/revoke`), output);
    };
    await world.add(name, keys(), SECRET);
    await answer('no');
    assert.equal((await world.run(['logout', name])).code, 7);
    nothingWent();
    await answer('yes');
    await world.must(['logout', name]);
    assert.ok(elsewhere.forms('/revoke').some(({ token }) => token.startsWith('refresh-')));
    const { length } = elsewhere.requests;
    await answer('yes');
    lead({ revocation_endpoint: `${elsewhere.origin}/another` });
    await world.must(['refresh', name, '--metadata']);
    assert.equal((await world.run(['logout', name])).code, 7, 'it was another one that was confirmed');
    lead({ revocation_endpoint: `${elsewhere.origin}/revoke` });
    await answer('yes');
    await store({ refresh_token: REFRESH });
    assert.equal((await world.run(['logout', name])).code, 7, 'this token came without a login');
    assert.equal(elsewhere.requests.length, length);
  });

  test('never without a terminal to ask on: the login says so, and works', async () => {
    lead({ revocation_endpoint: `${elsewhere.origin}/revoke` });
    await world.add(name, keys(), SECRET);
    const { code, stderr } = await world.exec('setsid', ['-w', world.program, 'login', name], { env: robot(world) });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /no secret will be sent there/);
    assert.equal((await world.run(['logout', name])).code, 7);
    nothingWent();
  });
});
