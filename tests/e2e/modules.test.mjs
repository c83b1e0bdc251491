// SPDX-License-Identifier: MIT
//
// Modules of other people: written with the installed headers alone, found in one folder, checked
// before they are believed, and refused with a message that says what is wrong with them.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { BUILD, MODULE_SOURCES, compile } from './lib/builds.mjs';
import { run } from './lib/processes.mjs';
import { KEY, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const SHIPPED = process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs');
const VARIANTS = [
  'SOUND', 'OTHER_MAJOR', 'LATER_MINOR', 'UNDEFINED_SYMBOL', 'NO_INIT', 'WRONG_NAME', 'NO_NAME', 'ONLY_LOOKUP', 'TOO_SMALL', 'LARGER', 'REFUSES',
  'ODD_CODE', 'NOTHING', 'SAYS_LOCKED', 'OTHER_FAMILY', 'NO_OPERATIONS',
];
let world;
let flags;
let counter = 0;

// Headers and ringbearer.pc as a distribution installs them, and the compiler's flags for them.
async function install() {
  const stage = path.join(world.dir, 'stage');
  const made = await run('make', ['-C', BUILD, 'install-data', `DESTDIR=${stage}`], { env: process.env });
  assert.equal(made.code, 0, made.stderr);
  const pc = fs.readdirSync(stage, { recursive: true }).find((name) => name.endsWith('/ringbearer.pc'));
  const prefix = path.join(stage, path.dirname(pc), '../..');
  const { code, stdout, stderr } = await run('pkg-config', [`--define-variable=prefix=${prefix}`, '--cflags', 'ringbearer'], {
    env: { ...process.env, PKG_CONFIG_PATH: path.join(stage, path.dirname(pc)) },
  });
  assert.equal(code, 0, stderr);
  return stdout.trim().split(/\s+/);
}

const folderOf = (variant) => path.join(world.dir, `modules-${variant}`);
const envOf = (variant) => ({ RINGBEARER_MODULE_DIR: folderOf(variant), RINGBEARER_TEST_STORE: path.join(world.dir, 'values') });

// A module folder with what is shipped and the sample.
async function build(variant, name = 'store-sample') {
  fs.mkdirSync(folderOf(variant), { recursive: true });
  const shipped = fs.readdirSync(SHIPPED).filter((one) => one.endsWith('.so'));
  for (const file of shipped) fs.copyFileSync(path.join(SHIPPED, file), path.join(folderOf(variant), file));
  const undefinedOk = variant === 'UNDEFINED_SYMBOL' ? ['-Wl,-z,undefs,-z,lazy'] : [];
  await compile('-std=c11', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-shared', '-fPIC', ...flags, `-DVARIANT=${variant}`, ...undefinedOk,
    '-o', path.join(folderOf(variant), `${name}.so`), path.join(MODULE_SOURCES, `${name}.c`));
}

const account = (extra) => {
  counter += 1;
  const name = unique(`module-${counter}`);
  world.account(name, { ...keyAccount, store: 'sample', ...extra });
  return name;
};
const keep = (name) => fs.writeFileSync(path.join(world.dir, 'values', `${name}.api_key`), KEY);

before(async () => {
  world = await World.create({ servers: false, keyring: 'nobus' });
  fs.mkdirSync(path.join(world.dir, 'values'));
  flags = await install();
  await Promise.all(VARIANTS.map((variant) => build(variant)));
  await build('SOUND', 'grant-says');
});
after(() => closeWorld(world));

describe('a store by somebody else', () => {
  test('keeps, reads back, replaces and erases', async () => {
    const env = envOf('SOUND');
    counter += 1;
    const name = unique(`module-${counter}`);
    const value = path.join(world.dir, 'values', `${name}.api_key`);
    await world.add(name, { ...keyAccount, store: 'sample' }, KEY, { env });
    assert.equal(fs.readFileSync(value, 'utf8'), KEY);
    assert.equal((await ask(world, { account: name }, { env })).answer.password, KEY);
    assert.equal((await world.request({ account: name, api_key: 'second' }, { verb: 'store', env })).code, 0);
    assert.equal((await ask(world, { account: name }, { env })).answer.password, 'second');
    const traced = await askAfresh(world, name, {}, { env: { ...env, RINGBEARER_TRACE: '1' } });
    assert.match(traced.stderr, new RegExp(`sample: looking for the api_key of ${name}`));
    assert.equal((await world.request({ account: name, secret: 'all' }, { verb: 'erase', env })).code, 0);
    assert.equal(fs.existsSync(value), false);
    assertRefused(await ask(world, { account: name }, { env }), 4, 'no_secret');
    await world.must(['remove', name], { env });
  });

  test('a store that gives back another value than it was given', async () => {
    const env = envOf('SOUND');
    const name = account();
    fs.symlinkSync('/dev/null', path.join(world.dir, 'values', `${name}.api_key`));
    const { code, stderr } = await world.request({ account: name, api_key: KEY }, { verb: 'store', env });
    assert.equal(code, 4, stderr);
  });

  test('its own failures are told', async () => {
    const name = account();
    const env = { ...envOf('SOUND'), RINGBEARER_TEST_STORE: undefined };
    assertRefused(await ask(world, { account: name }, { env }), 4, 'store_unavailable', /set RINGBEARER_TEST_STORE/);
  });
});

describe('modules are checked', () => {
  const refused = {
    OTHER_MAJOR: [7, 'module', /has ABI 2\.0 and ringbearer has 1\.\d+; install one/],
    UNDEFINED_SYMBOL: [7, 'module', /cannot be loaded \(.*nobody_has_this_function/],
    NO_INIT: [7, 'module', /no ringbearer_module_init/],
    WRONG_NAME: [7, 'module', /calls itself `store-other`/],
    NO_NAME: [7, 'module', /calls itself ``/],
    TOO_SMALL: [7, 'module', /impossible size/],
    OTHER_FAMILY: [7, 'module', /is no store but a `grant`/],
    NO_OPERATIONS: [7, 'module', /has no operations/],
    REFUSES: [7, 'module', /does not want to work with this version/],
    ODD_CODE: [7, 'module', /store-sample/],
    NOTHING: [7, 'module', /gave no value/],
    SAYS_LOCKED: [4, 'store_locked', /unlock the keyring/],
  };
  for (const [variant, [code, error, message]] of Object.entries(refused)) {
    test(variant, async () => {
      const name = account();
      keep(name);
      assertRefused(await ask(world, { account: name }, { env: envOf(variant) }), code, error, message);
    });
  }

  for (const variant of ['LATER_MINOR', 'LARGER', 'ONLY_LOOKUP']) {
    test(`${variant} is taken for what it has`, async () => {
      const name = account();
      keep(name);
      const env = envOf(variant);
      assert.equal((await ask(world, { account: name }, { env })).answer.password, KEY);
      const stored = await ask(world, { account: name, api_key: 'second' }, { verb: 'store', env });
      if (variant === 'ONLY_LOOKUP') assert.deepEqual([stored.code, /cannot keep secrets/.test(stored.stderr)], [7, true]);
      else assert.equal(stored.code, 0, stored.stderr);
    });
  }

  test('not a shared object, not readable, not there', async () => {
    const folder = folderOf('odd');
    fs.mkdirSync(folder);
    const env = envOf('odd');
    fs.copyFileSync(path.join(SHIPPED, 'grant-api-key.so'), path.join(folder, 'grant-api-key.so'));
    const name = account();
    assertRefused(await ask(world, { account: name }, { env }), 7, 'module', /there is no store `sample`; .*install the package that brings .*store-sample\.so/);
    fs.writeFileSync(path.join(folder, 'store-sample.so'), 'nonsense');
    assertRefused(await ask(world, { account: name }, { env }), 7, 'module', /store-sample\.so cannot be loaded/);
  });
});

describe('where modules come from', () => {
  test('only from the folder: no path in a name', async () => {
    const env = envOf('SOUND');
    const names = ['../modules-SOUND/store-sample', '/tmp/sample', 'sub/sample', '..', 'sample.so', 'a.b', 'Sample', 'sämple', 'x'.repeat(65)];
    for (const store of names) {
      for (const key of ['store', 'grant']) {
        const name = account({ [key]: store });
        const { code, stderr } = await ask(world, { account: name }, { env });
        assert.deepEqual([key, store, code], [key, store, 7]);
        assert.match(stderr, /cannot be|is no name of a (store|grant) module/);
        assert.doesNotMatch(stderr, /cannot be loaded/, 'nothing was opened');
      }
    }
  });

  test('RINGBEARER_MODULE_DIR is the one folder, and no other place is looked at', async () => {
    const name = account();
    keep(name);
    const elsewhere = path.join(world.dir, 'nothing');
    fs.mkdirSync(elsewhere);
    const traps = { LD_LIBRARY_PATH: folderOf('SOUND'), ...envOf('SOUND'), RINGBEARER_MODULE_DIR: elsewhere };
    assertRefused(await ask(world, { account: name }, { env: traps, cwd: folderOf('SOUND') }), 7, 'module', new RegExp(`${elsewhere}/`));
    assert.equal((await ask(world, { account: name }, { env: envOf('SOUND') })).answer.password, KEY);
  });

  test('a relative or empty RINGBEARER_MODULE_DIR does not count', async () => {
    const name = account();
    keep(name);
    for (const folder of ['.', '', path.basename(folderOf('SOUND'))]) {
      const env = { ...envOf('SOUND'), RINGBEARER_MODULE_DIR: folder, RINGBEARER_TRACE: '1' };
      const result = await ask(world, { account: name }, { env, cwd: folder === '.' ? folderOf('SOUND') : world.dir });
      const opened = [...result.stderr.matchAll(/opening (\S+)/g)].map(([, file]) => file);
      assert.ok(opened.length > 0 && opened.every((file) => file.startsWith('/') && !file.startsWith(world.dir)), result.stderr);
    }
  });
});

describe('a grant by somebody else', () => {
  test('hands out a token, which is kept', async () => {
    const name = account({ grant: 'says' });
    const { answer } = await ask(world, { account: name }, { env: envOf('SOUND') });
    assert.equal(answer.password, 'no-secret');
    assert.equal((await ask(world, { account: name })).answer.password, 'no-secret', 'from the cache');
  });

  const header = fs.readFileSync(path.join(MODULE_SOURCES, '../../protocol/ringbearer.h'), 'utf8');
  const codes = Object.fromEntries([...header.matchAll(/RINGBEARER_E_(\w+) = (-\d+)/g)].map(([, name, code]) => [name.toLowerCase(), Number(code)]));
  const statuses = {
    no_account: 1, ambiguous_account: 1, usage: 2, malformed_request: 2, login_required: 3,
    store_locked: 4, store_dismissed: 4, store_unavailable: 4, no_secret: 4,
    network: 5, temporarily_unavailable: 5, busy: 5, rotation_uncertain: 5, client_rejected: 6, access_denied: 6, insufficient_scope: 6, forbidden: 6,
    config: 7, module: 7, tls: 7, malformed_response: 8,
  };
  test('every error of the vocabulary has its exit status and its name on the wire', async () => {
    for (const [error, status] of Object.entries(statuses)) {
      const env = { ...envOf('SOUND'), RINGBEARER_TEST_CODE: String(codes[error]) };
      assertRefused(await ask(world, { account: account({ grant: 'says' }) }, { env }), status, error, /: the test says so; ask it$/m);
    }
    const odd = await ask(world, { account: account({ grant: 'says' }) }, { env: { ...envOf('SOUND'), RINGBEARER_TEST_CODE: '42' } });
    assertRefused(odd, 7, 'module', /grant-says/);
  });
});
