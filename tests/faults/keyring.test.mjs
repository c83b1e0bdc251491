// SPDX-License-Identifier: MIT
//
// The keyring goes away at every stage of a renewal. As long as nothing was sent nothing is; once the
// server has answered, the caller gets the access token, hears that the keyring must be opened (exit
// status 4), and the next run finishes the write. No refresh token is lost, none comes twice.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { NAME, addAccount, assertWorks, erase, get, inWorld, refreshTokenOf, refreshes, untilAsked } from '../e2e/lib/standing-grant.mjs';
import { LOCK, daemonPid, killBus, restartBus } from './lib/keyring.mjs';
import { getUnderFire, obstacle } from './lib/killer.mjs';

const EVERY = process.env.FAULT_RUNS === 'all';
const skip = obstacle();

// GLib's way to react to a bus that goes away while the connection is being made.
const GONE = 128 + 15;

const inAccount = (options, body, extra) => inWorld(options, async (world) => {
  await addAccount(world, NAME, extra);
  await body(world);
});

// What can happen to the keyring, and how it comes back.
const MISFORTUNES = {
  locked: { happen: ({ keyring }) => keyring.lock(), mend: ({ keyring }) => keyring.unlock() },
  'its daemon killed': { happen: ({ keyring }) => keyring.kill(), mend: ({ keyring }) => keyring.start() },
  'its daemon replaced by a locked one': {
    options: { activation: true }, happen: ({ keyring }) => keyring.kill(), mend: ({ keyring }) => keyring.unlock(),
  },
  'the bus gone': { happen: killBus, mend: restartBus },
  'its daemon mute': {
    extra: { timeout: 2 },
    async happen(world) { world.mute = await daemonPid(world); process.kill(world.mute, 'SIGSTOP'); },
    mend: (world) => process.kill(world.mute, 'SIGCONT'),
  },
};

// The next run has finished the write, be it in the background.
async function untilStored(world, old) {
  for (let tries = 0; tries < 100 && await refreshTokenOf(world) === old; tries += 1) await pause(50);
  assert.notEqual(await refreshTokenOf(world), old, 'the next run has finished the write');
}

describe('before the request, and between request and answer', () => {
  for (const [name, { options = {}, extra, happen, mend }] of Object.entries(MISFORTUNES)) {
    test(name, () => inAccount(options, async (world) => {
      await happen(world);
      const refused = await get(world);
      assert.equal(refused.code, 4, refused.stderr);
      assert.match(refused.answer.error, /^store_(locked|unavailable)$/);
      assert.equal((await refreshes(world)).total, 0, 'nothing was sent');
      await mend(world);

      const old = await refreshTokenOf(world);
      await world.control.fault({ kind: 'delay', seconds: 0.5 });
      const [result] = await Promise.all([get(world), untilAsked(world).then(() => happen(world))]);
      assert.equal(result.code, 4, result.stderr);
      assert.match(result.stderr, /next refresh token is not in the keyring yet/);
      await assertWorks(world, { ...result, code: 0 });
      await mend(world);
      const next = await get(world);
      assert.equal(next.code, 0, next.stderr);
      await untilStored(world, old);
      await erase(world);
      await assertWorks(world, await get(world));
      assert.equal((await refreshes(world)).error, 0);
    }, extra));
  }

  test('as long as it stays locked every run hands out the token, and nobody asks the server', () => inAccount({}, async (world) => {
    await world.control.fault({ kind: 'delay', seconds: 0.5 });
    await Promise.all([get(world), untilAsked(world).then(() => world.keyring.lock())]);
    for (let i = 0; i < 3; i += 1) {
      await erase(world); // not even the cached token helps
      const { answer, code } = await get(world);
      assert.equal(code, 4);
      await assertWorks(world, { answer, code: 0 });
    }
    assert.equal((await refreshes(world)).total, 1);
    await world.keyring.unlock();
    await erase(world);
    await assertWorks(world, await get(world));
    await erase(world);
    await assertWorks(world, await get(world));
    assert.equal((await refreshes(world)).error, 0);
  }));

  test('the item removed by somebody: it is made again', () => inAccount({}, async (world) => {
    await world.control.fault({ kind: 'delay', seconds: 0.5 });
    const [result] = await Promise.all([get(world),
      untilAsked(world).then(() => world.exec('secret-tool', ['clear', 'account', NAME, 'kind', 'refresh_token']))]);
    await assertWorks(world, result);
    await erase(world);
    await assertWorks(world, await get(world));
  }));
});

describe('at every step', { skip }, () => {
  const points = (from, to, count) => Array.from({ length: count }, (_, i) => Math.round(from + i * (to - from) / (count - 1)));

  async function steps(world, t, where, happen, mend) {
    const outcomes = [];
    for (const at of where) {
      await erase(world);
      const { total } = await refreshes(world);
      const struck = await getUnderFire(world, NAME, { from: 'lock', at, ...await happen() });
      const sent = (await refreshes(world)).total - total;
      await mend(struck);
      await erase(world);
      const after = await get(world);
      outcomes.push({
        at, struck: struck.code, sent, handedOut: struck.answer.credential !== undefined, after: after.code,
        stderr: `${struck.stderr}${after.stderr}`,
      });
    }
    const codes = [...new Set(outcomes.map(({ struck }) => struck))].sort();
    const ended = codes.map((code) => `${outcomes.filter(({ struck }) => struck === code).length} with exit ${code}`);
    t.diagnostic(`${outcomes.length} runs: ${ended.join(', ')}; `
      + `a token from ${outcomes.filter(({ handedOut }) => handedOut).length}, `
      + `get works afterwards in ${outcomes.filter(({ after }) => after === 0).length}`);
    const good = ({ struck, sent, handedOut, after }) => after === 0
      && ([0, 4].includes(struck) ? handedOut === (sent > 0) : struck === GONE && sent === 0);
    assert.deepEqual(outcomes.filter((outcome) => !good(outcome)), []);
    assert.equal((await refreshes(world)).error, 0, 'no refresh token came twice');
  }

  const lengthOf = async (world) => {
    await erase(world);
    return (await getUnderFire(world, NAME, { from: 'lock' })).calls.at(-1).number;
  };

  test('locked', (t) => inAccount({}, async (world) => {
    const where = points(1, await lengthOf(world) - 30, EVERY ? 40 : 5);
    await steps(world, t, where, () => ({ command: LOCK }), () => world.keyring.unlock());
  }));

  test('its daemon killed', (t) => inAccount({}, async (world) => {
    const where = points(1, await lengthOf(world) - 30, EVERY ? 40 : 5);
    const restart = async ({ fired }) => { if (fired) await world.keyring.start(); };
    await steps(world, t, where, async () => ({ victim: await daemonPid(world) }), restart);
  }));

  test('the bus gone', (t) => inAccount({}, async (world) => {
    const where = points(1, await lengthOf(world) - 30, EVERY ? 20 : 4);
    const happen = () => ({ victim: world.busPid ?? Number(world.env.KEYRING_BUS_PID) });
    const restart = async ({ fired }) => { if (fired) await restartBus(world); };
    await steps(world, t, where, happen, restart);
  }));
});
