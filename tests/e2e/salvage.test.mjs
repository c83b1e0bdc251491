// SPDX-License-Identifier: MIT
//
// An answer that is of no use as a whole, and the next refresh token in it: the server knows no other
// any more, so it is kept wherever it can be read, and parked in the kernel until then.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  NAME, assertWorks, erase, get, logIn, refreshTokenOf, refreshes, tokensSent, untilAsked, withAccount,
} from './lib/standing-grant.mjs';

const LIMIT = 256 * 1024; // of an answer

let world;
withAccount((made) => { world = made; });
beforeEach(async () => {
  await world.control.clearFaults();
  await erase(world);
  await logIn(world);
});

const fault = (one) => world.control.fault({ grant_type: 'refresh_token', ...one });

// The next `get` works, with a refresh token that the server has not seen before.
async function assertKept(old) {
  const kept = await refreshTokenOf(world);
  assert.notEqual(kept, old, 'the next refresh token is in the keyring');
  const { error } = await refreshes(world);
  await assertWorks(world, await get(world));
  assert.equal((await tokensSent(world)).at(-1), kept);
  assert.equal((await refreshes(world)).error, error, 'the server saw no reuse');
}

describe('an answer that is refused, and its refresh token is kept', () => {
  const answers = {
    'ten megabytes behind the tokens': { kind: 'huge' },
    'a little more than 256 KiB behind them': { kind: 'huge', bytes: LIMIT },
    'more than 256 KiB in all, most of it before them': { kind: 'huge', first: LIMIT - 256, bytes: 4096 },
    'an object nested too deep': { kind: 'deep', depth: 40 },
    'a token of another type': { kind: 'mac' },
  };
  for (const [name, one] of Object.entries(answers)) {
    test(name, async () => {
      const old = await refreshTokenOf(world);
      const before = await refreshes(world);
      await fault(one);
      const { code, answer } = await get(world);
      assert.deepEqual([code, answer.error], [8, 'malformed_response']);
      assert.equal((await refreshes(world)).total, before.total + 1, 'asked once');
      await assertKept(old);
    });
  }
});

test('a refresh token behind the limit cannot be read: the outcome is not known', async () => {
  await world.control.rotation({ grace: 60 });
  await fault({ kind: 'huge', first: LIMIT, bytes: 0, count: 2 });
  const { code, answer } = await get(world);
  assert.deepEqual([code, answer.error], [5, 'rotation_uncertain']);
  await world.control.rotation({ grace: 0 });
});

// A gateway's page may show whatever was sent to it.
describe('a page that refuses, and shows what looks like a refresh token', () => {
  const page = '<html><p>"refresh_token": "on-a-page"</p></html>';
  const long = page + 'x'.repeat(9000);
  const pages = {
    '502': ['502 Bad Gateway', page], '502, long': ['502 Bad Gateway', long], '400': ['400 Bad Request', page], '302': ['302 Found', page],
    '502, cut': ['502 Bad Gateway', page, 100], '502, long and cut': ['502 Bad Gateway', long, 100], '400, cut': ['400 Bad Request', page, 100],
  };
  for (const [name, [status, body, missing = 0]] of Object.entries(pages)) {
    test(name, async () => {
      const old = await refreshTokenOf(world);
      await fault({ kind: 'raw_http', count: 2, body: `HTTP/1.1 ${status}\r\nContent-Length: ${body.length + missing}\r\n\r\n${body}` });
      for (let runs = 0; runs < 2; runs += 1) {
        await get(world);
        assert.equal((await tokensSent(world)).at(-1), old);
      }
      await world.control.clearFaults();
      assert.equal(await refreshTokenOf(world), old);
      await world.must(['refresh', NAME]);
      await assertWorks(world, await get(world));
    });
  }
});

// The keyring is locked while the request is under way, so that what was parked is all there is.
describe('what is parked of a long answer has its refresh token', () => {
  const answers = {
    'behind 60 KiB': { first: 60 * 1024, bytes: 0, code: 4 },
    'before 60 KiB': { bytes: 60 * 1024, code: 4 },
    'before ten megabytes': { code: 8 },
  };
  for (const [name, { code: expected, ...one }] of Object.entries(answers)) {
    test(name, async () => {
      const old = await refreshTokenOf(world);
      const asked = (await tokensSent(world)).length;
      await fault({ kind: 'huge', seconds: 1, ...one });
      const running = get(world);
      await untilAsked(world, asked + 1);
      await world.keyring.lock();
      const { code } = await running;
      await world.keyring.unlock();
      assert.equal(code, expected);
      assert.equal(await refreshTokenOf(world), old, 'nothing could be written');
      await erase(world);
      const { error } = await refreshes(world);
      await assertWorks(world, await get(world));
      assert.notEqual((await tokensSent(world)).at(-1), old);
      assert.equal((await refreshes(world)).error, error, 'the server saw no reuse');
    });
  }
});
