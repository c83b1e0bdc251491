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
import { BUILD, SOURCE, compile } from './lib/builds.mjs';
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

describe('doctor, as an ordinary user', () => {
  const HAD = [/^(room for \d+ keys of 200 and \d+ bytes of 20000|nearly full: \d+ of 200 keys and \d+ of 20000 bytes are taken; .*)$/, 'well'];
  const refused = (why) => [new RegExp(`^not to be had here \\(${why}\\): tokens are kept in memory alone$`), 'unchecked'];
  const cases = {
    'with the quota of one': [[], HAD], 'where keys are refused (EPERM)': [['deny', '1'], refused('Operation not permitted')],
    'where there are no keys (ENOSYS)': [['deny', '38'], refused('Function not implemented')], 'whose quota is used up': [['full'], refused('Disk quota exceeded')],
  };
  for (const [what, [how, [detail, state]]] of Object.entries(cases)) {
    test(what, async (t) => {
      if (!isRoot) return t.skip('only root becomes a user whose quota is known');
      const home = fs.mkdtempSync(path.join(tools, 'home-'));
      fs.chownSync(home, ORDINARY, ORDINARY);
      const env = { HOME: home, PATH: process.env.PATH, RINGBEARER_MODULE_DIR: path.join(BUILD, 'helper/modules/.libs'), RINGBEARER_PROVIDER_DIR: path.join(SOURCE, 'helper/providers') };
      const words = [`--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, '--clear-groups', ...(how.length > 0 ? [launcher, ...how] : []), path.join(BUILD, 'helper/ringbearer-whole'), 'doctor', '--json'];
      const { code, stdout, stderr } = await run('setpriv', words, { env, cwd: '/' });
      const { findings, well } = JSON.parse(stdout);
      const [keys, memory] = ['cache: kernel keyring', 'cache: memory'].map((subject) => findings.find((one) => one.subject === subject));
      assert.deepEqual([keys.state, detail.test(keys.detail), memory.state, new RegExp(`/ringbearer(-${ORDINARY})?\\b`).test(memory.detail)], [state, true, 'well', true], `${stdout}${stderr}`);
      assert.deepEqual([code, well, stderr], [0, true, ''], stdout); // the second tier does
      return undefined;
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

  test('doctor says that both tiers are to be mended', async (t) => {
    if (!isRoot || !await canUnshare()) return t.skip('only root keeps the session in a namespace');
    const { code, stdout } = await nowhere('doctor', '--json');
    const { findings, well } = JSON.parse(stdout);
    const [keys, memory] = ['cache: kernel keyring', 'cache: memory'].map((subject) => findings.find((one) => one.subject === subject));
    assert.deepEqual([code, well, keys.state, memory.state], [5, false, 'ill', 'ill']);
    assert.match(keys.detail, /^no token can be kept, each call is a renewal \(Operation not permitted\)$/);
    assert.deepEqual([/^\/dev\/shm\/.*: Read-only file system$/.test(memory.detail), memory.mend], [true, 'have users write to a tmpfs there: `mount -o remount,rw /dev/shm`']);
    return undefined;
  });
});
