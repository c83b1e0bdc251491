// SPDX-License-Identifier: MIT
//
// Two hundred callers at the moment of expiry, at a server that ends the login when a refresh token
// comes twice. FAULT_CALLERS: how many they are.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { agreed, crowd } from '../e2e/lib/crowd.mjs';
import { NAME, assertWorks, erase, get, logIn, refreshes, tokensSent, untilAsked, withAccount } from '../e2e/lib/standing-grant.mjs';
import { getUnderFire, obstacle } from './lib/killer.mjs';

const CALLERS = Number(process.env.FAULT_CALLERS ?? 200);
const KEYS = { account: NAME, capability: ['authtype', 'error'] };
const LIFETIME = 1; // seconds

describe(`${CALLERS} callers at expiry`, () => {
  let world;
  let old; // the token that has just ended
  withAccount((made) => { world = made; });
  beforeEach(async () => {
    await erase(world);
    await world.control.ttl({ access: LIFETIME });
    old = (await get(world)).answer.credential;
    assert.ok(old);
    await world.control.ttl({ access: 3600 });
    await pause(LIFETIME * 1000);
  });

  async function callAll(t, env) {
    const earlier = await refreshes(world);
    const results = await crowd(world, CALLERS, KEYS, { env });
    const { total, error } = await refreshes(world);
    const requests = total - earlier.total;
    const tokens = new Set(results.map(({ answer }) => answer.credential));
    t.diagnostic(`${results.length} callers, ${requests} requests, ${error - earlier.error} refused, ${tokens.size} different tokens`);
    return { results, requests, refused: error - earlier.error };
  }

  async function assertOneForAll({ results, requests, refused }, expected = 1) {
    const token = agreed(results);
    assert.notEqual(token, old);
    assert.deepEqual([requests, refused], [expected, 0]);
    await assertWorks(world, results[0]);
    await assertStillLoggedIn();
  }

  async function assertStillLoggedIn() {
    await erase(world);
    await assertWorks(world, await get(world));
    const sent = await tokensSent(world);
    assert.equal(new Set(sent).size, sent.length, 'no refresh token ever came twice');
  }

  test('S0:32 one request, and everybody gets the same token', async (t) => assertOneForAll(await callAll(t)));

  test('while the server takes its time', async (t) => {
    await world.control.fault({ kind: 'delay', seconds: 1 });
    await assertOneForAll(await callAll(t));
  });

  // Another program of the same user: `names` of its environment lead elsewhere.
  const elsewhere = (...names) => Object.fromEntries(names.map((name) => [name, path.join(world.dir, 'elsewhere', name)]));
  const OWN = ['HOME', 'XDG_RUNTIME_DIR', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'TMPDIR'];

  test('from two environments of one user', async (t) => {
    const other = elsewhere(...OWN);
    await assertOneForAll(await callAll(t, (i) => (i % 2 ? other : {})));
  });

  test('from two environments, with a copy of the account\'s file in each: they share the login', async (t) => {
    const other = elsewhere(...OWN, 'XDG_CONFIG_HOME');
    const accounts = (base) => path.join(base, 'ringbearer', 'accounts');
    fs.cpSync(accounts(world.env.XDG_CONFIG_HOME), accounts(other.XDG_CONFIG_HOME), { recursive: true });
    const { results, requests, refused } = await callAll(t, (i) => (i % 2 ? other : {}));
    for (const half of [0, 1]) {
      const theirs = results.filter((_, i) => i % 2 === half);
      agreed(theirs); // a copy may have been edited: it has a cached token of its own
      await assertWorks(world, theirs[0]);
    }
    assert.deepEqual([requests, refused], [2, 0]);
    await assertStillLoggedIn();
  });

  test('one of them is killed when its answer has come', { skip: obstacle() }, async (t) => {
    const asked = (await refreshes(world)).total;
    await world.control.fault({ kind: 'delay', seconds: 1 });
    const [killed, outcome] = await Promise.all([
      getUnderFire(world, NAME, { from: 'pending', at: 1 }),
      untilAsked(world, asked + 1).then(() => callAll(t)),
    ]);
    assert.equal(killed.code, 137);
    await assertOneForAll(outcome, 0);
  });

  test('the login has ended: one request, and the same verdict for everybody', async (t) => {
    await world.control.withdraw();
    const { results, requests } = await callAll(t);
    assert.equal(agreed(results, 'error'), 'login_required');
    assert.equal(requests, 1);
    await logIn(world);
    await assertWorks(world, await get(world));
  });
});
