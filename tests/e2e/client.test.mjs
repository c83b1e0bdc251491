// SPDX-License-Identifier: MIT
//
// libringbearer in C programs (lib/asker.c), installed as `make install` does it: in their own process while a token is cached,
// through the program otherwise, and without a trace in whatever process it is.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { addGeneric, afresh, closeWorld } from './lib/accounts.mjs';
import { BUILD, SOURCE, compile, isInstrumented } from './lib/builds.mjs';
import { readMessage } from './lib/message.mjs';
import { ask, assertToken } from './lib/outcome.mjs';
import { run } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { KEY, PLACE, addKey, unique } from './lib/small-accounts.mjs';
import * as standing from './lib/standing-grant.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const NAME = unique('client');
const OWN = unique('client-key');
const PATIENT = 30000; // milliseconds
const BUSY = 10000; // what a busy machine may make of a moment
const LIBC_OWN = 0x180000000n; // signals 32 and 33, which posix_spawn() itself ignores
const CLEAN = { signals_changed: '0', descriptors_left: '0', children_left: '0' };
const isRoot = process.getuid() === 0;
let world;
let root; // of the installed tree
let asker;

const flags = async (...words) => {
  const env = { ...process.env, PKG_CONFIG_PATH: '', PKG_CONFIG_LIBDIR: path.dirname(world.pc), PKG_CONFIG_SYSROOT_DIR: root };
  const { code, stdout, stderr } = await run('pkg-config', [...words, 'ringbearer'], { env });
  assert.equal(code, 0, stderr);
  return stdout.trim().split(/\s+/);
};

async function build(output, source, ...more) {
  const folder = (await flags('--variable=libdir')).map((name) => (name.startsWith(root) ? name : root + name))[0];
  await compile('-std=gnu11', '-O', '-Wall', '-Wextra', '-Werror', ...more, ...await flags('--cflags'), '-o', output, source,
    `-Wl,-rpath,${folder}`, ...await flags('--libs'), '-pthread');
  return output;
}

async function install() {
  root = path.join(world.dir, 'root');
  const targets = ['install-libLTLIBRARIES', 'install-ringbearerincludeHEADERS', 'install-pkgconfigDATA'];
  const { code, stderr } = await run('make', ['-C', BUILD, '-s', ...targets, `DESTDIR=${root}`], { env: { ...process.env, MAKEFLAGS: '', MFLAGS: '' } });
  assert.equal(code, 0, stderr);
  world.pc = fs.readdirSync(root, { recursive: true }).map((name) => path.join(root, name)).find((name) => name.endsWith('ringbearer.pc'));
}

const keysOf = (keys) => Object.entries(keys).flatMap(([key, value]) => [value].flat().map((one) => `${key}=${one}`));

// The asker's lines as an object.
async function c(command, keys, { timeout = PATIENT, circumstances = [], before: words = [], env } = {}) {
  const args = [...words, asker, ...circumstances.map((name) => `IN=${name}`), command, String(timeout), ...keysOf(keys)];
  const result = await world.exec(args[0], args.slice(1), { env: { RINGBEARER_PROGRAM: world.program, ...env } });
  assert.equal(result.code, 0, result.stderr || `signal ${result.signal}`);
  assert.equal(result.stderr, '');
  return readMessage(result.stdout);
}

const left = ({ signals_changed, descriptors_left, children_left }) => ({ signals_changed, descriptors_left, children_left });
const asked = () => world.control.count('client_credentials');
const traceable = () => run('strace', ['-qq', 'true'], { env: process.env }).then(({ code }) => code === 0, () => false);

// A library with a sanitizer wants a program with one.
const skip = isInstrumented() && 'an instrumented build';

before(async () => {
  if (skip) return;
  world = await World.create();
  await install();
  asker = await build(path.join(world.dir, 'asker'), path.join(HERE, 'lib/asker.c'), '-D_GNU_SOURCE');
  await addGeneric(world, NAME, { username: 'robot', scope: 'segments:read' });
  await addKey(world, OWN);
});
after(() => world && closeWorld(world));
afterEach(async () => {
  if (skip) return;
  await world.control.reset();
  await afresh(world, NAME);
  await afresh(world, OWN);
});

describe('an answer', { skip }, () => {
  test('is the program\'s, cached or not', async () => {
    const missed = await c('get', { account: NAME });
    const { answer } = await ask(world, NAME);
    const hit = await c('get', { account: NAME }, { timeout: 0 });
    for (const found of [missed, hit]) {
      assert.deepEqual({ ...found, 'first.ms': undefined }, {
        secure: '0', first: 'ok', 'first.ms': undefined, 'first.token': answer.credential, 'first.type': 'Bearer', 'first.account': NAME,
        'first.username': 'robot', 'first.expires': answer.password_expiry_utc, ...(answer.scope && { 'first.scope': answer.scope }), ...CLEAN,
      });
    }
    assert.equal(await asked(), 1);
  });

  test('by URL, and without an expiry where there is none', async () => {
    for (let i = 0; i < 2; i += 1) {
      const found = await c('get', { url: `${PLACE}users` });
      assert.deepEqual([found['first.token'], found['first.account'], found['first.expires']], [KEY, OWN, '0']);
    }
  });

  test('that is cached starts no process', async (t) => {
    if (!await traceable()) return t.skip('strace is missing or not allowed to trace');
    const log = path.join(world.dir, 'client.strace');
    const calls = async (keys) => {
      await c('get', keys, { before: ['strace', '-f', '-qq', '-e', 'trace=%process,%network,openat,keyctl,statx', '-o', log] });
      return fs.readFileSync(log, 'utf8').trim().split('\n').map((line) => /^\d+ +(\w+)/.exec(line)?.[1]);
    };
    const count = (list, name) => list.filter((call) => call === name).length;
    const missed = await calls({ account: NAME });
    assert.ok(missed.filter((call) => /^(clone|clone3|vfork|fork)$/.test(call)).length >= 1);
    assert.ok(count(missed, 'execve') >= 2);
    const hit = await calls({ account: NAME });
    assert.deepEqual(hit.filter((call) => /^(clone|clone3|vfork|fork|socket|connect)$/.test(call)), []);
    assert.equal(count(hit, 'execve'), 1); // its own
    assert.deepEqual([count(hit, 'statx'), [2, 4].includes(count(hit, 'keyctl'))], [3, true]); // the account, and two files of defaults that could be
    return undefined;
  });

  test('that was refused is renewed once', async () => {
    const found = await c('twice', { account: NAME });
    assert.deepEqual([found.first, found.reject, found.second], ['ok', 'ok', 'ok']);
    assert.notEqual(found['first.token'], found['second.token']);
    assert.equal(await asked(), 2);
    assert.equal((await c('get', { account: NAME }, { timeout: 0 }))['first.token'], found['second.token']);
    assert.equal((await world.api('/rest/v2/segments', found['second.token'])).status, 200);
  });

  test('for 8 threads that ask 200 times at expiry is one token request', async () => {
    await world.control.ttl({ access: 3 });
    const first = assertToken(await ask(world, NAME));
    await pause(3050);
    await world.control.ttl({ access: 3600 });
    const { 'crowd[]': tokens, ...rest } = await c('8', { account: NAME });
    assert.equal(tokens.length, 200);
    assert.deepEqual([new Set(tokens).size, tokens.includes(first)], [1, false]);
    assert.equal((await world.api('/rest/v2/segments', tokens[0])).status, 200);
    assert.deepEqual([await asked(), left(rest)], [2, CLEAN]);
  });

  test('that is ageing is given at once, and renewed once in the background', async () => {
    const name = unique('client-ageing');
    await addGeneric(world, name, { listener: 'a-plain', renew_ahead: '50%' });
    await world.control.ttl({ access: 8 });
    const old = assertToken(await ask(world, name));
    await pause(4050);
    await world.control.ttl({ access: 3600 });
    await world.control.fault({ kind: 'delay', seconds: 1 });
    const { 'crowd[]': tokens, ...rest } = await c('8', { account: name, min_valid: 0 });
    assert.deepEqual([[...new Set(tokens)], left(rest)], [[old], CLEAN]);
    const fresh = (await c('get', { account: name, min_valid: 600 }))['first.token']; // waits for the background
    assert.notEqual(fresh, old);
    assert.equal(await asked(), 2);
  });
});

describe('no answer', { skip }, () => {
  const fails = async (keys, error, options) => {
    const found = await c('get', keys, options);
    assert.equal(found.first, error, found['first.detail']);
    assert.deepEqual(left(found), CLEAN);
    return found;
  };
  afterEach(async () => { if (await world.keyring.locked()) await world.keyring.unlock(); });

  test('says why, in the words of the vocabulary', async () => {
    assert.match((await fails({ account: unique('nobody') }, 'no_account'))['first.detail'], /there is no account `nobody/);
    await fails({ url: 'https://nobody.example.test/' }, 'no_account');
    await fails({ account: NAME, url: 'https://evil.example.test/' }, 'no_account');
    await fails({ account: '../x' }, 'usage');
    await fails({ account: NAME, min_valid: 'soon' }, 'malformed_request');
    await fails({}, 'malformed_request');
    await world.control.fault({ kind: '503', retry_after: 40, count: 9 });
    const later = await fails({ account: NAME }, 'temporarily_unavailable');
    assert.ok(Number(later['first.retry_after']) > 30 && Number(later['first.retry_after']) <= 40);
    await afresh(world, NAME);
    await world.control.reset();
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401 });
    assert.match((await fails({ account: NAME }, 'client_rejected'))['first.detail'], /; .*ringbearer secret/);
    await world.keyring.lock();
    assert.match((await fails({ account: OWN }, 'store_locked'))['first.detail'], /unlock/);
    await world.keyring.unlock();
    await fails({ account: OWN }, 'config', { env: { RINGBEARER_PROGRAM: '/nonexistent' } });
  });

  test('a request that could say more than it should is not made', async () => {
    for (const keys of [{ account: `${OWN}\nusername=root` }, { url: 'https://a.test/\r' }, { password: 'x' }, { 'wwwauth[]': 'x' }, { resource: '' }]) {
      assert.deepEqual(await c('get', keys), { set: 'usage' });
    }
  });

  test('a server that is mute does not hold anybody up', async () => {
    await world.control.fault({ kind: 'hang', count: 9 });
    const found = await c('get', { account: NAME }, { timeout: 400 });
    assert.deepEqual([found.first, found.signals_changed], ['busy', '0']); // on a busy machine the thread may still be there
    const ms = Number(found['first.ms']);
    assert.ok(ms >= 400 && ms < 400 + BUSY, `${ms} ms`);
    await fails({ account: NAME }, 'busy', { timeout: 0 });
  });

  test('a refresh token on its way is not cut off', async () => {
    await standing.addAccount(world);
    await world.control.fault({ kind: 'delay', seconds: 6 });
    await standing.erase(world);
    const found = await c('get', { account: standing.NAME }, { timeout: 3000 });
    assert.deepEqual([found.first, found.signals_changed, found.descriptors_left], ['busy', '0', '1'], 'one descriptor: the thread\'s');
    await until(async () => (await c('get', { account: standing.NAME }, { timeout: 0 })).first === 'ok', 'the renewal to end');
    assert.deepEqual(await standing.refreshes(world), { total: 1, error: 0 });
    assert.equal(await standing.worksAtApi(world, await standing.get(world)), true);
    await standing.erase(world);
    assert.equal((await c('get', { account: standing.NAME })).first, 'ok', 'the next refresh token is in the keyring');
    assert.deepEqual(await standing.refreshes(world), { total: 2, error: 0 });
  });
});

describe('in a process', { skip }, () => {
  const all = ['closed', 'ignored', 'reaped', 'forked', 'open', 'blocked'];
  for (const circumstances of [...all.map((one) => [one]), ['closed', 'ignored', 'blocked', 'forked']]) {
    test(circumstances.join(', '), async () => {
      const missed = await c('get', { account: OWN }, { circumstances });
      assert.deepEqual([missed.first, missed['first.token'], left(missed)], ['ok', KEY, CLEAN]);
      assert.equal((await c('get', { account: OWN }, { circumstances, timeout: 0 }))['first.token'], KEY);
      if (circumstances.includes('forked')) return;
      await afresh(world, OWN);
      const { 'crowd[]': tokens } = await c('8', { account: OWN }, { circumstances });
      assert.deepEqual([...new Set(tokens)], [KEY]);
    });
  }

  // No real helper would tell what it was given.
  const tell = () => {
    const file = path.join(world.dir, 'tell');
    // The shell clears its children's mask, and blocks signals while it waits for them: it reads its own first.
    fs.writeFileSync(file, `#!/bin/sh\nwhile read -r line; do case $line in Sig[BI]*) echo "$line" ;; esac; done </proc/$$/status >'${file}.told'\n`
      + `{ ls -1 /proc/$$/fd; env; } >>'${file}.told'\n`
      + 'printf \'authtype=Bearer\\ncredential=T\\naccount=a\\n\'\n', { mode: 0o755 });
    return { file, told: () => fs.readFileSync(`${file}.told`, 'utf8').trim().split('\n') };
  };

  test('the program gets 0, 1 and 2, no signal ignored or blocked, and the environment', async () => {
    const { file, told } = tell();
    const found = await c('get', { account: OWN, program: file }, { circumstances: ['open', 'blocked'], env: { SAID: 'yes' } });
    assert.equal(found['first.token'], 'T');
    const lines = told();
    const descriptors = lines.filter((line) => /^\d+$/.test(line)).map(Number).sort((a, b) => a - b);
    assert.deepEqual(descriptors.filter((one) => one < 10 || one > 19), [0, 1, 2], 'some from 10 on are the shell\'s');
    const masks = lines.filter((line) => line.startsWith('Sig')).map((line) => BigInt(`0x${line.split(/\s+/)[1]}`));
    assert.deepEqual(masks.map((mask) => mask & ~LIBC_OWN), [0n, 0n]);
    assert.ok(lines.includes('SAID=yes'));
  });

  test('with another effective user, nothing is asked', async (t) => {
    if (!isRoot) return t.skip('only root can change its user');
    const found = await c('get', { account: OWN }, { circumstances: ['seteuid'] });
    assert.equal(found.first, 'usage');
    return undefined;
  });

  test('that was set-user-ID, the environment is neither read nor handed on', async (t) => {
    if (!isRoot) return t.skip('only root can make one');
    const { file, told } = tell();
    const copy = path.join(world.dir, 'asker-setuid');
    fs.copyFileSync(asker, copy);
    fs.chownSync(copy, 65534, 65534);
    fs.chmodSync(copy, 0o4755);
    fs.chmodSync(world.dir, 0o755); // for the library
    const { stdout } = await world.exec(copy, ['get', '0']);
    if (!/^secure=1$/m.test(stdout)) return t.skip('setuid does not count in the temporary folder');
    const one = await world.exec(copy, ['IN=dropped', 'get', String(PATIENT), `account=${OWN}`], { env: { RINGBEARER_PROGRAM: file } });
    assert.match(one.stdout, /^first=(config|no_account)$/m, 'RINGBEARER_PROGRAM does not count');
    const two = await world.exec(copy, ['IN=dropped', 'get', String(PATIENT), `account=${OWN}`, `program=${file}`]);
    assert.match(two.stdout, /^first\.token=T$/m);
    const environment = told().filter((line) => line.includes('=') && !/^(PWD|SHLVL|_|OLDPWD)=/.test(line));
    assert.deepEqual(environment.sort(), ['PATH=/usr/bin:/bin', 'XDG_RUNTIME_DIR=/run/user/0']);
    return undefined;
  });
});

describe('the examples', { skip }, () => {
  test('of the manual page', async () => {
    const page = fs.readFileSync(path.join(SOURCE, 'protocol/libringbearer.3'), 'utf8');
    const [, roff] = /^\.\\" BEGIN call\.c\n\.EX\n([^]*?)^\.EE\n/m.exec(page);
    const source = path.join(world.dir, 'call.c');
    fs.writeFileSync(source, roff.replaceAll('\\-', '-').replaceAll('\\e', '\\'));
    const program = await build(path.join(world.dir, 'call'), source);
    const call = (...args) => world.exec(program, args, { env: { RINGBEARER_PROGRAM: world.program } });
    const { code, stdout, stderr } = await call(PLACE);
    assert.deepEqual([code, stdout, stderr], [0, `a token of ${KEY.length} bytes\n`, '']);
    const refused = await call('https://nobody.example.test/');
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /^no_account: [^\n]+\n$/);
    assert.match((await call()).stderr, /^malformed_request: /);
  });

  test('of the README', async () => {
    const name = unique('client-readme');
    await addKey(world, name, { match: 'https://acme.example.test/' });
    const source = path.join(world.dir, 'example.c');
    fs.writeFileSync(source, block('c').replace('"acme"', `"${name}"`));
    const { stdout, stderr, code } = await world.exec(await build(path.join(world.dir, 'example'), source), [], { env: { RINGBEARER_PROGRAM: world.program } });
    assert.deepEqual([code, stdout, stderr], [0, `Authorization: Bearer ${KEY}\n`, '']);
  });
});
