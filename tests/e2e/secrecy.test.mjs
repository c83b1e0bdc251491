// SPDX-License-Identifier: MIT
//
// Secrets are in the keyring, tokens in the kernel and on the caller's stdout, and neither is anywhere
// else: no argument, no environment, no file, no message, no core.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { MACHINE } from '../servers/fixtures.mjs';
import { addGeneric, afresh, closeWorld } from './lib/accounts.mjs';
import { crowd } from './lib/crowd.mjs';
import { start } from './lib/processes.mjs';
import { ask, assertToken } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';
import { Witness } from './lib/witness.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('secrecy');
const SECRET = `not-a-secret-${randomBytes(12).toString('hex')}`;
const KEY = `sk_live_fixture_${randomBytes(12).toString('hex')}`;
const TRACE = { env: { RINGBEARER_TRACE: '1' } };
let world;
let control;

// A secret as it is, and in the disguises in which it travels.
const disguises = (secret) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(`${MACHINE.client_id}:${secret}`).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex')];

before(async () => {
  world = await World.create();
  control = world.control;
});
after(() => closeWorld(world));
beforeEach(async () => {
  await control.reset();
  await control.app({ client_id: MACHINE.client_id, client_secret: SECRET });
});

// Everything that one can do, well and badly. Answers all results; those that may hold a token on
// stdout carry it as `token`.
async function busyDay() {
  const results = [];
  const note = async (doing, more = {}) => results.push({ ...await doing, ...more });
  const given = async (doing) => {
    const result = await doing;
    results.push({ ...result, token: result.answer?.credential ?? result.stdout.trim() });
  };
  const trouble = async (fault, name = NAME) => {
    await afresh(world, name);
    await control.fault({ count: 3, ...fault });
    await note(ask(world, name, {}, TRACE));
    await control.clearFaults();
  };
  await addGeneric(world, NAME, { client: { ...MACHINE, client_secret: SECRET }, renew_ahead: '50%' });
  await addGeneric(world, `${NAME}-basic`, { client: { ...MACHINE, client_secret: SECRET }, client_auth: 'client_secret_basic', match: 'https://api.example/' });
  await world.addApiKey(`${NAME}-key`, {}, KEY);
  for (const account of [NAME, `${NAME}-key`]) {
    await given(ask(world, account, {}, TRACE));
    await given(world.run(['token', account], TRACE));
  }
  await note(ask(world, `${NAME}-basic`, {}, TRACE));
  for (const fault of [{ kind: 'echo_secret' }, { kind: 'html200' }, { kind: 'ctl_token' }, { kind: 'redirect' }, { kind: 'close_after' }]) await trouble(fault);
  await trouble({ kind: 'raw', body: `{"access_token": "${SECRET}"` });
  await afresh(world, NAME);
  await control.ttl({ access: 4 });
  await given(ask(world, NAME));
  await pause(2050);
  await control.fault({ kind: 'delay', seconds: 0.5 });
  await given(ask(world, NAME, { min_valid: 0 }, TRACE)); // a child renews behind its back
  await note(world.request({ account: NAME, client_secret: SECRET }, { verb: 'store', ...TRACE }));
  for (const args of [['refresh', NAME], ['list'], ['list', '--json'], ['show', NAME], ['show', `${NAME}-key`]]) await note(world.run(args, TRACE));
  await note(world.run(['secret', NAME, '--secret-stdin'], { ...TRACE, input: `${SECRET}\n` }));
  await note(world.run(['secret', `${NAME}-key`, '--secret-stdin'], { ...TRACE, input: `${KEY}\nmore` }));
  await note(world.run(['add', NAME, '--secret-stdin', '--grant=client_credentials'], { ...TRACE, input: SECRET }));
  for (const result of await crowd(world, 20, { account: NAME, capability: ['authtype'] })) results.push({ ...result, token: result.answer.credential });
  await world.keyring.lock();
  await afresh(world, NAME);
  await note(ask(world, NAME, {}, TRACE));
  await world.keyring.unlock();
  return results;
}

function filesBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return file === path.join(world.env.XDG_DATA_HOME, 'keyrings') ? [] : filesBelow(file);
    return entry.isFile() ? [file] : [];
  });
}

function lockFolders() {
  const uid = process.getuid();
  return [`/tmp/ringbearer-${uid}`, `/run/user/${uid}/ringbearer`].filter((name) => fs.existsSync(name));
}

test('S0:21 S1:36 S3:19 a busy day leaves no trace of a secret or a token', async () => {
  const secrets = [...disguises(SECRET), ...disguises(KEY)];
  const witness = await Witness.watch(secrets);
  const results = await busyDay();
  const { hits, looks, programs } = await witness.stop();
  assert.deepEqual(hits, [], 'arguments and environments');
  assert.ok(looks > 50 && programs > 20, `${looks} looks saw ${programs} processes`);

  const tokens = [...new Set(results.map(({ token }) => token).filter(Boolean))];
  assert.ok(tokens.length >= 4, `${tokens.length} tokens`);
  for (const { stdout, stderr, token } of results) {
    const shown = stderr + (token ? stdout.replaceAll(token, '') : stdout);
    for (const needle of [...secrets, ...tokens]) assert.ok(!shown.includes(needle), shown);
  }
  const files = [world.dir, ...lockFolders()].flatMap(filesBelow);
  assert.ok(files.some((file) => file.endsWith(`/accounts/${NAME}`)));
  for (const file of files) {
    const bytes = fs.readFileSync(file);
    for (const needle of [...secrets, ...tokens]) assert.ok(!bytes.includes(needle), `${file} holds ${needle}`);
  }
});

test('the witness sees arguments and environments', async () => {
  const witness = await Witness.watch(['in-plain-sight']);
  await world.exec('sh', ['-c', 'sleep 0.3', 'in-plain-sight']);
  await world.exec('sleep', ['0.3'], { env: { MARK: 'in-plain-sight' } });
  const { hits } = await witness.stop();
  assert.ok(hits.includes('cmdline of sh: in-plain-sight'), hits.join('\n'));
  assert.ok(hits.some((hit) => hit.startsWith('environ of ')), hits.join('\n'));
});

async function childOf(pid, name) {
  const children = () => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const called = (child) => fs.readFileSync(`/proc/${child}/comm`, 'utf8').startsWith(name);
  return Number(await until(() => children().find(called), `${name} runs`));
}

// Runs a command under a shell with cores allowed, aborts it and answers what the shell says of it.
async function abort(folder, words, input, ready) {
  const shell = start('bash', ['-c', 'ulimit -c unlimited 2>/dev/null; "$@"; exit $?', 'bash', ...words], { cwd: folder, env: world.env, stdio: 'pipe' });
  let said = '';
  shell.stderr.on('data', (chunk) => { said += chunk; });
  shell.stdin.on('error', () => {});
  shell.stdin.write(input);
  const child = await childOf(shell.pid, path.basename(words[0]));
  await until(ready, 'it is in the middle of something');
  process.kill(child, 'SIGABRT');
  shell.stdin.end();
  const { code } = await shell.ended;
  return { code, said };
}

test('a process that is aborted in the middle of a request leaves no core', async (context) => {
  if (process.env.ASAN_OPTIONS?.includes('handle_abort=1')) return context.skip('the sanitizer takes the signal');
  const folder = fs.mkdtempSync(path.join(world.dir, 'cores-'));
  const other = await abort(folder, ['sleep', '30'], '', () => true);
  if (!other.said.includes('core dumped')) return context.skip('no program leaves a core here');
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name));
  await addGeneric(world, `${NAME}-core`, { client: { ...MACHINE, client_secret: SECRET }, match: 'https://core.example/' });
  await control.fault({ kind: 'hang' });
  const { code, said } = await abort(folder, [world.program, 'get'], `account=${NAME}-core\n\n`, () => control.count('client_credentials'));
  const sealing = fs.existsSync(path.join(world.env.RINGBEARER_MODULE_DIR, 'store-etcd.so'))
    ? [await abort(folder, [world.program, 'seal', 'import', '--store=etcd'], 'f'.repeat(64), () => pause(300).then(() => true))] : [];
  for (const ended of [{ code, said }, ...sealing]) {
    assert.equal(ended.code, 128 + os.constants.signals.SIGABRT, ended.said);
    assert.doesNotMatch(ended.said, /core dumped/);
  }
  assert.deepEqual(fs.readdirSync(folder), []);
  return undefined;
});

test('the same user cannot look into its memory or environment', async (context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rb-open-'));
  const program = path.join(folder, 'ringbearer');
  fs.chmodSync(folder, 0o755);
  fs.copyFileSync(world.program, program);
  fs.chmodSync(program, 0o755);
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const drop = process.getuid() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : ['env'];
  const [file, ...words] = drop;
  const looksInto = async (...command) => {
    const child = start(file, [...words, ...command], { cwd: '/', env: { PATH: process.env.PATH }, stdio: ['pipe', 'ignore', 'ignore'] });
    await pause(300);
    const look = (name) => world.exec(file, [...words, 'head', '-c', '0', `/proc/${child.pid}/${name}`], { cwd: '/' });
    const codes = [(await look('environ')).code, (await look('mem')).code];
    child.kill('SIGKILL');
    await child.ended;
    return codes;
  };
  if ((await looksInto('sleep', '10')).some((code) => code !== 0)) return context.skip('no process can be looked into here');
  assert.deepEqual(await looksInto(program, 'get'), [1, 1]);
  return undefined;
});

test('a token is what was asked for and goes to stdout alone', async () => {
  await afresh(world, NAME);
  const token = assertToken(await ask(world, NAME));
  const { stdout, stderr } = await world.must(['token', NAME], TRACE);
  assert.deepEqual([stdout, stderr.includes(token)], [`${token}\n`, false]);
  assert.match(stderr, /trace: /);
});
