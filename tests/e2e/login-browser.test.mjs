// SPDX-License-Identifier: MIT
//
// Logins in a real browser: headless Chromium goes from the address that the program names through
// the services' pages and back, and is looked at when it has arrived. Skipped where Chromium or
// playwright-core is missing. SCREENSHOTS=folder keeps pictures of what a person sees at the end.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DASHBOARD, DEVICE_CLI, FIELD_SERVICE, password } from '../servers/fixtures.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { historyOf, missing, openWindow, shoot } from './lib/chromium.mjs';
import { addConfidential, addPublic, DEVICES, refreshTokenOf, seen, SEGMENTS, tokenOf } from './lib/login-accounts.mjs';
import { Login, until } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { hasIPv6 } from './lib/sockets.mjs';
import { World } from './lib/world.mjs';

const GOOD = /^You are logged in\n.*close this window/s;
const REFUSED = /^[^\n]*not (allow|grant)[^\n]*\n.*Nothing was stored/s;
const FAILED = /^[^\n]*did not work\n.*Nothing was stored.*terminal/s;
let world;

before(async () => { if (!missing) world = await World.create(); });
after(() => world && closeWorld(world));
beforeEach(() => world?.control.reset());

// The service's pages, as a person takes them, until the browser is back on this computer.
async function goThrough(page, url, { user = 'operator', answer = 'allow' } = {}) {
  await page.goto(url);
  await page.fill('input[name=username]', user);
  await page.fill('input[name=password]', password(user));
  await page.click('#login');
  await page.click(`#${answer}`);
}

// What a person sees who has come back: the end of it, without the code anywhere.
async function look(window, login, text) {
  const { page } = window;
  await page.waitForURL(`${login.redirect.origin}/done`);
  assert.match(await page.innerText('main'), text);
  assert.equal(await page.evaluate('window.location.search + window.location.hash + document.referrer'), '');
  const back = (await historyOf(window)).filter((url) => url.startsWith(login.redirect.origin));
  assert.deepEqual(back, [page.url()], 'the address with the code is not in the history');
}

// Begins a login, hands it a window, and has both end.
async function inWindow(account, body) {
  const login = await Login.begin(world, account);
  const window = await openWindow(world);
  const complaints = [];
  window.page.on('console', (message) => {
    const ours = message.location().url.startsWith(login.redirect.origin);
    if (ours && !/status of 400/.test(message.text())) complaints.push(message.text());
  });
  try {
    await body(window, login);
    const result = await login.end();
    assert.deepEqual(complaints, [], 'nothing that the page wants is blocked or missing');
    return { ...result, login };
  } finally {
    await window.context.close();
  }
}

// From the address to a token that works.
async function succeeds(name, where, shot) {
  const { code, stderr, login } = await inWindow(name, async (window, login) => {
    await goThrough(window.page, login.url);
    await look(window, login, GOOD);
    if (shot) await shoot(window.page, shot);
  });
  assert.equal(code, 0, stderr);
  assert.equal((await world.api(where, await tokenOf(world, name))).status, 200);
  assert.ok(await refreshTokenOf(world, name));
  return login;
}

const lastToken = async (tenant) => (await seen(world, tenant, 'token')).at(-1);

describe('in Chromium', { skip: missing }, () => {
  test('S0:26 S0:27 S0:28 S0:35 S1:25 S1:28 S1:42 a program with a secret in the body and an address of its own (BlueConic)', async () => {
    const name = unique('seen-a');
    await world.addAuthorizationCode(name);
    const login = await succeeds(name, SEGMENTS, 'success');
    const { form, authorization } = await lastToken('a');
    assert.deepEqual([form.get('client_secret'), authorization], [DASHBOARD.client_secret, undefined]);
    assert.equal(form.get('redirect_uri'), login.redirect.href);
  });

  test('S3:23 S3:35 S3:45 S3:101 a program with a secret in the header, and lasting access (Bluesonde)', async () => {
    const name = unique('seen-b');
    await addConfidential(world, name);
    await succeeds(name, DEVICES);
    const { form, authorization } = await lastToken('b');
    const sent = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
    assert.deepEqual([sent, form.get('client_secret')], [`${FIELD_SERVICE.client_id}:${FIELD_SERVICE.client_secret}`, null]);
  });

  const families = {
    'on 127.0.0.1': ['http://127.0.0.1/callback', '127.0.0.1'],
    'on IPv6': ['http://[::1]/callback', '[::1]'],
    'on localhost': ['http://localhost/callback', 'localhost'],
  };
  for (const [what, [redirect_uri, host]] of Object.entries(families)) {
    test(`S3:51 a program without a secret, ${what}, any port (Bluesonde)`, { skip: host === '[::1]' && !hasIPv6 && 'this machine has no IPv6' }, async () => {
      const name = unique(`seen-${host.replaceAll(/[^a-z0-9]/g, '')}`);
      await addPublic(world, name, { redirect_uri });
      const { redirect } = await succeeds(name, DEVICES);
      assert.deepEqual([redirect.hostname, redirect.pathname], [host, '/callback']);
      const { form, authorization } = await lastToken('b');
      assert.deepEqual([form.get('client_id'), authorization], [DEVICE_CLI.client_id, undefined]);
    });
  }

  test('S0:20 consent that is denied', async () => {
    const name = unique('seen-denied');
    await world.addAuthorizationCode(name);
    const { code, stderr } = await inWindow(name, async (window, login) => {
      await goThrough(window.page, login.url, { answer: 'deny' });
      await look(window, login, REFUSED);
      await shoot(window.page, 'denied');
    });
    assert.equal(code, 6, stderr);
    assert.equal(await refreshTokenOf(world, name), undefined);
  });

  test('an exchange that fails', async () => {
    const name = unique('seen-failed');
    await world.addAuthorizationCode(name);
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401 });
    const { code, stderr } = await inWindow(name, async (window, login) => {
      await goThrough(window.page, login.url);
      await look(window, login, FAILED);
      await shoot(window.page, 'failed');
    });
    assert.equal(code, 6, stderr);
  });

  test('S0:27 a wrong state comes first, and the right one all the same', async () => {
    const name = unique('seen-state');
    await addPublic(world, name);
    const { code, stderr } = await inWindow(name, async (window, login) => {
      await window.page.goto(`${login.redirect}?code=stolen&state=guessed`);
      assert.match(await window.page.innerText('main'), /^This is not the login that was started/);
      await shoot(window.page, 'stranger');
      assert.ok(login.waits);
      await goThrough(window.page, login.url);
      await window.page.waitForURL(`${login.redirect.origin}/done`);
      assert.match(await window.page.innerText('main'), GOOD);
    });
    assert.equal(code, 0, stderr);
    assert.equal((await world.api(DEVICES, await tokenOf(world, name))).status, 200);
  });

  test('a page elsewhere cannot read what the listener says, nor end the login', async () => {
    const name = unique('seen-foreign');
    await addPublic(world, name);
    const { code } = await inWindow(name, async ({ page, context }, login) => {
      const foreign = await context.newPage();
      await foreign.goto(`${world.urls.control}/counts`);
      const outcome = await foreign.evaluate(async (url) => {
        const read = await fetch(url).then(({ status }) => `read ${status}`, () => 'not read');
        const blind = await fetch(`${url}?error=access_denied&state=x`, { mode: 'no-cors' }).then(({ type }) => type, () => 'failed');
        return [read, blind];
      }, login.redirect.href);
      assert.deepEqual(outcome, ['not read', 'opaque']);
      assert.ok(login.waits);
      await goThrough(page, login.url);
      await until(() => login.over, 'the end');
    });
    assert.equal(code, 0);
  });
});
