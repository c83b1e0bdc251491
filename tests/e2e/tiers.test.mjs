// SPDX-License-Identifier: MIT
//
// Where what is cached goes when the kernel has no room for it or refuses, and what is said where nothing can be kept at all.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closeWorld } from './lib/accounts.mjs';
import { compile } from './lib/builds.mjs';
import { canUnshare, inNamespace, isRoot } from './lib/confined.mjs';
import { run } from './lib/processes.mjs';
import { NAME, addAccount, assertWorks, refreshes } from './lib/standing-grant.mjs';
import { readMessage } from './lib/message.mjs';
import { World } from './lib/world.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TIMEOUT = 90000;
const ORDINARY = 54321; // nobody's number: all of its 200 keys and 20,000 bytes are there
let tools; // a folder that every user can look into
let launcher;

before(async () => {
  tools = fs.mkdtempSync(path.join(os.tmpdir(), 'rbt-'));
  fs.chmodSync(tools, 0o755);
  launcher = path.join(tools, 'launcher');
  await compile('-O', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-o', launcher, path.join(HERE, 'lib/launcher.c'));
});
after(() => fs.rmSync(tools, { recursive: true }));

describe('as an ordinary user, each account asked twice: one request, one hit', () => {
  const cases = { 'with the quota of one': [50], 'where keys are refused (EPERM)': [50, '1'], 'where there are no keys (ENOSYS)': [50, '38'] };
  for (const [what, [count, deny]] of Object.entries(cases)) {
    test(`${count} accounts with tokens of 4 KB, ${what}`, async () => {
      const become = isRoot ? ['setpriv', `--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, '--clear-groups'] : [];
      const launch = deny ? [launcher, 'deny', deny] : [];
      const [file, ...words] = [...become, process.execPath, path.join(HERE, 'lib/many-accounts.mjs'), String(count), ...launch];
      const { code, stdout, stderr } = await run(file, words, { env: { ...process.env, HOME: '/nonexistent' }, cwd: '/', timeout: TIMEOUT });
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout).rounds, [{ requests: count, wrong: [] }, { requests: 0, wrong: [] }]);
    });
  }
});

// Neither keys nor a folder in memory: /dev/shm is read-only, and there is no /run/user.
describe('where nothing can be kept in memory', () => {
  let world;
  before(async () => {
    world = await World.create();
    await addAccount(world);
  });
  after(() => closeWorld(world));
  const nowhere = (...words) => {
    const script = `[ ! -d /run/user ] || mount -t tmpfs -o mode=755 tmpfs /run/user
      mount -t tmpfs -o ro tmpfs /dev/shm
      exec "$@"`;
    const [file, ...rest] = inNamespace(script, launcher, 'deny', '1', world.program, ...words);
    return world.exec(file, rest);
  };
  const LINE = /^ringbearer: ([^\n:]+: )?neither the kernel's keyring nor a folder in memory \(\/dev\/shm\/[^)]*: [^)]+\) can keep [^\n]*; give this user room in \/dev\/shm or a \/run\/user\/\d+, both on tmpfs\n$/;

  test('a renewal goes on, unprotected, and says so in one line; so does each that follows', async (t) => {
    if (!isRoot || !await canUnshare()) return t.skip('only root keeps the session in a namespace');
    await world.request({ account: NAME }, { verb: 'erase' });
    for (let i = 1; i <= 2; i += 1) {
      const earlier = await refreshes(world);
      const { code, stdout, stderr } = await nowhere('get', `--account=${NAME}`);
      assert.match(stderr, LINE);
      assert.match(stderr, /the renewal is not protected.* may be lost; and tokens are not cached/);
      assert.equal((await refreshes(world)).total - earlier.total, 1);
      await assertWorks(world, { code, answer: { credential: readMessage(stdout).password }, stderr });
    }
    return undefined;
  });

  test('list says it always, beside what it lists', async (t) => {
    if (!isRoot || !await canUnshare()) return t.skip('only root keeps the session in a namespace');
    const { code, stdout, stderr } = await nowhere('list', '--json');
    assert.equal(code, 0);
    assert.ok(JSON.parse(stdout).some(({ account }) => account === NAME));
    assert.match(stderr, LINE);
    assert.equal((await world.must(['list'])).stderr, '', 'and not where there is room');
    return undefined;
  });
});
