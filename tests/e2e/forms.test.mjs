// SPDX-License-Identifier: MIT
//
// The forms of an answer, read by what they are for: curl, a shell, Google's client library. The forms for mail are in
// mail.test.mjs, the one for systemd in systemd.test.mjs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { accountFile, addGeneric, closeWorld } from './lib/accounts.mjs';
import { SOURCE } from './lib/builds.mjs';
import { run } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { HOSTILE, addKey, unique } from './lib/small-accounts.mjs';
import * as standing from './lib/standing-grant.mjs';
import { World } from './lib/world.mjs';

const name = unique('forms');
const hostile = unique('hostile');
const SEGMENTS = '/rest/v2/segments';
let world;

before(async () => {
  world = await World.create();
  await addGeneric(world, name);
  await addKey(world, hostile, {}, HOSTILE);
});
after(() => closeWorld(world));

const get = (account, form, options) => world.must(['get', `--account=${account}`, `--format=${form}`], options);
const has = (program) => run(program, ['-c', ':'], { env: process.env }).then(() => true, () => false);

test('curl takes the header from a pipe and in a configuration file, as the README says', async () => {
  const [first] = block('curl').split('\n');
  const line = first.replaceAll('acme', name).replace(/https:\S+/, `${world.urls.a}${SEGMENTS}`);
  const env = { CURL_CA_BUNDLE: world.caFile };
  const { stdout, stderr } = await world.exec('sh', ['-c', line], { env });
  assert.equal(JSON.parse(stdout).totalCount, 2, stderr);
  const config = path.join(world.dir, 'curlrc');
  fs.writeFileSync(config, `silent\nheader = "@-"\nurl = "${world.urls.a}${SEGMENTS}"\n`);
  const configured = await world.exec('curl', ['--config', config], { env, input: (await get(name, 'header')).stdout });
  assert.equal(JSON.parse(configured.stdout).totalCount, 2, configured.stderr);
});

for (const shell of ['sh', 'dash', 'bash']) {
  test(`${shell} reads env back to the byte`, async (t) => {
    if (!await has(shell)) return t.skip(`${shell} is missing`);
    const line = block('curl').split('\n').find((each) => each.includes('eval')).replaceAll('acme', hostile);
    const script = `RINGBEARER_EXPIRES_AT=1; ${line}; printf '%s|%s' "$RINGBEARER_TOKEN" "$RINGBEARER_EXPIRES_AT"`;
    const { stdout, stderr } = await world.exec(shell, ['-c', script]);
    assert.deepEqual([stdout, stderr], [`${HOSTILE}|`, ''], 'a key has no expiry, and the one of before is gone');
    const { answer } = await world.request({ account: name });
    const plain = await world.exec(shell, ['-c', script.replaceAll(hostile, name)]);
    assert.equal(plain.stdout, `${answer.password}|${answer.password_expiry_utc}`);
    const failed = await world.exec(shell, ['-c', line.replaceAll(hostile, 'nobody')]);
    assert.notEqual(failed.code, 0, 'a failure is seen');
    assert.doesNotMatch((await get(name, 'env')).stdout, /"/, 'an ordinary token needs no quotes');
    return undefined;
  });
}

test('hostile tokens come through whole in every form, from the server and from the cache', async () => {
  for (const fresh of [true, false]) {
    const first = async (form) => {
      if (fresh) await world.request({ account: hostile }, { verb: 'erase' });
      return (await get(hostile, form)).stdout;
    };
    assert.equal(await first('token'), `${HOSTILE}\n`);
    assert.equal(await first('header'), `Authorization: Bearer ${HOSTILE}\n`);
    assert.equal(JSON.parse(await first('json')).access_token, HOSTILE);
    assert.equal(JSON.parse(await first('google')).id_token, HOSTILE);
    assert.match(await first('git'), new RegExp(`^password=${HOSTILE.replace(/[^\w]/g, '\\$&')}$`, 'm'));
    for (const form of ['xoauth2', 'oauthbearer']) {
      await world.request({ account: hostile }, { verb: 'erase' });
      const { stdout } = await world.must(['get', '--account', hostile, '--username=jane', `--format=${form}`]);
      assert.ok(Buffer.from(stdout, 'base64').toString().endsWith(`\x01auth=Bearer ${HOSTILE}\x01\x01`), form);
    }
  }
});

test('a SASL message without a user name is a configuration error, whatever is cached', async () => {
  await get(hostile, 'token');
  for (const form of ['xoauth2', 'oauthbearer']) {
    const { code, stdout, stderr } = await world.run(['get', `--account=${hostile}`, `--format=${form}`]);
    assert.deepEqual([code, stdout], [7, '']);
    assert.match(stderr, new RegExp(`: the form ${form} needs a user name; add .username. to the account\n$`));
    const odd = await world.run(['get', `--account=${hostile}`, `--format=${form}`, '--username=a\u0001b']);
    assert.match(odd.stderr, new RegExp(`: the form ${form} needs a user name without control characters; add`));
  }
});

test('the forms are named where they can be chosen, from one table', async () => {
  const table = fs.readFileSync(path.join(SOURCE, 'protocol/formats/formats.c'), 'utf8');
  const names = [...table.matchAll(/^\t\{"([a-z0-9-]+)", "/gm)].map(([, each]) => each);
  const list = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  assert.ok(names.length > 7);
  assert.ok((await world.must(['help', 'get'])).stdout.includes(`--format=FORM        ${list}\n`));
  const { code, stderr } = await world.run(['get', `--account=${name}`, '--format=xml']);
  assert.equal(code, 2);
  assert.ok(stderr.includes(`write ${list}\n`), stderr);
});

// What Google's library makes of the README's configuration: the subject token that it would exchange.
async function googleLibrary(account, extra = {}) {
  const { PluggableAuthClient } = await import('google-auth-library/build/src/auth/pluggable-auth-client.js');
  const config = JSON.parse(block('google').replaceAll('acme', account).replace('/usr/local/bin/ringbearer', world.program));
  const kept = { ...process.env };
  Object.assign(process.env, world.env, { GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: '1' });
  try {
    return await new PluggableAuthClient({ ...config, ...extra }).retrieveSubjectToken();
  } finally {
    for (const key of Object.keys(process.env)) if (kept[key] === undefined) delete process.env[key];
    Object.assign(process.env, kept);
  }
}
const noLibrary = () => import('google-auth-library').then(() => undefined, () => 'google-auth-library is missing; run npm ci in tests/');

test('Google\'s library takes the token, for both types that carry one', async (t) => {
  const why = await noLibrary();
  if (why) return t.skip(why);
  const token = await googleLibrary(name);
  assert.equal((await world.api(SEGMENTS, token)).status, 200);
  assert.equal(await googleLibrary(name, { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }), token);
  const type = async (wanted) => JSON.parse((await get(name, 'google', { env: { GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: wanted } })).stdout).token_type;
  for (const kind of ['jwt', 'id_token']) assert.equal(await type(`urn:ietf:params:oauth:token-type:${kind}`), `urn:ietf:params:oauth:token-type:${kind}`);
  const { expiration_time: expires } = JSON.parse((await get(name, 'google')).stdout);
  assert.equal(String(expires), (await world.request({ account: name })).answer.password_expiry_utc);
  return undefined;
});

test('and is told of a failure in its own words, with nothing on stderr', async (t) => {
  const missing = unique('missing');
  const { code, stdout, stderr } = await world.run(['get', `--account=${missing}`, '--format=google']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout), { version: 1, success: false, code: 'no_account', message: `there is no account \`${missing}\`` });
  const wrong = await world.run(['get', `--account=${name}`, '--format=google', '--min-valid=soon']);
  assert.deepEqual([wrong.code, wrong.stderr, JSON.parse(wrong.stdout).code], [0, '', 'malformed_request']);
  const why = await noLibrary();
  if (why) return t.skip(why);
  await assert.rejects(googleLibrary(missing), { code: 'no_account', message: /there is no account/ });
  return undefined;
});

test('nor does what a module or a library has to say get into that answer', async () => {
  const other = unique('empty');
  fs.copyFileSync(accountFile(world, hostile), accountFile(world, other)); // no secret is kept under this name
  const env = { G_MESSAGES_DEBUG: 'all' };
  const { code, stdout, stderr } = await world.run(['get', `--account=${other}`, '--format=google'], { env });
  assert.deepEqual([code, stderr, JSON.parse(stdout).code], [0, '', 'no_secret']);
  assert.notEqual((await world.run(['get', `--account=${other}`], { env })).stderr, '');
});

test('google: a good token is a success, also if the keyring did not take the next refresh token', async () => {
  const login = unique('login');
  await standing.addAccount(world, login);
  await standing.erase(world, login);
  await world.control.fault({ kind: 'delay', seconds: 0.5 });
  const asked = (await standing.tokensSent(world)).length;
  const running = world.run(['get', `--account=${login}`, '--format=google']);
  await standing.untilAsked(world, asked + 1);
  await world.keyring.lock();
  const { code, stdout, stderr } = await running;
  const usual = await world.run(['get', `--account=${login}`]);
  await world.keyring.unlock();
  assert.deepEqual([code, stderr, JSON.parse(stdout).success], [0, '', true]);
  assert.deepEqual([usual.code, usual.stdout.includes(JSON.parse(stdout).id_token)], [4, true], 'it had something to say');
  await world.must(['refresh', login]);
  await world.must(['logout', login]);
});
