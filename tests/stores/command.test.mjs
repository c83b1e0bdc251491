// SPDX-License-Identifier: MIT
//
// Programs as stores: pass(1), with the script that comes along and a real GnuPG, and the example of ringbearer-store(7). What a program
// can do wrong is in e2e/store-command.test.mjs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { SOURCE } from '../e2e/lib/builds.mjs';
import { storeSuite } from './suite/suite.mjs';

const PASSPHRASE = 'for the tests alone';
const PASS = path.join(SOURCE, 'packaging/stores/pass');

const missing = (...programs) => programs.some((program) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'pipe' });
    return false;
  } catch {
    return true;
  }
}) && `${programs.join(' or ')} is missing`;

async function gpg(world, args) {
  const { code, stderr } = await world.exec('gpg', ['--batch', '--quiet', '--pinentry-mode=loopback', '--passphrase', PASSPHRASE, ...args]);
  assert.equal(code, 0, stderr);
}

storeSuite({
  name: 'command, with pass',
  skip: missing('pass', 'gpg'),
  keys: { store: 'command', store_command: PASS, timeout: 120 },
  world: { keyring: 'nobus' },
  async open(world) {
    const home = path.join(world.dir, 'gnupg');
    const store = path.join(world.dir, 'pass');
    fs.mkdirSync(home, { mode: 0o700 });
    Object.assign(world.env, { GNUPGHOME: home, PASSWORD_STORE_DIR: store });
    await gpg(world, ['--quick-gen-key', 'suite@example.com', 'default', 'default', 'never']);
    assert.equal((await world.exec('pass', ['init', 'suite@example.com'])).code, 0);
    assert.equal((await world.exec('pass', ['insert', '--multiline', 'known'], { input: 'nothing' })).code, 0);
    const unlock = () => gpg(world, ['--decrypt', path.join(store, 'known.gpg')]);
    await unlock(); // and the agent remembers the passphrase
    return {
      lock: () => world.exec('gpgconf', ['--kill', 'gpg-agent']),
      unlock,
      vanish: () => fs.renameSync(store, `${store}.away`),
      come: () => fs.renameSync(`${store}.away`, store),
    };
  },
});

// The example of the page, as it is printed.
function example() {
  const page = fs.readFileSync(path.join(SOURCE, 'protocol/ringbearer-store.7'), 'utf8');
  const [, text] = /^\.SH EXAMPLE$.*?^\.EX\n(.*?)^\.EE$/ms.exec(page);
  return text.replaceAll('\\-', '-').replaceAll('\\(aq', "'").replaceAll('\\e', '\\');
}

storeSuite({
  name: 'command, with the example of the page',
  keys: { store: 'command', store_command: '/bin/sh SCRIPT' },
  world: { keyring: 'nobus' },
  open(world) {
    const script = path.join(world.dir, 'bin/example');
    fs.mkdirSync(path.join(world.env.HOME, 'secrets'));
    fs.writeFileSync(script, example(), { mode: 0o700 });
    this.keys.store_command = script;
    return {};
  },
});
