// SPDX-License-Identifier: MIT
//
// `get` is killed with SIGKILL where a system call would begin, one run for each call, and then runs
// again in peace. Whatever the first run had read of an answer must not be lost, and a refresh token
// must not come to the server twice, except where the request had left and no answer was in safety:
// nobody can know then what the server did. That is one row of the table where the bytes had not come,
// and another for the one call between their coming and their safety.
//
// FAULT_RUNS=all takes every call from the request on. Otherwise it is a sample, with the calls around
// the mark, the request and the parking always in it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { World } from '../e2e/lib/world.mjs';
import {
  NAME, addAccount, closeWorld, erase, get, logIn, seen, worksAtApi,
} from '../e2e/lib/standing-grant.mjs';
import {
  CLASSES, callsBetween, classOf, evenly, getUnderFire, milestones, obstacle, parkedSize, sizeOfAnswer,
} from './lib/killer.mjs';
import { sumUp, table } from './lib/table.mjs';

const EVERY = process.env.FAULT_RUNS === 'all';
const MARGIN = 6; // how far the numbering of two runs may be apart
const UNKNOWN = ['sent', 'parking']; // what the server did, or what it said
const skip = obstacle();

// Calls from one of killer.c's starting points on: each of them, or in a sample `few`, evenly spread.
function points(from, first, last, few = Infinity) {
  const count = Math.min(EVERY ? Infinity : few, last - first + 1);
  return Array.from({ length: count }, (_, i) => ({ from, at: Math.round(first + i * (last - first) / Math.max(1, count - 1)) }));
}

describe('killed', { skip }, () => {
  let world;
  let profile; // of a run that nothing befell, numbered from its request
  const sections = {}; // of the table

  async function measure(from) {
    await erase(world);
    const { code, calls, stderr } = await getUnderFire(world, NAME, { from });
    assert.equal(code, 0, stderr);
    return { calls, passed: milestones(calls, sizeOfAnswer(calls)), answerSize: sizeOfAnswer(calls), total: calls.at(-1).number };
  }

  // One run that is killed and one in peace: what came of it.
  async function trial(point) {
    let killed;
    let result;
    await erase(world);
    const counts = await seen(world, async () => {
      killed = await getUnderFire(world, NAME, point);
      result = await get(world);
    });
    const works = await worksAtApi(world, result);
    if (!works) await logIn(world);
    return {
      ...point, works, ...counts, fired: killed.fired, class: classOf(milestones(killed.calls, profile.answerSize), killed.fired),
      parked: parkedSize(killed.calls), stderr: result.stderr,
    };
  }

  async function trials(section, where) {
    const outcomes = [];
    for (const point of where) outcomes.push(await trial(point));
    sections[section] = outcomes.filter(({ fired }) => fired !== undefined);
    return sections[section];
  }

  const isKnown = (outcome) => !UNKNOWN.includes(outcome.class);
  const assertNothingLost = (outcomes) => assert.deepEqual(
    outcomes.filter(({ works, twice, refused }) => !works || twice > 0 || refused > 0), [],
  );
  const untilParked = (few) => [...points('send', 0, profile.passed.parked.number - 1, few), ...points('pending', 0, 5, 3)];

  before(async () => {
    world = await World.create();
    await addAccount(world);
    profile = await measure('send');
  });
  after(() => closeWorld(world));

  test('between the last byte of the answer and its safety lies one system call', (t) => {
    const between = callsBetween(profile.calls, profile.passed.received, profile.passed.parked);
    t.diagnostic(`from its arrival until it is safe: ${between.join(', ')}`);
    assert.deepEqual(between, ['add_key']);
  });

  test('S0:32 from the request on, at a server that ends the login when a token comes twice', async () => {
    const { total } = await measure('pending');
    const settling = await measure('settle');
    const { published } = settling.passed;
    const where = [
      ...untilParked(6), ...points('pending', 6, total + MARGIN, 6), ...points('settle', 1, published.number - 1, 3),
      ...points('settle', published.number, settling.total - 1, 4),
      ...(EVERY ? untilParked() : []), // once more: the numbering differs a little from run to run
    ];
    const outcomes = await trials('a token that comes twice ends the login', where);
    assert.ok(outcomes.length > (EVERY ? 100 : 15), `${outcomes.length} runs`);
    assertNothingLost(outcomes.filter(isKnown));
    assert.ok(outcomes.every(({ twice }) => twice <= 1), 'once more, and not again');
    for (const name of ['sent', 'parking', 'parked', 'stored', 'published']) {
      assert.ok(outcomes.some((one) => one.class === name), `a run that was killed when ${CLASSES[name]}`);
    }
  });

  test('the same at a server with a grace period: nothing is lost at all', async () => {
    await world.control.rotation({ grace: 30 });
    try {
      const outcomes = await trials('with a grace period', untilParked(4));
      assert.deepEqual(outcomes.filter((one) => !one.works || one.refused > 0 || (isKnown(one) && one.twice > 0)), []);
    } finally {
      await world.control.rotation({ grace: 0 });
    }
  });

  test('a server that does not rotate: nothing is lost at all', async () => {
    await world.control.rotation({ mode: 'never' });
    try {
      const outcomes = await trials('without rotation', untilParked(2));
      assert.deepEqual(outcomes.filter(({ works, refused }) => !works || refused > 0), []);
    } finally {
      await world.control.rotation({ mode: 'always' });
    }
  });

  test('before the request leaves', async () => {
    const { passed } = await measure('lock');
    const fromMark = (await measure('mark')).passed.sent.number;
    const early = evenly(EVERY ? 100 : 3, passed.sent.number).map((at) => ({ from: 'lock', at }));
    const outcomes = await trials('from the lock on', [...early, ...points('mark', 0, fromMark, 4)]);
    assertNothingLost(outcomes.filter(isKnown));
  });

  test('an answer in pieces: a refresh token that has come whole is kept', async (t) => {
    const slow = () => world.control.fault({ kind: 'slow', seconds: 0.5, grant_type: 'refresh_token' });
    await slow();
    const whole = await measure('pending');
    const outcomes = [];
    for (const at of [...evenly(EVERY ? 40 : 4, whole.passed.stored.number), whole.passed.stored.number - 1]) {
      await world.control.clearFaults();
      await slow();
      outcomes.push(await trial({ from: 'pending', at }));
    }
    await world.control.clearFaults();
    const most = Math.max(...outcomes.filter(({ works }) => !works).map(({ parked }) => parked));
    const least = Math.min(...outcomes.filter(({ works }) => works).map(({ parked }) => parked));
    t.diagnostic(`${outcomes.length} runs; lost with up to ${most} bytes in safety, kept with ${least} and more of ${parkedSize(whole.calls)}`);
    assert.ok(most > 0 && most < least && least < Infinity);
  });

  test('the run that puts things right is killed as well', async () => {
    const leaveParked = async () => {
      await erase(world);
      const { calls, fired } = await getUnderFire(world, NAME, { from: 'pending', at: 6 });
      return classOf(milestones(calls, profile.answerSize), fired) === 'parked';
    };
    assert.ok(await leaveParked());
    const { calls } = await getUnderFire(world, NAME, { from: 'lock' });
    const outcomes = [];
    for (const at of evenly(EVERY ? 100 : 5, calls.at(-1).number)) {
      assert.ok(await leaveParked());
      outcomes.push(await secondTrial(at));
    }
    sections['a second time, with the answer parked'] = outcomes;
    assertNothingLost(outcomes);
  });

  async function secondTrial(at) {
    let result;
    const counts = await seen(world, async () => {
      await getUnderFire(world, NAME, { from: 'lock', at });
      result = await get(world);
    });
    const works = await worksAtApi(world, result);
    if (!works) await logIn(world);
    return { at, class: 'parked', works, ...counts, stderr: result.stderr };
  }

  test('all of it in a table', (t) => {
    for (const line of table(sections, CLASSES)) t.diagnostic(line);
    const all = Object.values(sections).flat();
    const { lost, twice } = sumUp(all.filter(isKnown));
    t.diagnostic(`${all.length} runs were killed. Where the answer was in safety, or nothing had been sent: ${lost} refresh tokens lost, ${twice} sent twice.`);
    assert.ok(!EVERY || all.length > 100);
    assert.deepEqual([lost, twice], [0, 0]);
  });
});
