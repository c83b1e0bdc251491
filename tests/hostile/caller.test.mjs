// SPDX-License-Identifier: MIT
//
// The attacker is a caller, or chooses when one dies: what was asked for by one is no answer to another, and what was refused
// does not come back by a detour.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { encoded, itemsOf, putValue } from '../e2e/lib/keyring-items.mjs';
import { start } from '../e2e/lib/processes.mjs';
import { ask, unique } from '../e2e/lib/small-accounts.mjs';
import { Service } from '../e2e/lib/service.mjs';
import { World } from '../e2e/lib/world.mjs';

let [number, world, service, name] = [0];

before(async () => { world = await World.create({ servers: false }); });
after(() => world.close());
beforeEach(async () => {
  number += 1;
  name = unique(`caller-${number}`);
  service = await Service.start();
  world.account(name, account());
  await store('first');
});
afterEach(() => service.stop());

const account = (extra = {}) => ({
  provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up', scope: 'read',
  authorization_endpoint: `${service.origin}/auth`, token_endpoint: `${service.origin}/token`, match: 'https://api.example.com/', ...extra,
});
const store = async (token) => assert.equal((await world.request({ account: name, refresh_token: token }, { verb: 'store' })).code, 0);
const get = (more = {}) => ask(world, { account: name, ...more, capability: ['authtype', 'error'] });
const asked = () => service.forms('/token');
const sent = () => asked().map(({ refresh_token: token }) => token);
const kept = async () => {
  const { stdout } = await world.exec('secret-tool', ['lookup', 'account', name, 'kind', 'refresh_token']);
  return Buffer.from(stdout.replace(/^ringbearer1:/, ''), 'base64url').toString();
};

// Answers with a token that says what it is for; where `holds`, the last byte never comes.
function serve(holds) {
  service.routes['/token'] = (request, response) => {
    const { scope = 'none', resource = 'none' } = asked().at(-1);
    const text = JSON.stringify({ access_token: `${scope}.${resource}.${asked().length}`, token_type: 'Bearer', expires_in: 600, refresh_token: `next-${asked().length}` });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length + holds });
    response.write(text);
    if (!holds) response.end();
  };
}

const state = async () => JSON.parse((await world.must(['list', '--json'])).stdout).find((one) => one.account === name).state;

// A caller dies after the answer has been parked and before anything was made of it.
async function dies(...args) {
  const before = asked().length + 1;
  serve(1);
  const child = start(world.program, ['get', `--account=${name}`, ...args], { env: world.env, stdio: 'ignore' });
  for (let tries = 0; tries < 1000 && asked().length < before; tries += 1) await pause(10);
  for (let tries = 0; tries < 20 && await state() !== 'pending'; tries += 1) await pause(20); // with a token in the cache the list does not say so
  child.kill('SIGKILL');
  await child.ended;
  serve(0);
}

describe('an answer that was parked', () => {
  const bank = 'https://bank.example.com/';
  const others = [
    ['another scope', ['--scope=admin'], {}], ['a resource', [`--resource=${bank}`], {}],
    ['no scope of its own', [], { scope: 'admin' }], ['one resource of two', [`--resource=${bank}`, '--resource=https://api.example.com/'], { resource: bank }],
  ];
  for (const [what, args, more] of others) {
    test(`is no answer to who asks for something else: ${what}`, async () => {
      await dies(...args);
      const { code, answer, stderr } = await get(more);
      assert.equal(code, 0, stderr);
      assert.equal(asked().length, 2, 'it was asked for anew');
      assert.match(answer.credential, /\.2$/);
      assert.deepEqual(sent(), ['first', 'next-1'], 'its refresh token was kept');
      assert.equal((await get(more)).answer.credential, answer.credential, 'nor from the cache');
    });
  }

  test('is the answer to who asks for the same', async () => {
    await dies('--scope=admin', `--resource=${bank}`);
    const { answer } = await get({ scope: 'admin', resource: bank });
    assert.match(answer.credential, /^admin\..*\.1$/);
    assert.equal(asked().length, 1);
    assert.equal(await kept(), 'next-1');
  });

  test('is not given to an account that was edited since', async () => {
    await dies();
    world.account(name, account({ scope: 'less' }));
    assert.match((await get()).answer.credential, /\.2$/);
  });

  for (const [what, more] of Object.entries({ 'named': { credential: 'none.none.1', wwwauth: ['Bearer error="invalid_token"'] }, 'named without a reason': { password: 'none.none.1', wwwauth: ['Bearer'] }, 'not named': { wwwauth: ['Bearer error="invalid_token"'] }, 'wanting in scope': { credential: 'none.none.1', wwwauth: ['Bearer error="insufficient_scope", scope="read"'] } })) {
    test(`is not given to who was refused with it: ${what}`, async () => {
      await dies();
      const { answer, stderr } = await get(more);
      assert.equal(answer.credential, 'none.none.2', stderr);
      assert.deepEqual(sent(), ['first', 'next-1']);
    });
  }

  test('does not take the place of a new login\'s token', async () => {
    await dies();
    await store('of-a-new-login');
    await get();
    assert.deepEqual(sent(), ['first', 'of-a-new-login']);
    await dies('--scope=admin');
    const [{ attributes }] = await itemsOf(world, name);
    await putValue(world, attributes, encoded('of-elsewhere')); // by a login that died before it could say so
    await get({ scope: 'other' });
    assert.equal(sent().at(-1), 'of-elsewhere');
  });
});
