// SPDX-License-Identifier: MIT
//
// cargo: the real one, with the README's configuration, against a registry that wants a token; and the
// conversation of the credential provider protocol.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { CRATE, openCrates } from '../servers/crates.mjs';
import { addGeneric, afresh, closeWorld, edit } from './lib/accounts.mjs';
import { run } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { addKey, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('cargo');
const PROTOCOL_IS_STABLE = 74; // cargo 1.74
// rustup's cargo looks for its toolchains in the home of whoever runs the tests.
const RUSTUP = { RUSTUP_HOME: process.env.RUSTUP_HOME ?? path.join(os.homedir(), '.rustup'), RUSTUP_AUTO_INSTALL: '0' };
let world;
let crates;
let minor;

// What cargo would say, one message a line; the answers after the greeting.
async function converse(...messages) {
  const lines = messages.map((message) => `${typeof message === 'string' ? message : JSON.stringify({ v: 1, ...message })}\n`);
  const result = await world.exec('cargo-credential-ringbearer', ['--cargo-plugin'], { input: lines.join('') });
  const [hello, ...answers] = result.stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(hello, { v: [1] });
  return { ...result, answers };
}

const get = (index, more = {}) => ({ kind: 'get', operation: 'read', registry: { 'index-url': index }, args: [], ...more });
const asked = () => world.control.count('client_credentials');

before(async () => {
  world = await World.create();
  crates = await openCrates(world);
  await addGeneric(world, NAME, { match: crates.url });
  minor = await run('cargo', ['--version'], { env: process.env }).then(({ stdout }) => Number(/^cargo 1\.(\d+)\./.exec(stdout)?.[1]), () => undefined);
});
after(async () => {
  await crates.close();
  await closeWorld(world);
});
beforeEach(async () => {
  await world.control.reset();
  await afresh(world, NAME);
  crates.seen.length = 0;
});

describe('the real cargo', () => {
  const skip = (t) => (minor >= PROTOCOL_IS_STABLE ? false : t.skip(minor ? `cargo 1.${minor} has no credential providers yet` : 'cargo is missing') ?? true);
  let home;
  let project;
  const cargo = (...args) => world.exec('cargo', args, { cwd: project, env: { ...RUSTUP, CARGO_HOME: home, CARGO_HTTP_CAINFO: world.caFile, CARGO_TERM_COLOR: 'never' } });
  const fetch = () => {
    for (const cached of ['registry', '.package-cache']) fs.rmSync(path.join(home, cached), { recursive: true, force: true });
    return cargo('fetch');
  };

  before(() => {
    home = path.join(world.dir, 'cargo-home');
    project = path.join(world.dir, 'project');
    fs.mkdirSync(path.join(project, 'src'), { recursive: true });
    fs.mkdirSync(path.join(project, '.cargo'));
    fs.writeFileSync(path.join(project, 'src/lib.rs'), '');
    fs.writeFileSync(path.join(project, 'Cargo.toml'), `[package]\nname = "wants"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n${CRATE} = { version = "0.1", registry = "acme" }\n`);
    fs.writeFileSync(path.join(project, '.cargo/config.toml'), block('cargo').replace('https://crates.example.com/index/', crates.index));
  });

  test('fetches a crate with one token', async (t) => {
    if (skip(t)) return;
    const { code, stderr } = await fetch();
    assert.equal(code, 0, stderr);
    assert.ok(crates.seen.some(({ path: where, status }) => where.startsWith('/dl/') && status === 200));
    assert.equal(new Set(crates.seen.map(({ token }) => token).filter(Boolean)).size, 1);
    assert.equal(await asked(), 1);
  });

  test('run again within seconds of a 401 has a fresh token, unless the account says no', async (t) => {
    if (skip(t)) return;
    for (const [infer, fails] of [['no', true], ['yes', false]]) {
      edit(world, NAME, 'infer_rejection', infer);
      assert.equal((await world.request({ account: NAME })).code, 0);
      await world.control.expire('ClientCredentials');
      await fetch();
      const again = await fetch();
      assert.equal(again.code !== 0, fails, again.stderr);
    }
    edit(world, NAME, 'infer_rejection', undefined);
  });

  test('shows why there is no token', async (t) => {
    if (skip(t)) return;
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    const { code, stderr } = await fetch();
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`ringbearer: ${NAME}: .*secret`));
  });

  test('login and logout say what to run', async (t) => {
    if (skip(t)) return;
    for (const [command, advice] of [['login', 'secret'], ['logout', 'logout']]) {
      const { code, stderr } = await cargo(command, '--registry', 'acme');
      assert.notEqual(code, 0);
      assert.match(stderr, new RegExp(`ringbearer ${advice} ${NAME}`), command);
    }
  });
});

describe('get', () => {
  test('has the whole header, when it ends, and any registry URL', async () => {
    for (const index of [`sparse+${crates.index}`, `registry+${crates.index}`, crates.index]) {
      const { code, answers: [{ Ok }], stderr } = await converse(get(index, { operation: 'publish', name: 'x', vers: '1', cksum: '0' }));
      assert.equal(code, 0, stderr);
      const { token, expiration, ...rest } = Ok;
      assert.deepEqual(rest, { kind: 'get', cache: 'expires', operation_independent: true });
      assert.equal((await world.fetch(`${crates.index}config.json`, { headers: { authorization: token } })).status, 200);
      const { answer } = await world.request({ account: NAME, capability: ['authtype'] });
      assert.equal(expiration, Number(answer.password_expiry_utc));
    }
  });

  test('is for the session where no end is known, and has any token in it', async () => {
    const token = '"\\q\'{}</s>';
    await addKey(world, unique('lasting'), { match: 'https://lasting.example.test/' }, token);
    const { answers } = await converse(get('sparse+https://lasting.example.test/index/'));
    assert.deepEqual(answers, [{ Ok: { kind: 'get', token: `Bearer ${token}`, cache: 'session', operation_independent: true } }]);
  });

  test('again within seconds has a fresh token', async () => {
    const token = async () => (await converse(get(crates.index))).answers[0].Ok.token;
    const first = await token();
    assert.notEqual(await token(), first);
    assert.equal(await asked(), 2);
  });
});

describe('a conversation', () => {
  test('goes on after an error, to the end of input', async () => {
    const { code, answers, stderr } = await converse(
      get('sparse+https://elsewhere.example.test/'), get('sparse+ssh://crates.example.test/'), get('sparse+http://crates.example.test/'), get(''), get(undefined),
      { kind: 'login', registry: { 'index-url': 'https://elsewhere.example.test/' }, token: 'x' },
      { kind: 'logout', registry: { 'index-url': 'https://elsewhere.example.test/' } },
      { kind: 'dance', registry: { 'index-url': crates.index } },
      get(crates.index),
    );
    const kinds = answers.map(({ Ok, Err }) => (Ok ? Ok.kind : Err.kind));
    assert.deepEqual(kinds, ['not-found', ...Array(5).fill('url-not-supported'), 'not-found', 'operation-not-supported', 'get']);
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('leaves logins to the person', async () => {
    for (const [kind, command] of [['login', 'secret'], ['logout', 'logout']]) {
      const { code, answers, stderr } = await converse({ kind, registry: { 'index-url': crates.index }, token: 'x' });
      assert.deepEqual([code, answers], [0, [{ Err: { kind: 'operation-not-supported' } }]]);
      assert.match(stderr, new RegExp(`^ringbearer: ${NAME}: [^\n]*ringbearer ${command} ${NAME}\`\n$`));
    }
  });

  test('tells what is wrong with a question', async () => {
    const wrong = ['', 'get', '[]', '{}', '{"v":2,"kind":"get"}', '{"v":1}', '{"v":1,"kind":"get","kind":"get"}',
      `{"v":1,"kind":"get","registry":{"index-url":"a","index-url":"${'b'}"}}`, '{"v":1,"kind":"get","registry":{"index-url":"https://a\\nb/"}}'];
    const { code, answers } = await converse(...wrong);
    assert.equal(code, 0);
    assert.equal(answers.length, wrong.length);
    for (const { Err } of answers) {
      assert.equal(Err.kind, 'other');
      assert.match(Err.message, /^ringbearer: [^\n]+; [^\n]+$/);
    }
  });

  test('ends with a line that is too long, or with no question at all', async () => {
    const long = await converse('x'.repeat(200000));
    assert.deepEqual([long.code, long.answers], [2, []]);
    assert.deepEqual((await converse()).answers, []);
    const { code, stdout, stderr } = await world.exec('cargo-credential-ringbearer', []);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--cargo-plugin/);
  });

  test('tells why there is no token', async () => {
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    const { code, answers: [{ Err }] } = await converse(get(crates.index));
    assert.deepEqual([code, Err.kind], [0, 'other']);
    assert.match(Err.message, new RegExp(`^ringbearer: ${NAME}: .*; .+$`));
  });
});
