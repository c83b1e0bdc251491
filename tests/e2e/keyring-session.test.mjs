// SPDX-License-Identifier: MIT
//
// A renewal talks with the keyring over one session, and what it knows of it comes from the service each
// time. What breaks while the request is under way is noticed.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { watchCalls } from './lib/keyring-items.mjs';
import {
  addAccount, assertWorks, erase, get, inWorld, logIn, refreshTokenOf, refreshes, tokensSent, untilAsked, withAccount,
} from './lib/standing-grant.mjs';

let world;
withAccount((made) => { world = made; });
beforeEach(async () => {
  await erase(world);
  await logIn(world);
});

// `get`, and what happens between its request and the answer.
async function meanwhile(where, happening) {
  const asked = (await tokensSent(where)).length;
  await where.control.fault({ kind: 'delay', seconds: 1, grant_type: 'refresh_token' });
  const running = get(where);
  await untilAsked(where, asked + 1);
  await happening();
  return running;
}

test('one session; both secrets are read, the next token is written into its item, and read again', async () => {
  const calls = await watchCalls(world, async () => assertWorks(world, await get(world)));
  const said = calls.filter((name) => /^(OpenSession|SearchItems|GetSecrets?|SetSecret|CreateItem)$/.test(name));
  const read = ['SearchItems', 'GetSecret'];
  assert.deepEqual(said, ['OpenSession', ...read, ...read, 'SearchItems', 'SetSecret', ...read]);
});

test('the daemon is started again in between: a new session, and nothing is lost', async () => {
  const old = await refreshTokenOf(world);
  const result = await meanwhile(world, async () => {
    await world.keyring.kill();
    await world.keyring.start();
  });
  await assertWorks(world, result);
  assert.notEqual(await refreshTokenOf(world), old);
  assert.equal(result.stderr, '');
});

test('the daemon dies in between: the token is handed out, and the next run finishes', async () => {
  const result = await meanwhile(world, () => world.keyring.kill());
  assert.equal(result.code, 4);
  assert.match(result.stderr, /no keyring service runs/);
  assert.ok(result.answer.credential);
  await world.keyring.start();
  await erase(world);
  const { error } = await refreshes(world);
  await assertWorks(world, await get(world));
  assert.equal((await refreshes(world)).error, error, 'the server saw no reuse');
});

test('the bus dies in between: the token is handed out, and no signal ends the run', () => inWorld({}, async (other) => {
  await addAccount(other);
  await erase(other);
  const { code, signal, answer, stderr } = await meanwhile(other, () => other.keyring.killBus());
  assert.deepEqual([code, signal], [4, null], stderr);
  assert.ok(answer.credential);
  assert.match(stderr, /not in the keyring yet/);
}));
