// SPDX-License-Identifier: MIT
//
// A renewal talks with the keyring over one session and asks nothing twice but what can change: whether an item is
// still the one that was found. What breaks while the request is under way is noticed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import { beforeEach, test } from 'node:test';
import { openCountingBus } from './lib/counting-bus.mjs';
import {
  NAME, addAccount, assertWorks, erase, get, inWorld, logIn, refreshTokenOf, refreshes, tokensSent, untilAsked, withAccount,
} from './lib/standing-grant.mjs';

let world;
withAccount((made) => { world = made; });
beforeEach(async () => {
  await erase(world);
  await logIn(world);
});

// `get`, and what happens between its request and the answer.
async function meanwhile(where, happening) {
  const asked = (await tokensSent(where)).length;
  await where.control.fault({ kind: 'delay', seconds: 1, grant_type: 'refresh_token' });
  const running = get(where);
  await untilAsked(where, asked + 1);
  await happening();
  return running;
}

// What is asked before the first item is: the session and the search go on side by side.
const OPENING = ['AddMatch', 'GetNameOwner', 'Hello', 'Locked', 'OpenSession', 'SearchItems'];
const READ = ['Attributes', 'GetSecret'];
const HUNG = 10000; // whoever waits for one answer of a pair

async function countCalls(options, work) {
  const bus = await openCountingBus(world, options);
  try {
    await work({ env: bus.env, timeout: HUNG });
  } finally {
    await bus.close();
  }
  const start = bus.seen.indexOf('Attributes');
  return { opening: bus.seen.slice(0, start).toSorted(), rest: bus.seen.slice(start) };
}

test('a rotation opens one session, finds both secrets at once, writes into the item that it read, and reads it again', async () => {
  const pairs = { SearchItems: [0], Attributes: [0, 1, 3] }; // the third of them is looked at before anything is written
  const { opening, rest } = await countCalls({ pairs }, async (options) => assertWorks(world, await get(world, {}, options)));
  assert.deepEqual(opening, [...OPENING, 'SearchItems']);
  assert.deepEqual(rest, [...READ, ...READ, 'Attributes', 'SetSecret', ...READ]);
});

test('a renewal with a client secret alone searches for that alone', async () => {
  const account = `${NAME}-machine`;
  await world.addClientCredentials(account);
  const { opening, rest } = await countCalls({ pairs: { Attributes: [0] } }, async (options) => {
    const { code, stderr } = await get(world, { account }, options);
    assert.equal(code, 0, stderr);
  });
  await erase(world, account);
  assert.deepEqual([opening, rest], [OPENING, READ]);
});

test('the secret of another item that is there by now is not sent and not overwritten: the right one is searched for', async () => {
  const searched = ['Locked', 'SearchItems'];
  const before = await refreshTokenOf(world);
  const read = await countCalls({ moved: { Attributes: [1] } }, async (options) => assertWorks(world, await get(world, {}, options)));
  assert.deepEqual(read.rest, [...READ, ...READ, ...searched, 'GetSecret', 'Attributes', 'SetSecret', ...READ]);
  await erase(world);
  const written = await countCalls({ moved: { Attributes: [2] } }, async (options) => assertWorks(world, await get(world, {}, options)));
  assert.deepEqual(written.rest, [...READ, ...READ, 'Attributes', ...searched, 'SetSecret', ...READ]);
  assert.notEqual(await refreshTokenOf(world), before);
});

test('the item is removed in between: the next token gets a new one', async () => {
  const old = await refreshTokenOf(world);
  const result = await meanwhile(world, () => world.exec('secret-tool', ['clear', 'account', NAME, 'kind', 'refresh_token']));
  await assertWorks(world, result);
  assert.equal(result.stderr, '');
  assert.notEqual(await refreshTokenOf(world) ?? old, old);
});

// Whoever waits at the terminal lets signals in while it waits and at no other time; one that another thread takes wakes nobody.
test('no thread but the first takes a signal', async () => {
  const wanted = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP'].map((name) => os.constants.signals[name]);
  const blocked = {};
  await meanwhile(world, () => {
    const run = world.processes().find((id) => fs.readFileSync(`/proc/${id}/comm`, 'utf8').startsWith('ringbearer'));
    for (const task of fs.readdirSync(`/proc/${run}/task`).filter((id) => Number(id) !== Number(run))) {
      const status = fs.readFileSync(`/proc/${run}/task/${task}/status`, 'utf8');
      const mask = BigInt(`0x${/^SigBlk:\s*(\w+)/m.exec(status)[1]}`);
      blocked[/^Name:\s*(.*)/m.exec(status)[1]] = wanted.every((signal) => mask & (1n << BigInt(signal - 1)));
    }
  });
  assert.ok('gdbus' in blocked);
  assert.deepEqual(Object.keys(blocked).filter((name) => !blocked[name]), []);
});

test('the daemon is started again in between: a new session, and nothing is lost', async () => {
  const old = await refreshTokenOf(world);
  const result = await meanwhile(world, async () => {
    await world.keyring.kill();
    await world.keyring.start();
  });
  await assertWorks(world, result);
  assert.notEqual(await refreshTokenOf(world), old);
  assert.equal(result.stderr, '');
});

test('the daemon dies in between: the token is handed out, and the next run finishes', async () => {
  const result = await meanwhile(world, () => world.keyring.kill());
  assert.equal(result.code, 4);
  assert.match(result.stderr, /no keyring service runs/);
  assert.ok(result.answer.credential);
  await world.keyring.start();
  await erase(world);
  const { error } = await refreshes(world);
  await assertWorks(world, await get(world));
  assert.equal((await refreshes(world)).error, error, 'the server saw no reuse');
});

test('the bus dies in between: the token is handed out, and no signal ends the run', () => inWorld({}, async (other) => {
  await addAccount(other);
  await erase(other);
  const { code, signal, answer, stderr } = await meanwhile(other, () => other.keyring.killBus());
  assert.deepEqual([code, signal], [4, null], stderr);
  assert.ok(answer.credential);
  assert.match(stderr, /not in the keyring yet/);
}));
