// SPDX-License-Identifier: MIT
//
// When nobody knows whether the server has used the refresh token up: one more try, soon, and never
// later by itself. And when the server says that a token or a client is no good.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { grantA } from '../e2e/lib/flows.mjs';
import { encoded, itemsOf } from '../e2e/lib/keyring-items.mjs';
import { DASHBOARD } from '../servers/fixtures.mjs';
import {
  NAME, accountKeys, assertWorks, erase, get, logIn, refreshTokenOf, refreshes, tokensSent, untilAsked, withAccount,
} from '../e2e/lib/standing-grant.mjs';
import { getUnderFire, later, obstacle } from './lib/killer.mjs';
import { Relay } from './lib/relay.mjs';

const TOO_LATE = 5.2; // seconds after which nothing is sent again by itself
const lost = { kind: 'reset_after', grant_type: 'refresh_token' };
const skip = obstacle();

describe('uncertain', { skip }, () => {
  let world;
  withAccount((made) => { world = made; });
  beforeEach(async () => {
    clock = {};
    await world.control.clearFaults();
    await world.control.rotation({ mode: 'always', grace: 30 });
    world.account(NAME, accountKeys(world));
    await logIn(world);
    await erase(world);
  });

  let clock = {}; // the environment that makes it later
  const pass = (seconds) => { clock = later(world, seconds); };

  // What WORK costs the server: { result, requests }.
  async function counted(work) {
    const { total } = await refreshes(world);
    const result = await work();
    return { result, requests: (await refreshes(world)).total - total };
  }
  const ask = () => counted(() => get(world, {}, { env: clock }));
  const assertUncertain = ({ result, requests }, expected) => assert.deepEqual(
    [result.code, result.answer.error, requests], [5, 'rotation_uncertain', expected], result.stderr,
  );
  const refresh = () => counted(() => world.run(['refresh', NAME], { env: clock }));

  async function assertRescued() {
    const { result, requests } = await refresh();
    assert.deepEqual([result.code, requests], [0, 1], result.stderr);
    await erase(world);
    assert.equal((await ask()).requests, 1, 'the mark is gone');
  }

  test('lost twice: the token stays, nobody sends it later, a person can', async () => {
    const token = await refreshTokenOf(world);
    await world.control.fault({ ...lost, count: 2 });
    assertUncertain(await ask(), 2);
    assert.equal(await refreshTokenOf(world), token);
    pass(TOO_LATE);
    for (let i = 0; i < 3; i += 1) {
      const asked = await ask();
      assertUncertain(asked, 0);
      assert.match(asked.result.stderr, new RegExp(`ringbearer refresh ${NAME}`));
    }
    await assertRescued();
  });

  test('lost twice: the next run does not make it three times', async () => {
    await world.control.fault({ ...lost, count: 2 });
    assertUncertain(await ask(), 2);
    assertUncertain(await ask(), 0);
    await assertRescued();
  });

  test('refresh_retry = never: once, and not again', async () => {
    world.account(NAME, accountKeys(world, { refresh_retry: 'never' }));
    await world.control.fault(lost);
    assertUncertain(await ask(), 1);
    assertUncertain(await ask(), 0);
    await assertRescued();
  });

  test('`refresh` tries once, even if that is lost as well', async () => {
    await world.control.fault({ ...lost, count: 2 });
    assertUncertain(await ask(), 2);
    await world.control.fault(lost);
    pass(TOO_LATE);
    const { result, requests } = await refresh();
    assert.deepEqual([result.code, requests], [5, 1], result.stderr);
    assertUncertain(await ask(), 0);
    await assertRescued();
  });

  test('lost, then turned away', async () => {
    await world.control.fault(lost, { kind: '503', grant_type: 'refresh_token', retry_after: 120 });
    assertUncertain(await ask(), 2);
    pass(TOO_LATE);
    assertUncertain(await ask(), 0);
    await assertRescued();
  });

  // The account behind a relay that stops listening after so many connections.
  async function behindRelay(connections, body) {
    const relay = new Relay(world.urls.a);
    await relay.open(connections);
    try {
      world.account(NAME, accountKeys(world, { tenant: relay.host }));
      await world.request({ account: NAME, client_secret: DASHBOARD.client_secret }, { verb: 'store' });
      await logIn(world);
      await body(relay);
    } finally {
      relay.close();
    }
  }

  test('lost, then nobody listens', () => behindRelay(1, async (relay) => {
    await world.control.fault(lost);
    assertUncertain(await ask(), 1);
    await relay.open();
    pass(TOO_LATE);
    assertUncertain(await ask(), 0);
    await assertRescued();
  }));

  test('not sent at all: tried again, and nothing is uncertain afterwards', () => behindRelay(Infinity, async (relay) => {
    relay.close();
    const { result, requests } = await ask();
    assert.deepEqual([result.code, result.answer.error, requests], [5, 'network', 0], result.stderr);
    await relay.open();
    pass(TOO_LATE);
    await assertWorks(world, (await ask()).result);
  }));

  for (const [name, fault] of Object.entries({ 429: { retry_after: 120 }, 503: { retry_after: 120 }, empty_503: {} })) {
    test(`${name}: not processed, so it may be sent again at any time`, async () => {
      await world.control.rotation({ grace: 0 });
      await world.control.fault({ kind: name, grant_type: 'refresh_token', count: 3, ...fault });
      const { result } = await ask();
      assert.deepEqual([result.code, result.answer.error], [5, 'temporarily_unavailable'], result.stderr);
      await world.control.clearFaults();
      await erase(world);
      pass(TOO_LATE);
      await assertWorks(world, (await ask()).result);
    });
  }

  test('killed with the request under way: too late for another try after five seconds', async () => {
    const token = await refreshTokenOf(world);
    await getUnderFire(world, NAME, { at: 2 });
    pass(TOO_LATE);
    assertUncertain(await ask(), 0);
    assert.equal(await refreshTokenOf(world), token);
    await assertRescued();
  });

  test('killed twice with the request under way: the first one counts', async () => {
    await getUnderFire(world, NAME, { at: 2 });
    await getUnderFire(world, NAME, { at: 2, env: later(world, 3.5) });
    pass(7);
    assertUncertain(await ask(), 0);
    await assertRescued();
  });
});

describe('refused', () => {
  let world;
  withAccount((made) => { world = made; });
  beforeEach(() => erase(world));
  afterEach(() => logIn(world));

  const requests = async () => (await refreshes(world)).total;

  test('invalid_grant is remembered: nobody asks again with this token but a person', async () => {
    await world.control.withdraw();
    const earlier = await requests();
    for (let i = 0; i < 5; i += 1) {
      await erase(world); // drops the verdict that callers share
      const { code, answer, stderr } = await get(world);
      assert.deepEqual([code, answer.error], [3, 'login_required']);
      assert.match(stderr, new RegExp(`ringbearer login ${NAME}`));
    }
    assert.equal(await requests(), earlier + 1);
    assert.equal((await world.run(['refresh', NAME])).code, 3);
    assert.equal(await requests(), earlier + 2);
    await logIn(world);
    await assertWorks(world, await get(world));
  });

  // By another machine's hand, say, that has the same keyring: `store` here would wait for the renewal's end.
  const storing = async (token) => {
    const { attributes } = (await itemsOf(world, NAME)).find((item) => item.attributes.kind === 'refresh_token');
    const words = Object.entries(attributes).flat().map((word) => `'${word}'`).join(' ');
    return `printf %s '${encoded(token)}' | secret-tool store --label=moved ${words}`;
  };

  test('invalid_grant, but the store has another token by now: that one is used, once', { skip }, async () => {
    const { refresh_token } = await grantA(world);
    await world.request({ account: NAME, refresh_token: 'withdrawn-long-ago' }, { verb: 'store' });
    const earlier = await requests();
    const result = await getUnderFire(world, NAME, { at: 0, command: await storing(refresh_token) });
    await assertWorks(world, result);
    assert.equal(await requests(), earlier + 2);
  });

  test('invalid_grant, and the other token is dead as well: two requests', { skip }, async () => {
    await world.request({ account: NAME, refresh_token: 'withdrawn-long-ago' }, { verb: 'store' });
    const earlier = await requests();
    const result = await getUnderFire(world, NAME, { at: 0, command: await storing('withdrawn-not-so-long-ago') });
    assert.deepEqual([result.code, result.answer.error], [3, 'login_required'], result.stderr);
    assert.equal(await requests(), earlier + 2);
  });

  test('invalid_client keeps the refresh token, and says what may be the matter', async () => {
    const token = await refreshTokenOf(world);
    await world.control.app({ client_id: DASHBOARD.client_id, status: 'OFF' });
    const earlier = await requests();
    for (let i = 0; i < 3; i += 1) {
      const { code, answer, stderr } = await get(world);
      assert.deepEqual([code, answer.error], [6, 'client_rejected']);
      assert.match(stderr, /regenerated.*switched OFF/);
    }
    assert.equal(await requests(), earlier + 1, 'the verdict is shared');
    assert.equal(await refreshTokenOf(world), token);
    await world.control.app({ client_id: DASHBOARD.client_id, status: 'ON' });
    await erase(world);
    await assertWorks(world, await get(world));
  });
});

describe('an answer that waits for its keyring', () => {
  let world;
  withAccount((made) => { world = made; });
  beforeEach(async () => {
    await erase(world);
    await world.control.fault({ kind: 'delay', seconds: 0.5 });
    const asked = (await refreshes(world)).total;
    await Promise.all([get(world), untilAsked(world, asked + 1).then(() => world.keyring.lock())]);
    await world.keyring.unlock();
  });

  test('does not displace a token that a person has stored since', async () => {
    const { refresh_token } = await logIn(world);
    await erase(world);
    await assertWorks(world, await get(world));
    assert.equal((await tokensSent(world)).at(-1), refresh_token, 'the token that the person stored is the one in use');
  });

  for (const [name, forget] of Object.entries({
    logout: () => world.run(['logout', NAME]),
    'erase secret=refresh_token': () => world.request({ account: NAME, secret: 'refresh_token' }, { verb: 'erase' }),
  })) test(`is forgotten by ${name}`, async () => {
    await forget();
    const { total } = await refreshes(world);
    const { code, answer } = await get(world);
    assert.deepEqual([code, answer.error], [3, 'login_required']);
    assert.equal((await refreshes(world)).total, total);
    assert.equal(await refreshTokenOf(world), undefined);
    await logIn(world);
  });
});
