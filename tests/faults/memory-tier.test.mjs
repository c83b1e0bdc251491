// SPDX-License-Identifier: MIT
//
// Rotation where the kernel keeps no keys (add_key, request_key and keyctl are refused, as in containers), so that marks and parked answers
// are files in memory: killed at every system call, and 32 callers at the moment of expiry.
//
// FAULT_RUNS=all takes every call. Otherwise it is a sample, with those around the parking in it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compile } from '../e2e/lib/builds.mjs';
import { agreed, crowd } from '../e2e/lib/crowd.mjs';
import { NAME, addAccount, closeWorld, erase, get, logIn, refreshes, tokensSent, worksAtApi } from '../e2e/lib/standing-grant.mjs';
import { World } from '../e2e/lib/world.mjs';
import { getUnderFire, obstacle } from './lib/killer.mjs';

const EVERY = process.env.FAULT_RUNS === 'all';
const MARGIN = 6; // how far the numbering of two runs may be apart
const FEW = 5;
const CALLERS = 32;
const LAUNCHER = fileURLToPath(new URL('../e2e/lib/launcher.c', import.meta.url));
const skip = obstacle();

// The calls of a run: the request, and the file that was put in its place first after it, which is the parked answer.
function milestones(calls) {
  const done = calls.filter(({ result }) => result !== 'fired' && result >= 0);
  const sent = done.find(({ detail }) => detail.at(-1) === 'request');
  const kept = sent ? done.filter(({ name, order }) => /^renameat/.test(name) && order > sent.order) : [];
  const read = kept.length > 0 && done.findLast(({ name, order }) => /^(recvfrom|read)$/.test(name) && order < kept[0].order);
  return { sent, parked: kept[0], read };
}

const between = (first, last, few) => {
  const count = EVERY ? last - first + 1 : Math.min(few, last - first + 1);
  return Array.from({ length: count }, (_, i) => Math.round(first + i * (last - first) / Math.max(1, count - 1)));
};

for (const [error, number] of Object.entries({ EPERM: 1, ENOSYS: 38 })) {
  describe(`where keys are refused (${error})`, { skip }, () => {
    let world;
    let profile;
    before(async () => {
      world = await World.create();
      const launcher = path.join(world.dir, 'bin/launcher');
      await compile('-O', '-D_GNU_SOURCE', '-o', launcher, LAUNCHER);
      const confined = path.join(world.dir, 'bin/confined');
      fs.writeFileSync(confined, `#!/bin/sh\nexec ${launcher} deny ${number} ${world.program} "$@"\n`, { mode: 0o755 });
      world.program = confined;
      await addAccount(world);
      await erase(world);
      const { code, calls, stderr } = await getUnderFire(world, NAME, { from: 'send' });
      assert.deepEqual([code, stderr], [0, '']);
      profile = { ...milestones(calls), calls, total: calls.at(-1).number };
    });
    after(() => closeWorld(world));

    // One run that is killed and one in peace.
    async function trial(from, at) {
      await erase(world);
      const earlier = await refreshes(world);
      const killed = await getUnderFire(world, NAME, { from, at });
      const result = await get(world);
      const works = await worksAtApi(world, result);
      const { total, error: refused } = await refreshes(world);
      const requests = total - earlier.total;
      const sent = requests > 0 ? (await tokensSent(world)).slice(-requests) : [];
      const passed = milestones(killed.calls);
      if (!works) await logIn(world);
      return {
        from, at, fired: killed.fired, unknown: Boolean(passed.sent && !passed.parked), works, stderr: result.stderr,
        twice: requests - new Set(sent).size, refused: refused - earlier.error,
      };
    }

    test('S0:32 killed, and nothing that was in safety is lost or sent twice', async (t) => {
      const parked = profile.parked.number;
      const few = error === 'EPERM' ? FEW : 2; // they are alike
      const where = [
        ...between(0, parked, few).map((at) => ['send', at]), ...between(parked + 1, profile.total + MARGIN, few).map((at) => ['send', at]),
        ...[parked - 1, parked, parked + 1].map((at) => ['send', at]),
        ...between(0, EVERY ? 80 : FEW, 2).map((at) => ['lock', at]),
      ];
      const outcomes = [];
      for (const [from, at] of where) outcomes.push(await trial(from, at));
      const fired = outcomes.filter((one) => one.fired);
      const known = fired.filter(({ unknown }) => !unknown);
      const calls = profile.calls.filter(({ order }) => order > profile.read.order && order <= profile.parked.order);
      t.diagnostic(`${fired.length} runs were killed, ${known.length} of them where the answer was in safety or nothing had been sent`);
      t.diagnostic(`from the last read until it is safe: ${calls.map(({ name }) => name).join(' ')}`);
      assert.deepEqual(known.filter(({ works, twice, refused }) => !works || twice > 0 || refused > 0), []);
      assert.ok(known.length >= (EVERY ? 60 : few) && fired.length > known.length, `${known.length} of ${fired.length}`);
      assert.ok(fired.every(({ twice }) => twice <= 1), 'once more, and not again');
    });

    test(`${CALLERS} callers at expiry: one request, and the same token for all`, async () => {
      await erase(world);
      await world.control.ttl({ access: 1 });
      await get(world);
      await world.control.ttl({ access: 3600 });
      await pause(1000);
      const earlier = await refreshes(world);
      const results = await crowd(world, CALLERS, { account: NAME, capability: ['authtype', 'error'] });
      agreed(results);
      const { total, error: refused } = await refreshes(world);
      assert.deepEqual([total - earlier.total, refused - earlier.error], [1, 0]);
      assert.ok(await worksAtApi(world, results[0]));
    });
  });
}
