// SPDX-License-Identifier: MIT
//
// The device authorization grant (RFC 8628): a person enters a code on another device while the
// program asks the service at the pace it is told.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { DEVICE_CLI, FIELD_SERVICE, password } from '../servers/fixtures.mjs';
import { missing, openWindow, shoot } from './lib/chromium.mjs';
import { shellLine, shellOnTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
let world;

before(async () => {
  world = await World.create();
  const keys = {
    provider: 'oidc', issuer: world.urls.b, scope: 'devices:read offline_access', ca_file: world.caFile, match: `${world.urls.b}/v1/`,
  };
  await world.add('device', { ...keys, grant: 'device_code', client_auth: 'none', client_id: DEVICE_CLI.client_id });
  await world.add('code', { ...keys, grant: 'authorization_code', client_auth: 'none', client_id: DEVICE_CLI.client_id });
});
after(() => world.close());
beforeEach(() => world.control.reset());

// Starts a login and waits until it has shown what a person needs.
async function start(args = ['login', 'device']) {
  const child = spawn(world.program, args, { env: world.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const login = { child, text: '', output: '', done: once(child, 'exit').then(([code, signal]) => ({ code, signal })) };
  child.stderr.on('data', (data) => { login.text += data; });
  child.stdout.on('data', (data) => { login.output += data; });
  const ended = login.done.then(() => 'ended');
  while (!/enter the code\n\n\s+\S+\n/.test(login.text)) {
    const what = await Promise.race([ended, new Promise((resolve) => { setTimeout(resolve, 20, 'wait'); })]);
    if (what === 'ended') break;
  }
  login.uri = /open\n\n\s+(\S+)/.exec(login.text)?.[1];
  login.userCode = /enter the code\n\n\s+(\S+)/.exec(login.text)?.[1];
  return login;
}

const polls = async () => (await world.control.log('b')).filter((entry) => entry.body?.includes(encodeURIComponent(GRANT)));

test('S3 device: code entered elsewhere, token works, then it renews without a person', async () => {
  const login = await start();
  await world.visit(login.uri, { userCode: login.userCode, user: 'operator', answer: 'allow' });
  assert.deepEqual(await login.done, { code: 0, signal: null });
  assert.match(login.output, /^device: logged in/);
  const { answer } = await world.request({ account: 'device' });
  assert.equal((await world.api('/v1/devices', answer.password)).status, 200);
  await world.must(['refresh', 'device']);
  assert.equal(await world.control.count('refresh_token', 'b'), 1);
});

// The service's pages in a real browser, on to the last of them.
async function goThrough(page, { uri, userCode }, answer) {
  await page.goto(uri);
  await page.fill('input[name=user_code]', userCode);
  await page.click('#continue');
  await page.click('#confirm');
  await page.fill('input[name=username]', 'operator');
  await page.fill('input[name=password]', password('operator'));
  await page.click('#login');
  await page.click(`#${answer}`);
  await page.waitForFunction((name) => !globalThis.document.getElementById(name), answer);
}

const answers = { allow: [0, /logged in/], deny: [6, /access_denied/] };
for (const [answer, [exit, says]] of Object.entries(answers)) {
  test(`in Chromium: the code is entered, and the person says ${answer}`, { skip: missing }, async () => {
    const login = await start();
    const { page, context } = await openWindow(world);
    try {
      await goThrough(page, login, answer);
      await shoot(page, `device-${answer}`);
    } finally {
      await context.close();
    }
    assert.equal((await login.done).code, exit, login.text);
    assert.match(login.output + login.text, says);
    if (exit === 0) assert.equal((await world.run(['token', 'device'])).code, 0);
  });
}

test('--device works for an account whose grant is another one', async () => {
  const login = await start(['login', 'code', '--device']);
  await world.visit(login.uri, { userCode: login.userCode, user: 'operator', answer: 'allow' });
  assert.equal((await login.done).code, 0);
  assert.equal((await world.run(['token', 'code'])).code, 0);
});

test('code and address are shown, the device code never is', async () => {
  const login = await start();
  login.child.kill('SIGTERM');
  await login.done;
  const [poll] = await polls();
  const secret = poll && new URLSearchParams(poll.body).get('device_code');
  assert.match(login.text, new RegExp(`${world.urls.b}/device`));
  assert.ok(login.userCode.length >= 8);
  if (secret) assert.ok(!login.text.includes(secret));
  assert.ok(!/device_code/.test(login.text));
});

test('the picture is there on a terminal that can show it alone, where libqrencode is', async () => {
  const shown = async (env) => (await shellOnTerminal(world, `${shellLine(['timeout', '1', world.program, 'login', 'device'])}; true`, [], { env })).output;
  const [able, dumb, ascii] = [await shown({ TERM: 'xterm' }), await shown({}), await shown({ TERM: 'xterm', LANG: 'C' })];
  if (/[█▀▄]/.test(able)) assert.match(able, /^ {2}█{20,}$/m);
  for (const output of [dumb, ascii]) assert.doesNotMatch(output, /[█▀▄]/);
  for (const output of [able, dumb, ascii]) assert.match(output, /enter the code/);
});

test('denied on the other device: exit 6 and nothing kept', async () => {
  const login = await start();
  await world.visit(login.uri, { userCode: login.userCode, user: 'operator', answer: 'deny' });
  assert.equal((await login.done).code, 6);
  assert.match(login.text, /access_denied/);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal}: it ends with it, its text with a whole line, and the next login can begin`, async () => {
    const login = await start();
    login.child.kill(signal);
    assert.deepEqual(await login.done, { code: null, signal });
    assert.match(login.text, /\n$/);
    assert.equal(login.output, '');
    const next = await start();
    assert.ok(next.userCode);
    next.child.kill(signal);
    await next.done;
  });
}

test('slow_down: every later wait is five seconds longer', async () => {
  await world.control.fault({ kind: 'error', tenant: 'b', grant_type: GRANT, error: 'slow_down', status: 400 });
  const login = await start();
  await new Promise((resolve) => { setTimeout(resolve, 5500); }); // the first question, answered with slow_down
  await world.visit(login.uri, { userCode: login.userCode, user: 'operator', answer: 'allow' });
  assert.equal((await login.done).code, 0);
  const at = (await polls()).map((entry) => entry.at);
  assert.equal(at.length, 2);
  assert.ok(at[1] - at[0] >= 9900, `${at[1] - at[0]} ms between the questions`);
});

test('a code that expired ends the wait with exit 3', async () => {
  await world.control.fault({ kind: 'error', tenant: 'b', grant_type: GRANT, error: 'expired_token', status: 400 });
  const login = await start();
  assert.equal((await login.done).code, 3);
  assert.match(login.text, /login device --device/);
});

test('an answer without a code, or with an address that is not https, is refused', async (t) => {
  for (const set of [{ user_code: null }, { verification_uri: 'http://example.com/device' }, { user_code: 'A\u001b[31mB' }]) {
    await t.test(JSON.stringify(set), async () => {
      await world.control.fault({ kind: 'set', tenant: 'b', endpoint: 'device', set });
      const { code, stderr } = await world.run(['login', 'device']);
      assert.equal(code, 8);
      assert.ok(!stderr.includes('\u001b[31m'));
    });
  }
});

test('a service that has no device endpoint: exit 7, and what to do', async () => {
  await world.add('plain', {
    provider: 'bluesonde', grant: 'authorization_code', match: `${world.urls.b}/v1/`, client_id: FIELD_SERVICE.client_id,
  }, FIELD_SERVICE.client_secret);
  const { code, stderr } = await world.run(['login', 'plain', '--device']);
  assert.equal(code, 7);
  assert.match(stderr, /device_authorization_endpoint/);
});
