// SPDX-License-Identifier: MIT
//
// Where the secrets of a login are not: in arguments and environments, in files, in what is said and
// traced. The address that a browser is given leads to the request, and has nothing of it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DASHBOARD, FIELD_SERVICE } from '../servers/fixtures.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { addConfidential, refreshTokenOf, seen, tokenOf } from './lib/login-accounts.mjs';
import { Login, until } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { canTrace, readTrace, traced } from './lib/trace.mjs';
import { World } from './lib/world.mjs';

const [BLUECONIC, CONFIDENTIAL] = ['secret-a', 'secret-b'].map(unique);
const TENANT = { [BLUECONIC]: 'a', [CONFIDENTIAL]: 'b' };
const EXPECTED_FILES = [/^\/dev\/(null|tty|shm\/.*)$/, /\/ringbearer(-\d+)?\/?$/, /^(login-.*|[0-9a-f]{16})\.lock$/];
const redirects = {};
let world;
let traceable;

before(async () => {
  world = await World.create();
  await world.addAuthorizationCode(BLUECONIC);
  redirects.a = (await world.control.state()).tenants.a.apps.find(({ client_id }) => client_id === DASHBOARD.client_id).redirect_uris;
  redirects.b = [await addConfidential(world, CONFIDENTIAL)];
  traceable = await canTrace(world);
});
after(() => closeWorld(world));
beforeEach(async () => {
  await world.control.reset();
  await world.control.app({ client_id: DASHBOARD.client_id, redirect_uris: redirects.a });
  await world.control.app({ tenant: 'b', client_id: FIELD_SERVICE.client_id, redirect_uris: redirects.b });
});

// All that must not be seen, as it is and in the disguises of headers and stores.
async function secretsOf(name) {
  const { form, authorization } = (await seen(world, TENANT[name], 'token')).findLast((entry) => entry.form.get('grant_type') === 'authorization_code');
  const { client_secret } = name === BLUECONIC ? DASHBOARD : FIELD_SERVICE;
  const named = {
    code: form.get('code'), verifier: form.get('code_verifier'), header: authorization?.replace('Basic ', ''), client_secret,
    refresh: await refreshTokenOf(world, name), access: await tokenOf(world, name),
  };
  const found = Object.entries(named).filter(([, value]) => value);
  for (const [what, value] of found) assert.ok(value.length >= 20, `${what} is worth looking for`);
  return found.flatMap(([what, value]) => [[what, value], [`${what} in base64`, Buffer.from(value).toString('base64url').replace(/=+$/, '')]]);
}

function assertAbsent(text, secrets, where) {
  for (const [what, value] of secrets) assert.ok(!text.includes(value), `the ${what} is in ${where}`);
}

function filesBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return file === `${world.env.XDG_DATA_HOME}/keyrings` ? [] : filesBelow(file);
    return entry.isFile() && !/\/trace-/.test(file) ? [file] : [];
  });
}

const chatty = (options = {}) => ({ ...options, env: { RINGBEARER_TRACE: '1', ...options.env } });

for (const name of [BLUECONIC, CONFIDENTIAL]) {
  test(`${TENANT[name] === 'a' ? 'a secret in the body' : 'a secret in the header'}: what programs are given, and what is written`, async (t) => {
    if (!traceable) return t.skip('strace is missing or not allowed');
    const trace = `${world.dir}/trace-${TENANT[name]}`;
    const browser = world.browser({ deliver: false });
    const login = await Login.begin(world, name, { args: [], under: traced(trace), ...chatty({ env: browser.env }) });
    await until(() => browser.visits().length === 1, 'the browser');
    const { code: status, stdout, stderr } = await login.arrive(browser.visits()[0].location).then(() => login.end());
    assert.equal(status, 0, stderr);
    const secrets = await secretsOf(name);
    const { programs, written } = readTrace(trace);
    assert.ok(programs.length >= 2 && programs.some((line) => line.includes('/start/')), 'the browser was seen');
    assert.doesNotMatch(programs.join('\n'), /code_challenge|state=|client_id=/, 'the request is in nobody\'s sight');
    assertAbsent(programs.join('\n'), secrets, 'the arguments or the environment of a program');
    const own = written.filter((file) => !file.startsWith(`${world.dir}/bin/browser`));
    assert.ok(own.some((file) => file.endsWith('.lock')));
    assert.deepEqual(own.filter((file) => !EXPECTED_FILES.some((pattern) => pattern.test(file))), []);
    assert.match(stderr, /^ringbearer: trace: POST /m);
    assertAbsent(stdout + stderr, secrets, 'what the login says');
    return undefined;
  });
}

describe('nothing is left', () => {
  test('in any file but the keyring\'s', async () => {
    await Login.complete(world, BLUECONIC, chatty());
    const secrets = await secretsOf(BLUECONIC);
    const locks = [`/tmp/ringbearer-${process.getuid()}`, `/run/user/${process.getuid()}/ringbearer`].filter((folder) => fs.existsSync(folder));
    const files = [world.dir, ...locks].flatMap(filesBelow);
    assert.ok(files.length >= 5);
    for (const file of files) assertAbsent(fs.readFileSync(file, 'latin1'), secrets, file);
    for (const file of locks.flatMap(filesBelow)) assert.equal(fs.statSync(file).size, 0, file);
  });

  test('for others to see while it runs', () => Login.during(world, BLUECONIC, async (login) => {
    const location = await login.consent();
    await world.control.fault({ kind: 'delay', seconds: 0.5 });
    const looks = [];
    const arriving = login.arrive(location);
    while (!login.over) { // the code and the verifier are with it now, then the tokens
      for (const pid of world.processes()) {
        for (const what of ['cmdline', 'environ']) {
          try {
            looks.push(fs.readFileSync(`/proc/${pid}/${what}`, 'latin1'));
          } catch {
            // gone meanwhile
          }
        }
      }
      await new Promise(setImmediate);
    }
    await arriving;
    assert.equal((await login.end()).code, 0);
    assert.ok(looks.some((text) => text.includes(`login\0${BLUECONIC}`)), 'it was seen');
    assertAbsent(looks.join('\n'), await secretsOf(BLUECONIC), 'arguments or environments');
  }));
});

test('what fails, with all that is traced, says nothing of it either', async () => {
  const faults = ['echo_secret', '500', 'truncated_json', 'html200', 'mac', 'ctl_token'];
  const heard = [];
  for (const kind of faults) {
    await world.control.fault({ kind });
    const { code, stdout, stderr } = await Login.complete(world, BLUECONIC, chatty());
    assert.notEqual(code, 0, kind);
    heard.push([kind, stdout + stderr]);
  }
  const secrets = (await seen(world, 'a', 'token')).flatMap(({ form }) => ['code', 'code_verifier', 'client_secret'].map((what) => [what, form.get(what)]));
  assert.equal(secrets.length, 3 * faults.length);
  for (const [kind, text] of heard) assertAbsent(text, secrets, `the messages of ${kind}`);
});

test('logout says and passes on nothing', async (t) => {
  if (!traceable) return t.skip('strace is missing or not allowed');
  await Login.complete(world, BLUECONIC);
  const secrets = await secretsOf(BLUECONIC);
  const trace = `${world.dir}/trace-logout`;
  const [file, ...words] = traced(trace);
  const { code, stdout, stderr } = await world.exec(file, [...words, world.program, 'logout', BLUECONIC], chatty());
  assert.equal(code, 0, stderr);
  assertAbsent(stdout + stderr, secrets, 'what it says');
  assertAbsent(readTrace(trace).programs.join('\n'), secrets, 'arguments or environments');
  return undefined;
});
