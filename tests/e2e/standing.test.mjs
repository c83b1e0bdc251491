// SPDX-License-Identifier: MIT
//
// How an account with a login stands, as `list` tells it, and that nothing outlives its end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from './lib/world.mjs';

let world;
const NAME = `standing-${process.pid}`;

before(async () => {
  world = await World.create();
  await world.addAuthorizationCode(NAME);
});
after(() => world.close());

async function standing() {
  const { stdout } = await world.must(['list', '--json']);
  return JSON.parse(stdout).find(({ account }) => account === NAME);
}

async function login() {
  const browser = await world.browser({});
  await world.must(['login', NAME], { env: browser.env });
}

test('needs login, valid and logged in, needs login again', async () => {
  assert.deepEqual([(await standing()).state, (await standing()).logged_in], ['needs_login', false]);
  await login();
  assert.deepEqual([(await standing()).state, (await standing()).logged_in], ['valid', true]);
  await world.must(['logout', NAME]);
  assert.equal((await world.run(['token', NAME])).code, 3);
  assert.equal((await standing()).state, 'needs_login', 'whatever was refused meanwhile');
  assert.match((await world.must(['list'])).stdout, /needs login/);
});

test('a locked keyring says nothing about logins', async () => {
  await world.keyring.lock();
  const { logged_in: loggedIn } = await standing();
  await world.keyring.unlock();
  assert.equal(loggedIn, undefined);
});

test('a login that the service has ended leaves no token behind', async () => {
  await login();
  await world.control.withdraw('a');
  assert.equal((await world.run(['refresh', NAME])).code, 3);
  assert.equal((await world.run(['token', NAME])).code, 3);
});

test('logout without the client secret: exit 4, and nothing is left here', async () => {
  await login();
  await world.request({ account: NAME, secret: 'client_secret' }, { verb: 'erase' });
  const { code, stderr } = await world.run(['logout', NAME]);
  assert.equal(code, 4, stderr);
  assert.equal((await standing()).logged_in, false);
});
