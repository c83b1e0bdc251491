// SPDX-License-Identifier: MIT
//
// What time does to a token: how long it is handed out, renewal ahead of its end while the old one
// still serves. Clocks that jump, and machines that sleep: tests/faults/clocks.test.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { agreed, crowd } from './lib/crowd.mjs';
import { oneAccount } from './lib/one-account.mjs';
import { ask, assertRefused, assertToken } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';

const NAME = unique('ageing');
const SEGMENTS = '/rest/v2/segments';
let world;
let control;

const asked = () => control.count('client_credentials');
const get = async (keys, options) => assertToken(await ask(world, NAME, keys, options));

// plain http: no certificate has to be valid when a clock jumps
oneAccount(NAME, (made) => { world = made; control = made.control; }, { listener: 'a-plain', renew_ahead: '50%' });

describe('how long a token is handed out', () => {
  test('never past its end, even if there is no other', async () => {
    await control.ttl({ access: 2 });
    const first = await get({ min_valid: 0 });
    await pause(2050);
    await control.fault({ kind: '503', retry_after: 60, count: 9 });
    for (const min_valid of [0, undefined]) {
      const result = await ask(world, NAME, { min_valid });
      assertRefused(result, { exit: 5, error: 'temporarily_unavailable', retryAfter: [1, 60] });
      assert.ok(!result.stdout.includes(first));
    }
  });

  test('whoever gets one with min_valid=1 can use it for a second', async () => {
    await control.ttl({ access: 3 });
    const until = Date.now() + 3000;
    while (Date.now() < until) {
      const { answer } = await ask(world, NAME, { min_valid: 1 });
      assert.ok(Number(answer.password_expiry_utc) >= Date.now() / 1000 + 0.9);
      assert.equal((await world.api(SEGMENTS, answer.credential)).status, 200);
      await pause(50);
    }
    const count = await asked();
    assert.ok(count >= 2 && count <= 5, `${count} requests`);
  });

  test('30 seconds are wanted if nothing is said, and min_valid says otherwise', async () => {
    await control.ttl({ access: 33 });
    const first = await get();
    assert.equal(await get(), first);
    await pause(3100);
    assert.equal(await get({ min_valid: 10 }), first);
    const second = await get();
    assert.notEqual(second, first);
    await pause(1100);
    assert.equal(await get({ min_valid: 30 }), second);
    assert.notEqual(await get({ min_valid: 32 }), second);
    assert.equal(await asked(), 3);
  });

  test('a token that never lives as long as wanted serves for half its life', async () => {
    await control.ttl({ access: 4 });
    const first = await get();
    assert.equal(await get({ min_valid: 1000 }), first);
    await pause(2100);
    assert.notEqual(await get(), first);
    assert.equal(await asked(), 2);
  });
});

describe('renewal ahead of the end', () => {
  const patient = { account: NAME, capability: ['authtype', 'error'], min_valid: 0 };
  // A token of six seconds that is due for renewal and still good.
  const ageing = async () => {
    await control.ttl({ access: 6 });
    const token = await get();
    await pause(3050);
    await control.ttl({ access: 3600 });
    return token;
  };
  const settled = () => pause(200); // time enough for a child that has something to do

  test('the old token at once, one request for 30 callers, then the new token', async () => {
    const old = await ageing();
    await control.fault({ kind: 'delay', seconds: 1.5 });
    const started = performance.now();
    assert.equal(agreed(await crowd(world, 30, patient)), old);
    const single = await ask(world, NAME, { min_valid: 0 });
    assert.equal(assertToken(single), old);
    assert.ok(performance.now() - started < 1400, 'nobody waited, and no pipe was held open');
    assert.ok(single.ms < 1000, `${single.ms} ms`);
    const fresh = await get({ min_valid: 600 }); // waits for the child
    assert.notEqual(fresh, old);
    assert.equal(await get({ min_valid: 0 }), fresh);
    assert.equal(await asked(), 2);
  });

  test('it is said nothing to anybody, and a refusal is not asked for again and again', async () => {
    const old = await ageing();
    await control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 9 });
    for (let i = 0; i < 5; i += 1) {
      const result = await ask(world, NAME, { min_valid: 0 });
      assert.equal(assertToken(result), old);
      assert.equal(result.stderr, '');
      await settled();
    }
    assert.equal(await asked(), 2);
  });

  test('a caller who cannot use the old token waits for the renewal under way', async () => {
    const old = await ageing();
    await control.fault({ kind: 'delay', seconds: 0.8 });
    assert.equal(await get({ min_valid: 0 }), old);
    const fresh = await get({ min_valid: 600 });
    assert.notEqual(fresh, old);
    assert.equal(await asked(), 2);
  });

  test('not before it is due', async () => {
    await control.ttl({ access: 3600 });
    const token = await get();
    assert.equal(await get({ min_valid: 0 }), token);
    await settled();
    assert.equal(await asked(), 1);
  });
});
