// SPDX-License-Identifier: MIT
//
// The attacker, or mere chance, is another program of the same user: it edits, replaces and removes while others are at work.
// What was erased does not come back, nothing new is overwritten by what was under way, and no token outlives what it was for.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { itemsOf } from '../e2e/lib/keyring-items.mjs';
import { ask, unique } from '../e2e/lib/small-accounts.mjs';
import { robot, Service } from '../e2e/lib/service.mjs';
import { World } from '../e2e/lib/world.mjs';

const TICK = 20; // ms: the kernel's clock for files is coarser than the tests
let [number, world, service, name, place] = [0];

before(async () => { world = await World.create({ servers: false }); });
after(() => world.close());
beforeEach(async () => {
  number += 1;
  name = unique(`same-user-${number}`);
  place = `https://api-${process.pid}-${number}.example.com/`;
  service = await Service.start();
});
afterEach(() => service.stop());

const keys = (extra = {}) => ({
  provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up', match: place,
  authorization_endpoint: `${service.origin}/auth`, token_endpoint: `${service.origin}/token`, ...extra,
});
const machine = (extra = {}) => keys({ grant: 'client_credentials', client_auth: 'client_secret_basic', authorization_endpoint: undefined, ...extra });
const write = (all, how = name) => world.account(how, Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
const store = (secrets, how = name) => world.request({ account: how, ...secrets }, { verb: 'store' });
const get = (more = {}, options = {}) => ask(world, { account: name, ...more, capability: ['authtype', 'error'] }, options);
const kinds = async () => (await itemsOf(world, name)).map(({ attributes: { kind } }) => kind).sort();
const kept = async () => {
  const { code, stdout } = await world.exec('secret-tool', ['lookup', 'account', name, 'kind', 'refresh_token']);
  return code === 0 ? Buffer.from(stdout.replace(/^ringbearer1:/, ''), 'base64url').toString() : undefined;
};
const until = async (condition) => {
  for (let tries = 0; tries < 1500 && !condition(); tries += 1) await pause(10);
  assert.ok(condition());
};

// A renewal that is under way while WORK is done; its answer comes when that has had time.
async function meanwhile(work) {
  const [serve, asked] = [service.routes['/token'], service.forms('/token').length];
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  service.routes['/token'] = async (request, response) => {
    const count = service.forms('/token').length;
    await released;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: `slow-${count}`, token_type: 'Bearer', expires_in: 600, refresh_token: `slow-refresh-${count}` }));
  };
  const renewal = world.run(['token', name]);
  await until(() => service.forms('/token').length > asked);
  const done = work();
  await Promise.race([done, pause(500)]);
  release();
  const results = await Promise.all([renewal, done]);
  service.routes['/token'] = serve;
  return results;
}

describe('a file that is edited and looks as before', () => {
  test('a provider of one\'s own: its new endpoint is asked at once', async () => {
    const other = await Service.start();
    const file = `${world.env.XDG_CONFIG_HOME}/ringbearer/providers/own`;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const set = (origin) => {
      fs.writeFileSync(file, `title = Own\ndocumentation = https://example.com/\ntoken_endpoint = ${origin}/token\n`);
      fs.utimesSync(file, 1700000000, 1700000000);
    };
    set(service.origin);
    world.account(name, { provider: 'own', grant: 'client_credentials', client_id: 'made-up', match: place });
    await store({ client_secret: 'made-up' });
    const before = (await get()).answer.credential;
    assert.equal((await get()).answer.credential, before);
    await pause(TICK);
    set(other.origin);
    await store({ client_secret: 'made-up-too' }); // for the new place: the old one's is not sent there
    const token = (await get()).answer.credential;
    assert.equal(other.forms('/token').length, 1);
    assert.equal((await get()).answer.credential, token);
    assert.equal(other.forms('/token').length, 1, 'and kept');
    await pause(TICK);
    set(service.origin);
    await get();
    assert.equal(service.forms('/token').length, 2);
    fs.rmSync(file);
    other.stop();
  });

  test('has no token of before, for its account and for its places', async () => {
    const other = await Service.start();
    const set = (text) => {
      const file = world.account(name, text);
      fs.utimesSync(file, 1700000000, 1700000000);
    };
    const lines = (origin, where) => `provider = oauth2\ngrant = client_credentials\nclient_id = made-up\ntoken_endpoint = ${origin}/token\nmatch = ${where}\n`;
    const there = place.replace('api-', 'new-');
    set(lines(service.origin, place));
    await store({ client_secret: 'made-up' });
    const folder = `${world.env.XDG_CONFIG_HOME}/ringbearer/accounts`;
    fs.utimesSync(folder, 1700000000, 1700000000); // so that the places are remembered
    const token = (await ask(world, { url: place })).answer.password;
    assert.ok(token);
    assert.equal((await ask(world, { url: place })).answer.password, token);
    await pause(TICK);
    set(lines(other.origin, there).padEnd(lines(service.origin, place).length));
    await store({ client_secret: 'made-up' });
    const fresh = (await get()).answer.credential;
    assert.equal(other.forms('/token').length, 1, 'the new place was asked');
    assert.equal((await ask(world, { url: there })).answer.password, fresh);
    const old = await ask(world, { url: place });
    assert.deepEqual([old.code, old.answer.password], [1, undefined], 'it answers for its old place no longer');
    other.stop();
  });
});

describe('while a renewal is under way', () => {
  beforeEach(async () => {
    write(keys());
    await store({ refresh_token: 'first' });
  });

  test('what is erased stays away', async () => {
    const [, { code }] = await meanwhile(() => world.request({ account: name, secret: 'all' }, { verb: 'erase' }));
    assert.equal(code, 0);
    assert.deepEqual(await kinds(), []);
    assert.equal((await get()).code, 3, 'and nothing is cached');
  });

  test('what is stored stays', async () => {
    const [, { code }] = await meanwhile(() => store({ refresh_token: 'new' }));
    assert.equal(code, 0);
    assert.equal(await kept(), 'new');
  });

  test('a logout and a removal leave nothing', async () => {
    const [, { code }] = await meanwhile(() => world.run(['logout', name]));
    assert.equal(code, 7, 'this service has no revocation');
    assert.deepEqual(await kinds(), []);
    await store({ refresh_token: 'second' });
    await meanwhile(() => world.run(['remove', name]));
    assert.deepEqual(await kinds(), []);
    assert.ok(!fs.existsSync(`${world.env.XDG_CONFIG_HOME}/ringbearer/accounts/${name}`));
    write(keys());
    assert.equal((await get()).code, 3, 'an account of the same name begins with nothing');
  });

  test('the token of a new login stays', async () => {
    const [, { code, stderr }] = await meanwhile(async () => {
      const serve = service.routes['/token'];
      service.routes['/token'] = (request, response) => {
        if (service.forms('/token').at(-1).grant_type !== 'authorization_code') return serve(request, response);
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: 'of-the-login', token_type: 'Bearer', expires_in: 600, refresh_token: 'of-the-login' }));
      };
      return world.run(['login', name], { env: robot(world) });
    });
    assert.equal(code, 0, stderr);
    assert.equal(await kept(), 'of-the-login');
    assert.equal((await get()).answer.credential, 'of-the-login');
  });

  test('a client secret is replaced afterwards', async () => {
    write(machine());
    await store({ client_secret: 'old' });
    const [, { code }] = await meanwhile(() => world.run(['secret', name, '--secret-stdin'], { input: 'new' }));
    assert.equal(code, 0);
    await get();
    const [used] = service.requests.filter(({ path }) => path === '/token').slice(-1).map(({ headers }) => headers.authorization);
    assert.equal(Buffer.from(used.replace('Basic ', ''), 'base64').toString(), 'made-up:new', 'the token of the old one is not served');
  });
});

test('two configurations that find the same secret meet at one lock', async () => {
  const second = { XDG_CONFIG_HOME: `${world.dir}/second` };
  fs.mkdirSync(`${second.XDG_CONFIG_HOME}/ringbearer/accounts`, { recursive: true, mode: 0o700 });
  for (const [grant, secret, once] of [['authorization_code', { refresh_token: 'one' }, true], ['client_credentials', { client_secret: 'made-up' }, false]]) {
    const own = grant === 'client_credentials' ? machine() : keys();
    const file = write(own);
    fs.copyFileSync(file, `${second.XDG_CONFIG_HOME}/ringbearer/accounts/${name}`);
    write({ ...own, token_endpoint: undefined, authorization_endpoint: undefined, issuer: service.origin });
    assert.equal((await store(secret)).code, 0);
    let [busy, most] = [0, 0];
    service.routes['/token'] = async (request, response) => {
      const count = service.forms('/token').length;
      busy += 1;
      most = Math.max(most, busy);
      await pause(300);
      busy -= 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: `at-${count}`, token_type: 'Bearer', expires_in: 600, ...(once ? { refresh_token: `rt-${count}` } : {}) }));
    };
    const results = await Promise.all([get(), get({}, { env: second }), get(), get({}, { env: second })]);
    for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    assert.equal(most, 1, `${grant}: one after the other`);
    const sent = service.forms('/token').map(({ refresh_token: token }) => token).filter(Boolean);
    assert.equal(new Set(sent).size, sent.length, 'no refresh token was sent twice');
  }
});

describe('a login whose account is no longer the one it was begun for', () => {
  const changes = {
    'removed': [() => world.must(['remove', name]), 1, /removed/],
    'removed and added again as another': [async () => { await world.must(['remove', name]); write(keys({ match: 'https://elsewhere.example.com/' })); }, 7, /changed/],
    'edited': [() => write(keys({ client_id: 'another' })), 7, /changed/],
  };
  for (const [what, [change, status, says]] of Object.entries(changes)) {
    test(`keeps nothing, and says so: ${what}`, async () => {
      write(keys());
      let waiting;
      service.routes['/auth'] = (request, response) => { waiting = { url: new URL(request.url, service.origin), response }; };
      const login = world.run(['login', name], { env: robot(world) });
      await until(() => waiting);
      await change();
      const back = new URL(waiting.url.searchParams.get('redirect_uri'));
      back.search = new URLSearchParams({ code: 'code', state: waiting.url.searchParams.get('state') });
      waiting.response.writeHead(302, { location: back.href }).end();
      const { code, stdout, stderr } = await login;
      assert.deepEqual([code, stdout], [status, ''], stderr);
      assert.match(stderr, says);
      assert.match(stderr, /nothing of the login was kept; /);
      assert.deepEqual(await kinds(), []);
      assert.notEqual((await get()).code, 0, 'nothing is cached either');
    });
  }
});

test('a logout shows a service only what came from it', async () => {
  const other = await Service.start();
  service.routes['/token'] = (request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"of-another-service","token_type":"Bearer","expires_in":600}');
  write(machine());
  await store({ client_secret: 'made-up' });
  assert.equal((await get()).answer.credential, 'of-another-service');
  write(machine({ token_endpoint: `${other.origin}/token`, revocation_endpoint: `${other.origin}/revoke`, scope: 'more' }));
  await world.run(['secret', name, '--secret-stdin'], { input: 'made-up' });
  write(machine()); // the first one's is cached again …
  await get();
  write(machine({ token_endpoint: `${other.origin}/token`, revocation_endpoint: `${other.origin}/revoke` })); // … while this one is in force
  const own = [(await get()).answer.credential, (await get({ scope: 'more' })).answer.credential];
  await world.must(['logout', name]);
  assert.deepEqual(other.forms('/revoke').map(({ token }) => token).sort(), own.sort());
  other.stop();
});
