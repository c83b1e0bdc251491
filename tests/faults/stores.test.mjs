// SPDX-License-Identifier: MIT
//
// Rotation where no desktop is: 32 callers at the moment of expiry, with each store that can keep a refresh token. One request, nothing
// lost, nothing sent twice. The Secret Service has more of them in crowd.test.mjs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { BUILD } from '../e2e/lib/builds.mjs';
import { agreed, crowd } from '../e2e/lib/crowd.mjs';
import { accountKeys, assertWorks, logIn, refreshes, tokensSent } from '../e2e/lib/standing-grant.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { storeExample } from '../e2e/lib/store-example.mjs';
import { World } from '../e2e/lib/world.mjs';
import { DASHBOARD } from '../servers/fixtures.mjs';

const CALLERS = 32;
const ROUNDS = 2;
const LIFETIME = 1; // seconds
const modules = process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs');
const noSodium = !fs.existsSync(path.join(modules, 'store-file.so')) && 'this build has no libsodium';

describe(`${CALLERS} callers at expiry`, () => {
  let world;
  before(async () => {
    world = await World.create({ keyring: 'nobus' });
    if (!noSodium) await world.must(['store', 'init']);
  });
  after(() => world?.close());

  const stores = {
    file: { skip: noSodium, keys: () => ({ store: 'file' }) },
    command: { keys: () => ({ store: 'command', store_command: storeExample(world) }) },
  };
  for (const [store, { skip = false, keys }] of Object.entries(stores)) {
    test(store, { skip }, async () => {
      const account = unique(`crowd-${store}`);
      await world.add(account, accountKeys(world, keys()), DASHBOARD.client_secret);
      await logIn(world, account);
      for (let round = 0; round < ROUNDS; round += 1) {
        await world.request({ account }, { verb: 'erase' });
        await world.control.ttl({ access: LIFETIME });
        const old = (await world.request({ account, capability: ['authtype', 'error'] })).answer.credential;
        assert.ok(old);
        await world.control.ttl({ access: 3600 });
        await pause(LIFETIME * 1000);
        const earlier = await refreshes(world);
        const results = await crowd(world, CALLERS, { account, capability: ['authtype', 'error'] });
        assert.notEqual(agreed(results), old);
        const { total, error } = await refreshes(world);
        assert.deepEqual([total - earlier.total, error - earlier.error], [1, 0]);
        await assertWorks(world, results[0]);
      }
      const sent = await tokensSent(world);
      assert.equal(new Set(sent).size, sent.length, 'no refresh token ever came twice');
    });
  }
});
