// SPDX-License-Identifier: MIT
//
// Which failures of a token request are tried again, how often and when, and that a call ends in time.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MACHINE } from '../servers/fixtures.mjs';
import { addGeneric, afresh, closeWorld } from './lib/accounts.mjs';
import { ask, assertRefused, assertToken } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('retries');
const ALWAYS = 99;
const network = { exit: 5, error: 'network', says: /try again|`timeout`/ };
const later = { exit: 5, error: 'temporarily_unavailable', says: /try again later/ };
let world;
let control;

// When the token requests of a client arrived.
const arrivals = async (client = MACHINE.client_id) => (await control.log())
  .filter(({ endpoint, client_id }) => endpoint === 'token' && client_id === client).map(({ at }) => at);

// An account with a client that the server does not know, for faults that stand in for all answers.
async function addClient(name, keys) {
  await addGeneric(world, name, { client: { ...MACHINE, client_id: name }, ...keys });
  return (...faults) => control.fault(faults.map((fault) => ({ count: ALWAYS, client_id: name, ...fault })));
}

before(async () => {
  world = await World.create();
  control = world.control;
  await addGeneric(world, NAME);
});
after(() => closeWorld(world));

describe('once, and it works the second time', () => {
  beforeEach(async () => {
    await control.reset();
    await afresh(world, NAME);
  });

  const passing = ['reset_before', 'reset_after', 'close_after', 'short_body', '502', '503', '429'];
  for (const kind of passing) {
    test(kind, async () => {
      await control.fault({ kind });
      const result = await ask(world, NAME);
      assertToken(result);
      assert.equal(result.stderr, '');
      const [first, second, ...more] = await arrivals();
      assert.ok(second - first >= 240 && second - first < 1500, `after ${second - first} ms`);
      assert.deepEqual(more, []);
    });
  }

  test('two different failures, and it works the third time', async () => {
    await control.fault({ kind: 'reset_after' }, { kind: '502' });
    assertToken(await ask(world, NAME));
    const [first, second, third] = await arrivals();
    assert.ok(third - second >= 990 && third - second > second - first, 'the second pause is the longer one');
  });

  test('Retry-After in seconds is waited for', async () => {
    await control.fault({ kind: '503', retry_after: 1 });
    assertToken(await ask(world, NAME));
    const [first, second] = await arrivals();
    assert.ok(second - first >= 1000 && second - first < 2000, `after ${second - first} ms`);
  });

  test('Retry-After as a date is waited for', async () => {
    const then = Math.floor(Date.now() / 1000) * 1000 + 2000;
    await control.fault({ kind: '429', retry_after: new Date(then).toUTCString() });
    assertToken(await ask(world, NAME));
    const [, second] = await arrivals();
    assert.ok(second >= then - 1000 && second < then + 1500, `${second - then} ms after the date`);
  });

  test('a slow answer within the time is an answer', async () => {
    await control.fault({ kind: 'slow', seconds: 0.5 });
    assertToken(await ask(world, NAME));
    assert.equal((await arrivals()).length, 1);
  });
});

describe('side by side', { concurrency: true }, () => {
  before(() => control.reset());

  for (const kind of ['reset_before', 'close_before', '500', '502', '503', '429']) {
    test(`${kind}: never more than three requests`, async () => {
      const name = `${NAME}-always-${kind.replace('_', '-')}`;
      await (await addClient(name))({ kind });
      assertRefused(await ask(world, name), /^\d/.test(kind) ? later : network);
      assert.equal((await arrivals(name)).length, 3);
    });
  }

  const once = {
    'invalid_client': [{ kind: 'error', error: 'invalid_client', status: 401 }, 6],
    'invalid_grant': [{ kind: 'error', error: 'invalid_grant' }, 7],
    'forbidden': [{ kind: 'forbidden_html' }, 6],
    'a redirect': [{ kind: 'redirect' }, 7],
    'nonsense': [{ kind: 'error', status: 200, body: '<html>', type: 'text/html' }, 8],
  };
  for (const [index, [what, [fault, exit]]] of Object.entries(once).entries()) {
    test(`${what} is not tried again`, async () => {
      const name = `${NAME}-once-${index}`;
      await (await addClient(name))(fault);
      assert.equal((await ask(world, name)).code, exit);
      assert.equal((await arrivals(name)).length, 1);
    });
  }

  const waits = {
    'more than 30 s': [31, '60', [31, 31]],
    'more than the time that is left': [10, '3', [10, 10]],
    'until a far date': ['Wed, 21 Oct 2037 07:28:00 GMT', '60', [86400, 86400]],
  };
  for (const [index, [what, [retry_after, timeout, expected]]] of Object.entries(waits).entries()) {
    test(`Retry-After of ${what}: the caller is told, and nobody waits`, async () => {
      const name = `${NAME}-later-${index}`;
      await (await addClient(name, { timeout }))({ kind: '503', retry_after });
      const result = await ask(world, name);
      assertRefused(result, { ...later, retryAfter: expected });
      assert.ok(result.ms < 2000, `${result.ms} ms`);
      assert.equal((await arrivals(name)).length, 1);
    });
  }

  test('Retry-After holds for other callers, too, and counts down', async () => {
    const name = `${NAME}-shared`;
    await (await addClient(name))({ kind: '503', retry_after: 100 });
    await ask(world, name);
    assertRefused(await ask(world, name), { ...later, retryAfter: [90, 100] });
    assert.equal((await arrivals(name)).length, 1);
  });

  for (const kind of ['hang', '503']) {
    test(`\`timeout\` ends a call: ${kind}`, async () => {
      const name = `${NAME}-time-${kind}`;
      await (await addClient(name, { timeout: '2' }))({ kind, retry_after: kind === '503' ? 1 : undefined });
      const result = await ask(world, name);
      assertRefused(result, kind === 'hang' ? network : { ...later, retryAfter: [1, 1] });
      assert.ok(result.ms > 900 && result.ms < 3500, `${result.ms} ms`);
      assert.ok((await arrivals(name)).length <= 2);
    });
  }

  test('`timeout` ends a call: a server that accepts and never speaks', async () => {
    await addGeneric(world, `${NAME}-silent`, { token_endpoint: `${world.urls.silent}/token`, timeout: '2' });
    const result = await ask(world, `${NAME}-silent`);
    assertRefused(result, network);
    assert.ok(result.ms > 1900 && result.ms < 3500, `${result.ms} ms`);
  });

  test('nobody listens', async () => {
    const port = await World.freePort();
    await addGeneric(world, `${NAME}-refused`, { token_endpoint: `https://127.0.0.1:${port}/token` });
    const result = await ask(world, `${NAME}-refused`);
    assertRefused(result, { ...network, says: [/not reached/, /try again/] });
    assert.ok(result.ms > 1200 && result.ms < 6000, `three attempts: ${result.ms} ms`);
  });
});

test('an answer that comes too late', async () => {
  await control.reset();
  await addGeneric(world, `${NAME}-late`, { timeout: '1' });
  await control.fault({ kind: 'slow', seconds: 10 });
  const result = await ask(world, `${NAME}-late`);
  assertRefused(result, network);
  assert.ok(result.ms > 900 && result.ms < 2500, `${result.ms} ms`);
  assert.equal((await arrivals()).length, 1, 'no time was left for another attempt');
});
