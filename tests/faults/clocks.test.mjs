// SPDX-License-Identifier: MIT
//
// Clocks that are set back and forward, and a machine that sleeps. The wall's clock can be wrong, the
// clock since boot counts sleep as well: a token that is dead by either of them is not handed out.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { World } from '../e2e/lib/world.mjs';
import { NAME, addAccount, assertWorks, closeWorld, erase, get, refreshes } from '../e2e/lib/standing-grant.mjs';
import { later, obstacle } from './lib/killer.mjs';

const LIFETIME = 120;
const HOUR = 3600;
const DAY = 24 * HOUR;

describe('clocks', { skip: obstacle() }, () => {
  let world;
  before(async () => {
    world = await World.create();
    const endpoint = `${world.urls['a-plain']}/rest/v2/oauth`; // a certificate has clocks of its own
    await addAccount(world, NAME, {
      provider: 'oauth2', tenant: undefined, client_auth: 'client_secret_post', match: `${world.urls.a}/rest/`,
      authorization_endpoint: `${endpoint}/authorize`, token_endpoint: `${endpoint}/token`,
    });
    await world.control.ttl({ access: LIFETIME });
  });
  after(() => closeWorld(world));
  beforeEach(() => erase(world));

  const getAt = (seconds, real) => get(world, {}, { env: later(world, seconds, real) });

  // The first token at one time, the second at another: whether it is another one.
  async function renewed(first, second) {
    const one = await getAt(...first);
    assert.equal(one.code, 0, one.stderr);
    const { total } = await refreshes(world);
    const two = await getAt(...second);
    await assertWorks(world, two);
    const asked = (await refreshes(world)).total - total;
    assert.equal(asked > 0, one.answer.credential !== two.answer.credential);
    return asked > 0;
  }

  // [since boot, on the wall] when the first token was got and when the second one is asked for.
  const cases = {
    'ten seconds later': [[0, 0], [10, 10], false],
    'after its end': [[0, 0], [LIFETIME + 1, LIFETIME + 1], true],
    'a moment before its end': [[0, 0], [LIFETIME - 5, LIFETIME - 5], true],
    'the wall clock set forward beyond its end': [[0, 0], [1, HOUR], true],
    'the wall clock set back by an hour': [[0, 0], [1, -HOUR], true],
    'the wall clock set back during a sleep that outlasts it': [[0, 0], [HOUR, -HOUR], true],
    'the wall clock set back to stand still during that sleep': [[0, 0], [HOUR, 10], true],
    'got with a clock that was a day ahead, and set right since': [[0, DAY], [1, 0], true],
    'got with a clock a day ahead, then a sleep, the clock still ahead': [[0, DAY], [HOUR, DAY + 10], true],
    'got with a clock that was a day behind, and set right since': [[0, -DAY], [1, 0], true],
    'nearly over after a sleep, with the wall clock set back': [[0, 0], [LIFETIME - 5, 10], true],
    'a sleep that it outlasts': [[0, 0], [60, 60], false],
  };
  for (const [name, [first, second, expected]] of Object.entries(cases)) {
    test(name, async () => assert.equal(await renewed(first, second), expected));
  }

  test('a token without a stated lifetime is not kept over a sleep', async () => {
    for (const [second, expected] of [[[60, 60], false], [[HOUR, HOUR], true], [[HOUR, 10], true]]) {
      await erase(world);
      await world.control.fault({ kind: 'no_expires', grant_type: 'refresh_token' });
      assert.equal(await renewed([0, 0], second), expected);
    }
  });

  test('no expiry is written that the clocks do not bear out', async () => {
    const { answer } = await getAt(0, 0);
    const expiry = Number(answer.password_expiry_utc);
    assert.ok(Math.abs(expiry - Date.now() / 1000 - LIFETIME) <= 3, String(expiry));
  });

  const noNamespace = process.getuid() === 0 ? undefined : 'a time namespace needs root';
  test('asleep for an hour, as the kernel tells it', { skip: noNamespace }, async (t) => {
    const asleep = (...args) => world.exec('unshare', ['--time', '--boottime', String(HOUR), world.program, ...args]);
    const one = await get(world);
    await assertWorks(world, one);
    const two = await asleep('token', NAME);
    if (/unshare/.test(two.stderr)) return t.skip(two.stderr.trim());
    assert.equal(two.code, 0, two.stderr);
    assert.notEqual(two.stdout.trim(), one.answer.credential);
    assert.equal((await world.api('/rest/v2/segments', two.stdout.trim())).status, 200);
    return undefined;
  });
});
