// SPDX-License-Identifier: MIT
//
// Sealed files: the suite, with a key in a file and with one of a passphrase. What befalls a file is in faults/file-store.test.mjs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BUILD, isInstrumented } from '../e2e/lib/builds.mjs';
import { onTerminal } from '../e2e/lib/terminal.mjs';
import { storeSuite } from './suite/suite.mjs';

const PASSPHRASE = 'correct horse battery staple';
const modules = process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs');
const missing = !fs.existsSync(path.join(modules, 'store-file.so')) && 'this build has no libsodium';
const keyOf = (world) => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer/store.key');

storeSuite({
  name: 'file',
  skip: missing,
  keys: { store: 'file' },
  world: { keyring: 'nobus' },
  async open(world) {
    await world.must(['store', 'init']);
    const away = `${keyOf(world)}.away`;
    return { vanish: () => fs.renameSync(keyOf(world), away), come: () => fs.renameSync(away, keyOf(world)) };
  },
});

async function typed(world, command, answers) {
  const { code, output } = await onTerminal(world, ['store', command, '--store-key=passphrase'], answers.map((answer) => [/shown\): $|more: $/, `${answer}\n`]));
  assert.equal(code, 0, output);
}

const noTerminal = () => {
  try {
    execFileSync('script', ['--version'], { stdio: 'pipe' });
    return false;
  } catch {
    return 'script(1) is missing';
  }
};

storeSuite({
  name: 'file, with a passphrase',
  skip: missing || noTerminal() || (isInstrumented() && 'Argon2id takes its time there'),
  keys: { store: 'file', store_key: 'passphrase' },
  world: { keyring: 'nobus' },
  async open(world) {
    await typed(world, 'init', [PASSPHRASE, PASSPHRASE]);
    return { lock: () => world.must(['store', 'lock', '--store-key=passphrase']), unlock: () => typed(world, 'unlock', ['wrong', PASSPHRASE]) };
  },
});
