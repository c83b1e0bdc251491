// SPDX-License-Identifier: MIT
//
// Refresh tokens at servers that rotate them always, never and now and then, where nothing goes
// wrong. What happens where something does is in tests/faults.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { itemsOf, watchCalls } from './lib/keyring-items.mjs';
import {
  NAME, accountKeys, assertWorks, erase, get, logIn, refreshTokenOf, refreshes, tokensSent, withAccount,
} from './lib/standing-grant.mjs';

describe('rotation', () => {
  let world;
  withAccount((made) => { world = made; });
  beforeEach(async () => {
    await world.control.clearFaults();
    await world.control.rotation({ mode: 'always', grace: 0 });
    await world.control.ttl({ access: 3600 });
    if ((await get(world)).code !== 0) await logIn(world);
    await erase(world);
  });

  // So many renewals: the refresh token in the keyring before each and after the last.
  async function kept(renewals) {
    const tokens = [await refreshTokenOf(world)];
    for (let i = 0; i < renewals; i += 1) {
      await erase(world);
      await assertWorks(world, await get(world));
      tokens.push(await refreshTokenOf(world));
    }
    return tokens;
  }
  const changes = (tokens) => tokens.slice(1).map((token, i) => token !== tokens[i]);

  test('S0:32 always: each token is used once, and the keyring has the last one, in one item', async () => {
    const earlier = (await tokensSent(world)).length;
    const tokens = await kept(5);
    assert.deepEqual((await tokensSent(world)).slice(earlier), tokens.slice(0, 5));
    assert.deepEqual(changes(tokens), [true, true, true, true, true]);
    const items = (await itemsOf(world, NAME)).filter(({ attributes }) => attributes.kind === 'refresh_token');
    assert.equal(items.length, 1);
  });

  test('never: nothing is written to the keyring', async () => {
    await world.control.rotation({ mode: 'never' });
    let tokens;
    const calls = await watchCalls(world, async () => { tokens = await kept(3); });
    assert.deepEqual(changes(tokens), [false, false, false]);
    assert.ok(calls.includes('GetSecret') || calls.includes('GetSecrets'), calls.join());
    assert.deepEqual(calls.filter((name) => /^(SetSecret|CreateItem|Delete)$/.test(name)), []);
  });

  test('every second time', async () => {
    await world.control.rotation({ mode: 'alternate' });
    assert.match(changes(await kept(4)).join(' '), /^(true false true false|false true false true)$/);
  });

  for (const kind of ['no_rotation', 'same_rt']) {
    test(`an answer without a new refresh token keeps the old one: ${kind}`, async () => {
      await world.control.fault({ kind, grant_type: 'refresh_token' });
      assert.deepEqual(changes(await kept(2)), [false, true]);
    });
  }

  test('`refresh` renews a token that is still good', async () => {
    const { answer } = await get(world);
    const old = await refreshTokenOf(world);
    const { code, stdout } = await world.run(['refresh', NAME]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^${NAME}: renewed, valid for 3\\d\\d\\d s\n$`));
    assert.notEqual(await refreshTokenOf(world), old);
    assert.notEqual((await get(world)).answer.credential, answer.credential);
  });

  test('a token that the server refuses is renewed once, and the refresh token stays in use', async () => {
    const { answer } = await get(world);
    await world.control.expire('AccessToken');
    const { total } = await refreshes(world);
    const challenge = ['Bearer error="invalid_token"'];
    await assertWorks(world, await get(world, { 'wwwauth[]': challenge, password: answer.credential }));
    assert.equal((await refreshes(world)).total, total + 1);
  });

  test('ahead of time, in the background: one request, and the next caller has the new token', async () => {
    world.account(NAME, accountKeys(world, { renew_ahead: '50%' }));
    await world.control.ttl({ access: 4 });
    await logIn(world);
    const { answer } = await get(world, { min_valid: 0 });
    const { total } = await refreshes(world);
    await world.control.ttl({ access: 3600 });
    await pause(2100);
    assert.equal((await get(world, { min_valid: 0 })).answer.credential, answer.credential, 'nobody waits');
    let fresh = answer.credential;
    for (let tries = 0; tries < 20 && fresh === answer.credential; tries += 1) {
      await pause(50);
      fresh = (await get(world, { min_valid: 0 })).answer.credential;
    }
    assert.notEqual(fresh, answer.credential);
    assert.deepEqual(await refreshes(world), { total: total + 1, error: 0 });
    await erase(world);
    await assertWorks(world, await get(world));
  });

  test('the refresh token ends: a person has to log in, and logging in mends it', async () => {
    await world.control.expire('RefreshToken');
    const { code, answer } = await get(world);
    assert.deepEqual([code, answer.error], [3, 'login_required']);
    const login = await world.login(NAME);
    assert.equal(login.code, 0, login.stderr);
    await assertWorks(world, await get(world));
  });
});
