// SPDX-License-Identifier: MIT
//
// Servers that rotate the refresh token and then answer badly. A refresh token that was in the answer
// is kept, whatever is wrong with the rest of it; the server has put it in the old one's place.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { NAME, assertWorks, erase, get, logIn, refreshTokenOf, refreshes, tokensSent, withAccount } from '../e2e/lib/standing-grant.mjs';

// A good answer, oddly put: the token is handed out.
const GOOD = {
  delay: { seconds: 0.5 }, slow: { seconds: 0.5 }, wrong_type: {}, chunked: {}, expires_string: {}, no_expires: {}, bearer_lower: {}, bom: {},
};
// The access token is of no use, the refresh token is.
const SPOILED = {
  no_token_type: {}, mac: {}, ctl_token: {},
  'set access_token to a number': { kind: 'set', set: { access_token: 7 } },
  'unset access_token': { kind: 'set', unset: ['access_token'] },
};
// No JSON that could be believed, and yet the refresh token stands in it.
const UNREADABLE = {
  dup_keys: {}, deep: {}, huge: {}, 'the end cut off': { kind: 'truncated_json', omit: 10 },
};
// Nothing of the new refresh token has come.
const NOTHING = {
  reset_after: {}, close_after: {}, truncated_json: {}, short_body: {}, empty_body: {}, html200: {},
  500: { commit: true }, 502: { commit: true }, 'status 504': { kind: '500', status: 504, commit: true },
  'half a header': { kind: 'raw_http', commit: true, body: 'HTTP/1.1 200 OK\r\nContent-Ty' },
  'a wrong length': { kind: 'raw_http', commit: true, body: 'HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n' },
};

// What a second try meets.
const SERVERS = {
  'no grace period': { rotation: { mode: 'always', grace: 0 }, rescued: false },
  'a grace period': { rotation: { mode: 'always', grace: 30 }, rescued: true },
  'no rotation': { rotation: { mode: 'never', grace: 0 }, rescued: true },
};

const EVERY = process.env.FAULT_RUNS === 'all';
const SAMPLE = ['reset_after', 'truncated_json', '500'];
const good = Object.entries(GOOD).filter(([name]) => EVERY || ['slow', 'chunked', 'no_expires'].includes(name));
const chosen = Object.entries(NOTHING).filter(([name]) => EVERY || SAMPLE.includes(name));
const servers = Object.entries(SERVERS);

const faultOf = (name, fault) => ({ kind: name, grant_type: 'refresh_token', ...fault });

describe('a rotated token in a bad answer', () => {
  let world;
  withAccount((made) => { world = made; });
  beforeEach(async () => {
    await world.control.rotation({ mode: 'always', grace: 0 });
    if ((await get(world)).code !== 0) await logIn(world);
    await erase(world);
  });

  // One renewal under the fault: { result, requests, refused }.
  async function renew(name, fault) {
    const earlier = await refreshes(world);
    await world.control.fault(faultOf(name, fault));
    const result = await get(world);
    await world.control.clearFaults();
    const { total, error } = await refreshes(world);
    return { result, requests: total - earlier.total, refused: error - earlier.error };
  }

  async function assertNextWorks() {
    const { error } = await refreshes(world);
    await erase(world);
    await assertWorks(world, await get(world));
    assert.equal((await refreshes(world)).error, error, 'the server saw nothing twice');
  }

  for (const [name, fault] of good) {
    test(`good: ${name}`, async () => {
      const { result, requests } = await renew(name, fault);
      await assertWorks(world, result);
      assert.equal(requests, 1);
      await assertNextWorks();
    });
  }

  for (const [name, fault] of Object.entries({ ...SPOILED, ...UNREADABLE })) {
    test(`kept: ${name}`, async () => {
      const old = await refreshTokenOf(world);
      const { result, requests, refused } = await renew(name, fault);
      assert.deepEqual([result.code, result.answer.error, requests, refused], [8, 'malformed_response', 1, 0], result.stderr);
      assert.notEqual(await refreshTokenOf(world), old);
      await assertNextWorks();
    });
  }

  async function assertLost({ result, requests, refused }) {
    assert.deepEqual([result.code, result.answer.error, requests, refused], [3, 'login_required', 2, 1], result.stderr);
    assert.match(result.stderr, new RegExp(`lost.*ringbearer login ${NAME}`), 'it says what happened');
    const [first, second] = (await tokensSent(world)).slice(-2);
    assert.equal(first, second);
  }

  async function assertRescued({ result, requests, refused }) {
    await assertWorks(world, result);
    assert.deepEqual([requests, refused], [2, 0]);
    await assertNextWorks();
  }

  for (const [name, fault] of chosen) {
    for (const [server, { rotation, rescued }] of servers) {
      test(`lost on the way: ${name}; ${server}`, async () => {
        await world.control.rotation(rotation);
        await (rescued ? assertRescued : assertLost)(await renew(name, fault));
      });
    }
  }

  test('lost on the way: reset_after; rotation every second time: lost only if it was the time', async () => {
    await world.control.rotation({ mode: 'alternate' });
    const seen = new Set();
    for (let i = 0; i < 4; i += 1) {
      const outcome = await renew('reset_after', {});
      seen.add(outcome.result.code);
      if (outcome.result.code === 0) await assertRescued(outcome);
      else await assertLost(outcome);
      if (outcome.result.code !== 0) await logIn(world);
      await erase(world);
    }
    assert.deepEqual([...seen].sort(), [0, 3]);
  });

  test('a refresh token is withheld: the old one is kept, and the server says that it is dead', async () => {
    const old = await refreshTokenOf(world);
    await assertWorks(world, (await renew('lose_rt')).result);
    assert.equal(await refreshTokenOf(world), old);
    await erase(world);
    assert.equal((await get(world)).answer.error, 'login_required');
  });
});
