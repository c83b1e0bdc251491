// SPDX-License-Identifier: MIT
//
// Programs as stores (store = command): how one is run, and what becomes of one that does not do as ringbearer-store(7) says. None is
// ever mistaken for a store that has no such secret.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { KEY, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const BINDING = 'printf "%s\\n" "$message" | grep -E "^(account|kind|client_id|endpoint)="';
let world;
let counter = 0;
before(async () => { world = await World.create({ servers: false, keyring: 'nobus' }); });
after(() => closeWorld(world));

// An account whose store is this script; the message is in $message.
function program(body, { words = '', keys = {} } = {}) {
  const name = unique(`command-${counter += 1}`);
  const file = path.join(world.dir, 'bin', `store-${counter}`);
  fs.writeFileSync(file, `#!/bin/sh\nmessage=$(cat)\nREPORT=${file}.report\n${body}\n`, { mode: 0o700 });
  world.account(name, { ...keyAccount, store: 'command', store_command: `${file}${words}`, ...keys });
  return { name, file, report: () => fs.readFileSync(`${file}.report`, 'utf8') };
}

// Ended, though perhaps nobody has asked how yet.
function isGone(id) {
  try {
    return fs.readFileSync(`/proc/${id}/stat`, 'latin1').split(') ').at(-1).startsWith('Z');
  } catch {
    return true;
  }
}

test('a good answer is taken, and one that is bound to something else is none', async () => {
  const good = program(`echo 'secret= ${KEY} = # '; ${BINDING}`);
  assert.equal((await ask(world, { account: good.name })).code, 8, 'blanks make no token, but they came through');
  const plain = program(`echo secret=${KEY}; ${BINDING}`);
  assert.equal((await ask(world, { account: plain.name })).answer.password, KEY);
  const foreign = program(`echo secret=${KEY}; ${BINDING} | sed 's/^endpoint=.*/endpoint=https:\\/\\/elsewhere.example.test\\//'`);
  assertRefused(await ask(world, { account: foreign.name }), 4, 'no_secret');
});

test('what is not on the page is unavailable, with the reason, and never absent', async () => {
  const bad = {
    'exit 0': /says neither secret= nor error=/,
    [`echo secret=${KEY}`]: /does not say what the secret is bound to/,
    'exit 3': /ended with status 3: it gives no reason/,
    'echo "first" >&2; echo "the vault is sealed" >&2; exit 1': /ended with status 1: the vault is sealed/,
    'kill -9 $$': /was ended by a signal/,
    'echo error=nonsense': /it gives no reason/,
    'head -c 2000000 /dev/zero': /writes more than 1048576 bytes/,
  };
  for (const [body, reason] of Object.entries(bad)) assertRefused(await ask(world, { account: program(body).name }), 4, 'store_unavailable', reason);
  const late = program('sleep 60 & echo $! >$REPORT; wait', { keys: { timeout: 1 } });
  assertRefused(await ask(world, { account: late.name }), 4, 'store_unavailable', /did not answer in time/);
  await until(() => isGone(late.report().trim()), 'the end of what it had started');
});

test('what is on the page is told apart', async () => {
  const answer = (error) => program(`echo error=${error}; echo 'error_description=so it is; do something'; exit 1`);
  assertRefused(await ask(world, { account: answer('no_secret').name }), 4, 'no_secret');
  for (const error of ['store_locked', 'store_dismissed', 'store_unavailable']) {
    assertRefused(await ask(world, { account: answer(error).name }), 4, error, /so it is; do something/);
  }
});

test('no shell reads the command, and a program has three descriptors, and no secret in its arguments', async () => {
  const { name, report } = program(`{ ls /proc/self/fd | wc -w; echo "$# $1 $2 $3"; printf '%s\\n' "$message"; } >>$REPORT; echo secret=${KEY}; ${BINDING}`, { words: ' $HOME;id' });
  assert.equal((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).code, 0);
  const [descriptors, words, ...lines] = report().split('\n');
  assert.equal(Number(descriptors), 4, 'the fourth is the folder that ls reads');
  assert.equal(words, '2 $HOME;id store ');
  for (const line of [`account=${name}`, 'kind=api_key', 'client_id=none', `endpoint=${keyAccount.match}`, `secret=${KEY}`, 'interactive=never']) assert.ok(lines.includes(line), line);
});

test('a secret that it says in an error is blotted out', async () => {
  const { name } = program(`echo "I was given ${KEY}" >&2; exit 1`);
  const { code, stderr } = await ask(world, { account: name, api_key: KEY }, { verb: 'store' });
  assert.deepEqual([code, stderr.includes(KEY)], [4, false], stderr);
});

test('a program that others could change does not run', async () => {
  const { name, file, report } = program('echo ran >$REPORT');
  fs.chmodSync(file, 0o777);
  assertRefused(await ask(world, { account: name }), 7, 'config', /can be written by others/);
  fs.chmodSync(file, 0o700);
  fs.chmodSync(path.dirname(file), 0o777);
  assertRefused(await askAfresh(world, name), 7, 'config', /can be written by others/);
  fs.chmodSync(path.dirname(file), 0o700);
  assert.throws(report, 'it never ran');
  for (const command of ['./store', 'sub/store', 'no-such-program-of-ours', '/nonexistent/store']) {
    world.account(name, { ...keyAccount, store: 'command', store_command: command });
    assert.notEqual((await askAfresh(world, name)).code, 0, command);
  }
  world.account(name, { ...keyAccount, store: 'command' });
  assertRefused(await askAfresh(world, name), 7, 'config', /`store_command` is not set/);
});
