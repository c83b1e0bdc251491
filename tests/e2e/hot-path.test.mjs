// SPDX-License-Identifier: MIT
//
// A token that is cached costs a handful of system calls: no socket, no library but libc, no file but a
// look at the account. And what the build promises of its objects: few needs, few exports, hardening.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BUILD, LIBRARY, PROGRAM, SOURCE, WHOLE, isInstrumented } from './lib/builds.mjs';
import { accountFile, closeWorld } from './lib/accounts.mjs';
import { run } from './lib/processes.mjs';
import { KEY, addKey, unique } from './lib/small-accounts.mjs';
import { writeMessage } from './lib/message.mjs';
import { World } from './lib/world.mjs';

const FIRST_OWN_CALL = 'umask'; // what came before it was the loader's
const LOADERS_FILES = /^(\/etc\/ld\.so\.(cache|preload)|\/etc\/ld-musl-\S+|(\/usr)?\/lib\S*\/(libc\.so\.6|libc\.musl\S+|ld-\S+))$/;
const HARDENING = ['umask', 'prctl', 'prlimit64', 'fcntl', 'rt_sigaction'];
const MEMORY = ['brk', 'mmap', 'munmap', 'getrandom'];
const WORK = ['ioctl', 'read', 'statx', 'keyctl', 'geteuid', 'write', 'exit_group'];
const MODULES = process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs');
const modules = fs.readdirSync(MODULES).filter((name) => name.endsWith('.so')).map((name) => path.join(MODULES, name));
const SYSTEM_DEFAULTS = `${/RBR_SYSCONFDIR "(.*)"/.exec(fs.readFileSync(path.join(BUILD, 'folders.h'), 'utf8'))[1]}/ringbearer/defaults`;
const PLACE = `https://hot-${process.pid}.example.test/v1/`; // an origin of this process: its record is cached, too

describe('a cached token', () => {
  let world;
  let traceable;
  const name = unique('hot');

  before(async () => {
    world = await World.create({ servers: false });
    await addKey(world, name, { match: PLACE });
    traceable = await run('strace', ['-qq', 'true'], { env: process.env }).then(({ code }) => code === 0, () => false);
  });
  after(() => closeWorld(world));

  async function straced(words, input) {
    const log = path.join(world.dir, 'strace.log');
    const { stdout, stderr } = await world.exec('strace', ['-f', '-qq', '-s', '4096', '-o', log, ...words], { input });
    const calls = fs.readFileSync(log, 'utf8').trim().split('\n').map((line) => {
      const [, call, rest] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
      return { call, rest, line };
    });
    const start = calls.findIndex(({ call }) => call === FIRST_OWN_CALL);
    assert.ok(start > 0, 'the program begins by hardening itself');
    return { loader: calls.slice(0, start), own: calls.slice(start), stdout, stderr };
  }

  async function trace(args, input = '') {
    const traced = await straced([world.program, ...args], input);
    const decoded = Buffer.from(traced.stdout, 'base64').toString();
    assert.ok([traced.stdout, decoded].some((text) => text.includes(KEY)), traced.stderr);
    return traced;
  }

  // An ordinary user's strace cannot read the memory of a program that hides it: no strings then.
  const pathOf = ({ rest }) => /"([^"]*)"/.exec(rest)?.[1] ?? '(hidden)';
  const same = (found, expected) => assert.deepEqual(found.map((file, i) => (file === '(hidden)' ? expected[i] : file)), expected);

  const count = (calls, wanted) => calls.filter(({ call }) => call === wanted).length;
  const judge = ({ loader, own }) => {
    const files = loader.filter(({ call }) => call === 'openat' || call === 'open').map(pathOf);
    for (const file of files) assert.match(file, LOADERS_FILES);
    const allowed = [...HARDENING, ...MEMORY, ...WORK];
    assert.deepEqual([...new Set(own.map(({ call }) => call))].filter((call) => !allowed.includes(call)), []);
    for (const call of HARDENING) assert.ok(count(own, call) > 0, call);
    assert.deepEqual([count(own, 'write'), count(own, 'exit_group')], [1, 1]);
    assert.ok(own.some(({ call, rest }) => call === 'prctl' && rest.startsWith('PR_SET_DUMPABLE, SUID_DUMP_DISABLE')));
    assert.ok(own.findIndex(({ call }) => call === 'prctl') < own.findIndex(({ call }) => call === 'keyctl'));
    return own.filter(({ call }) => call === 'statx').map(pathOf);
  };
  // The account's file, and whether there are files of defaults.
  const looks = () => [accountFile(world, name), path.join(world.env.XDG_CONFIG_HOME, 'ringbearer/defaults'), SYSTEM_DEFAULTS];
  // Each record takes a search and a read. Where no path leads from this session to the user's keyring, the read is
  // refused, and is done once more between the making of a path and its end: the calls that this adds.
  const detours = (calls, records) => {
    const refused = calls.filter(({ call, rest }) => call === 'keyctl' && rest.includes('EACCES')).length;
    assert.ok(refused === 0 || refused === records);
    return 3 * refused;
  };
  const skip = (t) => t.skip(isInstrumented() ? 'instrumented builds do more' : 'strace is missing or not allowed to trace');

  test('by account: one look at its file and at the defaults, one search, one read of the keyring', async (t) => {
    if (!traceable || isInstrumented()) return skip(t);
    await world.must(['get', `--account=${name}`]);
    const ways = [
      [['get', `--account=${name}`], '', 0],
      [['token', name], '', 0],
      [['get'], writeMessage({ account: name, capability: ['authtype'] }), 1],
      ...['header', 'json', 'env', 'google'].map((form) => [['get', `--account=${name}`, `--format=${form}`], '', 0]),
      ...['xoauth2', 'oauthbearer'].map((form) => [['get', `--account=${name}`, '--username=jane', `--format=${form}`], '', 0]),
    ];
    for (const [args, input, reads] of ways) {
      const calls = await trace(args, input);
      same(judge(calls), looks());
      assert.equal(count(calls.own, 'read'), reads);
      assert.equal(count(calls.own, 'keyctl'), 2 + detours(calls.own, 1));
      assert.ok(calls.own.length <= 24, calls.own.map(({ line }) => line).join('\n'));
    }
    return undefined;
  });

  // git names a place, and nothing is handed out to it without one.
  const byPlace = () => {
    const settled = new Date(Date.now() - 60000);
    fs.utimesSync(path.dirname(accountFile(world, name)), settled, settled);
    return writeMessage({ protocol: 'https', host: new URL(PLACE).hostname, path: 'v1/x' });
  };
  const judgeByPlace = (calls) => {
    const looked = judge(calls);
    assert.equal(looked.length, 5);
    assert.equal(count(calls.own, 'keyctl'), 4 + detours(calls.own, 2));
    if (looked.includes('(hidden)')) return;
    assert.equal(looked.filter((file) => file === accountFile(world, name)).length, 1);
    assert.ok(looked.every((file) => /\/ringbearer\/(accounts|defaults)/.test(file)), looked.join(' '));
  };

  test('by URL: the folders are looked at as well, and nothing is opened', async (t) => {
    if (!traceable || isInstrumented()) return skip(t);
    const input = byPlace();
    assert.equal((await world.run(['get'], { input })).code, 0);
    for (const [args, words] of [[['get', `--url=${PLACE}`], ''], [['get'], input]]) judgeByPlace(await trace(args, words));
    return undefined;
  });

  test("under git's name, with an option before the verb: the same", async (t) => {
    if (!traceable || isInstrumented()) return skip(t);
    const input = byPlace();
    assert.equal((await world.run(['get'], { input })).code, 0);
    for (const options of [[], ['--interactive'], ['--min-valid', '0']]) {
      const calls = await straced(['git-credential-ringbearer', ...options, 'get'], input);
      assert.ok(calls.stdout.includes(KEY), calls.stderr);
      judgeByPlace(calls);
    }
    return undefined;
  });

  test('a standard descriptor that is closed is filled before anything else could take its place', async (t) => {
    if (!traceable || isInstrumented()) return skip(t);
    await world.request({ account: name }, { verb: 'erase' });
    const { own } = await straced(['sh', '-c', 'exec "$1" token "$2" <&- >&- 2>&-', 'sh', world.program, name]);
    const taken = own.filter(({ line }) => / = [012]$/.test(line) && /\b(openat|open|socket|eventfd2|pipe2|memfd_create|dup)\(/.test(line));
    same(taken.map(pathOf), ['/dev/null', '/dev/null', '/dev/null']);
    return undefined;
  });

  test('an uncached one does open more: the trace would show it', async (t) => {
    if (!traceable || isInstrumented()) return skip(t);
    await world.request({ account: name }, { verb: 'erase' });
    const { own } = await trace(['get', `--account=${name}`]);
    for (const call of ['openat', 'socket', 'connect']) assert.ok(count(own, call) > 0, call);
    return undefined;
  });
});

describe('the objects', () => {
  const readelf = async (file, ...flags) => {
    const { code, stdout, stderr } = await run('readelf', ['-W', ...flags, file], { env: { ...process.env, LC_ALL: 'C' } });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const needed = async (file) => [...(await readelf(file, '-d')).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
  const SYMBOL = /^ +\d+: \w+ +\d+ (\w+) +(\w+) +\w+ +(\w+) ([^\s@]+)(?:@+(\w+))?/gm;
  const symbols = async (file) => [...(await readelf(file, '--dyn-syms')).matchAll(SYMBOL)]
    .map(([, type, bind, section, name, version]) => ({ type, bind, section, name, version }));
  const exportsOf = async (file) => (await symbols(file))
    .filter(({ type, bind, section }) => type !== 'NOTYPE' && bind !== 'LOCAL' && !['UND', 'ABS'].includes(section));
  const skip = (t) => t.skip('instrumented builds need and export more');

  test('program and library need libc alone', async (t) => {
    if (isInstrumented()) return skip(t);
    assert.match((await needed(PROGRAM)).join(' '), /^(libc\.so\.6|libc\.musl-\S+)?$/, 'or nothing, if it is static');
    for (const file of [WHOLE, LIBRARY]) assert.match((await needed(file)).join(' '), /^libc\.so\.6$|^libc\.musl-\S+$/, file);
    assert.ok((await needed(path.join(MODULES, 'store-secret-service.so'))).length > 1, 'and a module more: readelf is read aright');
    return undefined;
  });

  test('the library exports what its map and its header say', async () => {
    const map = fs.readFileSync(path.join(SOURCE, 'protocol/libringbearer.map'), 'utf8');
    const listed = [...map.slice(0, map.indexOf('local:')).matchAll(/^\s+(\w+);/gm)].map(([, name]) => name).sort();
    const header = fs.readFileSync(path.join(SOURCE, 'protocol/ringbearer.h'), 'utf8');
    const declared = [...header.matchAll(/^RINGBEARER_EXPORT [^;]*?(ringbearer_\w+)\(/gm)].map(([, name]) => name).sort();
    const found = await exportsOf(LIBRARY);
    assert.deepEqual(found.map(({ name }) => name).sort(), listed);
    assert.deepEqual(listed, declared);
    for (const { name, version } of found) assert.match(version ?? '', /^RINGBEARER_\d+$/, name);
  });

  test('a module exports its entry and stays loaded', async (t) => {
    if (isInstrumented()) return skip(t);
    for (const file of modules) {
      assert.deepEqual((await exportsOf(file)).map(({ name }) => name), ['ringbearer_module_init'], file);
      assert.match(await readelf(file, '-d'), /Flags:.*NODELETE/, file);
    }
    return undefined;
  });

  for (const file of [PROGRAM, WHOLE, LIBRARY, ...modules]) {
    test(`hardening: ${path.basename(file)}`, async (t) => {
      if (isInstrumented()) return skip(t);
      assert.match(await readelf(file, '-h'), /Type: +DYN/);
      const segments = await readelf(file, '-l');
      assert.match(segments, /GNU_RELRO/);
      assert.match(segments, /GNU_STACK +\S+ \S+ \S+ \S+ \S+ RW +\S+/, 'no executable stack');
      assert.doesNotMatch(segments, /LOAD.* RWE /);
      assert.match(await readelf(file, '-d'), /BIND_NOW|Flags:.*NOW/);
      if (![PROGRAM, WHOLE].includes(file)) return undefined;
      assert.match(await readelf(file, '-d'), /Flags:.*PIE/);
      const all = await readelf(file, '-s');
      if (!/ main$/m.test(all)) return undefined; // stripped: no more to be seen
      assert.match(all, / __stack_chk_fail\b/, 'stack protector');
      const optimized = /^CFLAGS = .*-O[1-3s]/m.test(fs.readFileSync(path.join(BUILD, 'Makefile'), 'utf8'));
      if (optimized) assert.ok(new Set(all.match(/ __(?!stack)\w+_chk\b/g)).size > 2, 'fortified functions');
      return undefined;
    });
  }
});
