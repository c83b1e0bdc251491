// SPDX-License-Identifier: MIT
//
// Signals by which a person or a session ends a program wait while a refresh token is between two
// owners: whenever they come, the answer is read, stored and published first.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { World } from '../e2e/lib/world.mjs';
import { NAME, addAccount, assertWorks, closeWorld, erase, get, logIn, refreshes } from '../e2e/lib/standing-grant.mjs';
import { evenly, getUnderFire, milestones, obstacle, sizeOfAnswer } from './lib/killer.mjs';

const SIGNALS = { INT: 2, TERM: 15, HUP: 1, QUIT: 3 };
const EVERY = process.env.FAULT_RUNS === 'all';
const skip = obstacle();

describe('a signal during the exchange', { skip }, () => {
  let world;
  let total; // calls from the request on
  before(async () => {
    world = await World.create();
    await addAccount(world);
    total = (await getUnderFire(world, NAME)).calls.at(-1).number;
  });
  after(() => closeWorld(world));

  // The run is over by the signal or in its own way, and the one after it finds a token in the cache.
  async function trial(name, at) {
    await erase(world);
    const earlier = await refreshes(world);
    const run = await getUnderFire(world, NAME, { at, signal: SIGNALS[name] });
    const { stored } = milestones(run.calls, sizeOfAnswer(run.calls));
    const result = await get(world);
    const { total, error } = await refreshes(world);
    const outcome = {
      name, at, ended: run.code, stored: stored !== undefined, works: result.code === 0,
      requests: total - earlier.total, refused: error - earlier.error,
    };
    if (!outcome.works) await logIn(world);
    return outcome;
  }

  for (const name of Object.keys(SIGNALS)) {
    test(`SIG${name}`, async () => {
      const outcomes = [];
      for (const at of [5, 12, ...evenly(EVERY ? 40 : 3, total)]) outcomes.push(await trial(name, at));
      const expected = ({ ended }) => [0, 128 + SIGNALS[name]].includes(ended);
      assert.deepEqual(outcomes.filter((one) => !(expected(one) && one.stored && one.works && one.requests === 1 && one.refused === 0)), []);
      assert.ok(outcomes.some(({ ended }) => ended === 128 + SIGNALS[name]), 'the signal is not swallowed');
      await erase(world);
      await assertWorks(world, await get(world));
    });
  }
});

test('before a request has left, a signal ends the program at once', { skip }, async () => {
  const world = await World.create();
  try {
    await addAccount(world);
    const { calls } = await getUnderFire(world, NAME, { from: 'lock' });
    const earlier = await refreshes(world);
    await erase(world);
    for (const at of evenly(4, milestones(calls, sizeOfAnswer(calls)).sent.number - 50)) {
      const run = await getUnderFire(world, NAME, { from: 'lock', at, signal: SIGNALS.TERM });
      assert.deepEqual([run.fired !== undefined, run.code], [true, 128 + SIGNALS.TERM]);
    }
    assert.deepEqual(await refreshes(world), earlier);
    await assertWorks(world, await get(world));
  } finally {
    await closeWorld(world);
  }
});
