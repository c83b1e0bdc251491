// SPDX-License-Identifier: MIT
//
// Completions in the real shells, each with the file that is installed for it, on a terminal where a shell needs one.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { SOURCE } from './lib/builds.mjs';
import { shellOnTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const FILES = path.join(SOURCE, 'packaging/completions');
let world;

const has = (program) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const skip = (shell) => (has(shell) ? false : `${shell} is missing`);

// The words that may stand in the place of the last of WORDS.
async function complete(...words) {
  const { code, stdout, stderr } = await world.run(['complete', '--', ...words]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return stdout.split('\n').slice(0, -1).map((line) => line.split('\t')[0]);
}

before(async () => {
  world = await World.create({ servers: false });
  for (const name of ['work', 'world-wide', 'other']) world.account(name, { provider: 'bluesonde', grant: 'api_key', match: `https://${name}.example/` });
});
after(() => closeWorld(world));

describe('the program says what may come', () => {
  test('commands, from the table that help is made from', async () => {
    const help = await world.run(['help']);
    const commands = [...help.stdout.matchAll(/^ {2}([a-z]+) +\S/gm)].map(([, name]) => name);
    assert.ok(commands.length > 10);
    assert.deepEqual(await complete(''), commands);
    assert.deepEqual(await complete('tok'), ['token']);
    assert.deepEqual(await complete('help', 'tok'), ['token']);
    assert.deepEqual(await complete('no-such-command', ''), []);
  });

  test('options, and every account key', async () => {
    const help = await world.run(['help', 'add']);
    const options = [...help.stdout.matchAll(/^ {2}(--[a-z-]+=?)/gm)].map(([, name]) => name);
    assert.ok(options.length > 30);
    assert.deepEqual(await complete('add', 'new', '--'), options);
    assert.deepEqual(await complete('login', 'work', '--no'), ['--no-browser']);
    assert.deepEqual(await complete('get', '--min'), ['--min-valid=']);
    const ofStores = options.filter((option) => option.startsWith('--store'));
    assert.deepEqual([await complete('move', 'work', '--'), await complete('store', 'init', '--store')], [ofStores, ofStores]);
    assert.ok((await complete('move', 'work', '--store', '')).includes('file'));
  });

  test('words that a command wants, then accounts, and what says which store is meant', async () => {
    assert.deepEqual(await complete('seal', ''), ['new', 'import', 'export', 'password']);
    assert.deepEqual(await complete('seal', 'new', '--store-local', 'file', 'wo'), ['work', 'world-wide']);
    assert.deepEqual(await complete('seal', 'new', '--store-p'), ['--store-passphrase-time=', '--store-prefix=']);
    assert.ok((await complete('seal', 'new', '--store-local=')).includes('--store-local=file'));
  });

  test('accounts, where an account is wanted', async () => {
    assert.deepEqual(await complete('token', 'wor'), ['work', 'world-wide']);
    assert.deepEqual(await complete('token', 'work', ''), []);
    assert.deepEqual(await complete('get', '--account=o'), ['--account=other']);
    assert.deepEqual(await complete('get', '--account', 'o'), ['other']);
    assert.deepEqual(await complete('doctor', 'wor'), ['work', 'world-wide']); // which can do without one
    assert.deepEqual(await complete('doctor', '--json', 'work', ''), []);
    assert.deepEqual(await complete('store', ''), ['init', 'unlock', 'lock']);
    assert.deepEqual(await complete('store', 'unlock', '--store=file', 'o'), ['other']);
    assert.deepEqual([await complete('setup', ''), await complete('setup', '--global', 'git', '')], [['git'], []]);
    assert.deepEqual(await complete('add', 'wor'), []); // a new one has no name yet
    assert.deepEqual(await complete('add', '--no-questions', 'wor'), []);
    for (const command of ['get', 'list', 'providers', 'systemd', 'complete']) assert.deepEqual(await complete(command, ''), []);
  });

  test('what is on the machine: providers, grants, stores, forms, and the words that a key allows', async () => {
    const providers = fs.readdirSync(path.join(SOURCE, 'helper/providers')).toSorted();
    assert.deepEqual(await complete('add', 'new', '--provider='), providers.map((name) => `--provider=${name}`));
    assert.deepEqual(await complete('add', 'new', '--grant=dev'), ['--grant=device_code']);
    assert.ok((await complete('add', 'new', '--store=')).includes('--store=secret_service'));
    assert.deepEqual(await complete('get', '--format=kub'), ['--format=kubernetes']);
    assert.deepEqual(await complete('add', 'new', '--client-auth=client'), ['--client-auth=client_secret_basic', '--client-auth=client_secret_post']);
    assert.deepEqual(await complete('add', 'new', '--send-scope', 'y'), ['yes']);
  });

  test('nothing, and no message, where an account folder cannot be read', async () => {
    const { code, stdout, stderr } = await world.run(['complete', '--', 'token', ''], { env: { XDG_CONFIG_HOME: '/dev/null' } });
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  });
});

describe('bash', { skip: skip('bash') }, () => {
  test('knows the completion, and types what was begun', async () => {
    const rc = path.join(world.dir, 'bashrc');
    fs.writeFileSync(rc, `PS1='ready> '\nbind 'set enable-bracketed-paste off'\nsource ${FILES}/bash/ringbearer\nshow() { printf '<%s>' "$@"; echo; }\n`);
    const { output } = await shellOnTerminal(world, `bash --noprofile --rcfile ${rc} -i`, [
      [/ready> /, 'complete -p ringbearer\n'],
      [/complete -F _ringbearer ringbearer\s+ready> /, 'ringbearer tok\t'],
      [/token /, 'oth\t'],
      [/other /, '\x15ringbearer get --format=kub\t'],
      [/kubernetes/, '\x15ringbearer add new --client-auth=client_secret_p\t'],
      [/client_secret_post/, '\x03exit\n'],
    ], { env: { TERM: 'dumb' } });
    assert.match(output, /ringbearer token other/);
    assert.match(output, /--client-auth=client_secret_post/);
  });
});

describe('zsh', { skip: skip('zsh') }, () => {
  test('finds the completion in its function path, and types what was begun', async () => {
    const dot = path.join(world.dir, 'zdot');
    fs.mkdirSync(dot);
    fs.writeFileSync(path.join(dot, '.zshrc'), `PS1='ready> '\nunsetopt zle_bracketed_paste prompt_cr prompt_sp 2>/dev/null\nfpath=(${FILES} $fpath)\nautoload -Uz compinit; compinit -u -D\n`);
    const { output } = await shellOnTerminal(world, 'zsh -i', [
      [/ready> /, 'echo $_comps[ringbearer]\n'],
      [/\n_ringbearer\s[^]*ready> /, 'ringbearer logo\t'],
      [/logout /, 'oth\t'],
      [/other/, '\x15ringbearer get --format=kub\t'],
      [/--format=kubernetes/, '\x15exit\n'],
    ], { env: { TERM: 'dumb', ZDOTDIR: dot } });
    assert.match(output, /--format=kubernetes/);
  });
});

describe('fish', { skip: skip('fish') }, () => {
  test('answers complete -C', async () => {
    const ask = (line) => world.exec('fish', ['--no-config', '-c', `source ${FILES}/ringbearer.fish; complete -C '${line}'`], { env: { TERM: 'dumb' } });
    assert.match((await ask('ringbearer logo')).stdout, /^logout\thave the service forget/);
    assert.match((await ask('ringbearer token wor')).stdout, /^work\taccount\nworld-wide\taccount\n$/);
    assert.match((await ask('ringbearer get --format=kub')).stdout, /^--format=kubernetes\t/);
    assert.match((await ask('ringbearer add new --cli')).stdout, /^--client-auth=\t[^]*--client-id=\t/);
  });
});
