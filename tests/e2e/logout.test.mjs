// SPDX-License-Identifier: MIT
//
// `logout`: what the service is asked to forget, in which order, what is forgotten here whatever it
// says, and what a person is told when it does not agree. And `remove` after a login.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { API_KEY, DASHBOARD, DEVICE_CLI, FIELD_SERVICE, MACHINE } from '../servers/fixtures.mjs';
import { accountFile, closeWorld, edit } from './lib/accounts.mjs';
import { refreshA, REVOKE_PATH } from './lib/flows.mjs';
import { basic } from './lib/http.mjs';
import { addConfidential, addPublic, DEVICES, kindsKept, refreshTokenOf, seen, SEGMENTS, tokenOf } from './lib/login-accounts.mjs';
import { Login } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const [BLUECONIC, CONFIDENTIAL, PUBLIC, MACHINES, KEYED] = ['logout-a', 'logout-b', 'logout-p', 'logout-cc', 'logout-key'].map(unique);
const redirects = {};
let world;
let control;

before(async () => {
  world = await World.create();
  control = world.control;
  await world.addAuthorizationCode(BLUECONIC);
  redirects.a = (await control.state()).tenants.a.apps.find(({ client_id }) => client_id === DASHBOARD.client_id).redirect_uris;
  redirects.b = [await addConfidential(world, CONFIDENTIAL, { revocation_endpoint: world.urls.b + REVOKE_PATH.b })];
  await addPublic(world, PUBLIC, { revocation_endpoint: world.urls.b + REVOKE_PATH.b });
  await world.addClientCredentials(MACHINES);
  await world.addApiKey(KEYED);
});
after(() => closeWorld(world));
beforeEach(async () => {
  await control.reset();
  await control.app({ client_id: DASHBOARD.client_id, redirect_uris: redirects.a });
  await control.app({ tenant: 'b', client_id: FIELD_SERVICE.client_id, redirect_uris: redirects.b });
});

async function loggedIn(name) {
  const { code, stderr } = await Login.complete(world, name);
  assert.equal(code, 0, stderr);
  return { access: await tokenOf(world, name), refresh: await refreshTokenOf(world, name) };
}

const logout = (name) => world.run(['logout', name], { timeout: 20000 });
const kinds = async (tenant) => (await seen(world, tenant, 'revoke')).map(({ form }) => form.get('token_type_hint'));

// Here nothing is left of the login; what the account needs for another one is.
async function assertForgotten(name, needs = ['client_secret']) {
  const requests = await control.counts(name === BLUECONIC ? 'a' : 'b');
  assert.equal((await world.request({ account: name })).code, 3);
  assert.deepEqual(await control.counts(name === BLUECONIC ? 'a' : 'b'), requests, 'nobody is asked in vain');
  assert.deepEqual(await kindsKept(world, name), needs);
}

// The service has not done what it was asked to: one line says so, and what a person can do.
async function disagrees(name, exit, says) {
  const { code, stdout, stderr } = await logout(name);
  assert.deepEqual([code, stdout], [exit, ''], stderr);
  assert.match(stderr, new RegExp(`^ringbearer: ${name}: [^\n]+\n$`));
  for (const pattern of [says].flat()) assert.match(stderr, pattern);
  return stderr;
}

describe('the service agrees', () => {
  test('S0:31 S2:80 the refresh token first, then the access token; the program proves itself in the body', async () => {
    const { access, refresh } = await loggedIn(BLUECONIC);
    const { code, stdout, stderr } = await logout(BLUECONIC);
    assert.deepEqual([code, stdout, stderr], [0, `${BLUECONIC}: logged out\n`, '']);
    const requests = await seen(world, 'a', 'revoke');
    const expected = [[refresh, 'refresh_token'], [access, 'access_token']];
    assert.deepEqual(requests.map(({ form }) => [form.get('token'), form.get('token_type_hint')]), expected);
    for (const { form, method, url, authorization } of requests) {
      assert.deepEqual([...form.keys()].sort(), ['client_id', 'client_secret', 'token', 'token_type_hint']);
      assert.deepEqual([form.get('client_id'), form.get('client_secret')], [DASHBOARD.client_id, DASHBOARD.client_secret]);
      assert.deepEqual([method, url, authorization], ['POST', REVOKE_PATH.a, undefined]);
    }
    assert.equal((await world.api(SEGMENTS, access)).status, 401);
    assert.equal((await refreshA(world, refresh)).json.error, 'invalid_grant');
    await assertForgotten(BLUECONIC);
  });

  test('in the header where the account says so', async () => {
    const { access } = await loggedIn(CONFIDENTIAL);
    assert.equal((await logout(CONFIDENTIAL)).code, 0);
    for (const { form, authorization } of await seen(world, 'b', 'revoke')) {
      assert.deepEqual([...form.keys()].sort(), ['token', 'token_type_hint']);
      assert.equal(authorization, basic(FIELD_SERVICE).authorization);
    }
    assert.deepEqual(await kinds('b'), ['refresh_token', 'access_token']);
    assert.equal((await world.api(DEVICES, access)).status, 401);
    await assertForgotten(CONFIDENTIAL);
  });

  test('by its name alone where it has no secret', async () => {
    await loggedIn(PUBLIC);
    assert.equal((await logout(PUBLIC)).code, 0);
    for (const { form, authorization } of await seen(world, 'b', 'revoke')) {
      assert.deepEqual([form.get('client_id'), form.get('client_secret'), authorization], [DEVICE_CLI.client_id, null, undefined]);
    }
    await assertForgotten(PUBLIC, []);
  });

  test('whatever stands in the answer', async () => {
    await loggedIn(BLUECONIC);
    await control.fault({ endpoint: 'revoke', kind: 'error', status: 200, error: 'nonsense', count: 2 });
    assert.equal((await logout(BLUECONIC)).code, 0);
    await assertForgotten(BLUECONIC);
  });

  test('no access token: the refresh token alone', async () => {
    await loggedIn(BLUECONIC);
    await world.request({ account: BLUECONIC }, { verb: 'erase' });
    assert.equal((await logout(BLUECONIC)).code, 0);
    assert.deepEqual(await kinds('a'), ['refresh_token']);
  });

  test('nothing to forget: nobody is asked', async () => {
    await loggedIn(BLUECONIC);
    assert.equal((await logout(BLUECONIC)).code, 0);
    const { code, stderr } = await logout(BLUECONIC);
    assert.deepEqual([code, stderr, await control.count('revoke')], [0, '', 2]);
  });

  test('and then a login like the first', async () => {
    await loggedIn(BLUECONIC);
    await logout(BLUECONIC);
    const { access } = await loggedIn(BLUECONIC);
    assert.equal((await world.api(SEGMENTS, access)).status, 200);
  });
});

describe('the service does not agree: nothing stays here all the same', () => {
  const ALIVE = /: forgotten here, but .*must be taken to be alive/;

  test('S2:80 503 with Retry-After', async () => {
    const { access } = await loggedIn(BLUECONIC);
    await control.fault({ endpoint: 'revoke', kind: '503', retry_after: 7, count: 2 });
    await disagrees(BLUECONIC, 5, [ALIVE, /refresh_token/, /service's own pages/]);
    assert.deepEqual(await kinds('a'), ['refresh_token', 'access_token'], 'the second is tried though the first has failed');
    assert.equal((await world.api(SEGMENTS, access)).status, 200, 'it is alive');
    await assertForgotten(BLUECONIC);
  });

  test('for one of the two', async () => {
    for (const [skip, kind] of [[0, 'refresh_token'], [1, 'access_token']]) {
      await control.clearFaults();
      await loggedIn(BLUECONIC);
      await control.fault(...(skip ? [{ endpoint: 'revoke', kind: 'delay', seconds: 0.01 }] : []), { endpoint: 'revoke', kind: 'empty_503' });
      await disagrees(BLUECONIC, 5, [ALIVE, new RegExp(kind)]);
      await assertForgotten(BLUECONIC);
    }
  });

  test('unsupported_token_type', async () => {
    await loggedIn(BLUECONIC);
    await control.fault({ endpoint: 'revoke', kind: 'delay', seconds: 0.01 }, { endpoint: 'revoke', kind: 'error', error: 'unsupported_token_type' });
    await disagrees(BLUECONIC, 6, [/does not revoke .*access_token/, /end by themselves/]);
    await assertForgotten(BLUECONIC);
  });

  test('invalid_client', async () => {
    await loggedIn(BLUECONIC);
    await control.regenerate(DASHBOARD.client_id);
    await disagrees(BLUECONIC, 6, [/does not accept the client/, /service's own pages/]);
    await assertForgotten(BLUECONIC);
  });

  const unheard = { close_before: {}, reset_after: {}, hang: { timeout: '1' } };
  for (const [kind, changes] of Object.entries(unheard)) {
    test(`${kind}: it may live on, which is said`, async () => {
      await loggedIn(BLUECONIC);
      for (const [key, value] of Object.entries(changes)) edit(world, BLUECONIC, key, value);
      await control.fault({ endpoint: 'revoke', kind, count: 2 });
      await disagrees(BLUECONIC, 5, [/alive|live on/, /service's own pages/]);
      for (const key of Object.keys(changes)) edit(world, BLUECONIC, key, undefined);
      await assertForgotten(BLUECONIC);
    });
  }

  test('a redirect is not followed', async () => {
    const { refresh } = await loggedIn(BLUECONIC);
    await control.fault({ endpoint: 'revoke', kind: 'redirect', count: 2 });
    assert.notEqual((await logout(BLUECONIC)).code, 0);
    assert.ok(!JSON.stringify(await control.sunk()).includes(refresh));
    await assertForgotten(BLUECONIC);
  });

  test('it has no place for it (Bluesonde)', async () => {
    await addPublic(world, unique('logout-none'));
    await loggedIn(unique('logout-none'));
    await disagrees(unique('logout-none'), 7, [/no `revocation_endpoint`/, /service's own pages/]);
    await assertForgotten(unique('logout-none'), []);
  });
});

describe('other accounts', () => {
  test('client credentials: every token that is cached', async () => {
    const tokens = [];
    for (const resource of [undefined, 'https://one.example/']) tokens.push((await world.request({ account: MACHINES, resource, capability: ['authtype'] })).answer.credential);
    assert.ok(tokens[0] && tokens[1] && tokens[0] !== tokens[1]);
    assert.equal((await logout(MACHINES)).code, 0);
    assert.deepEqual(await kinds('a'), ['access_token', 'access_token']);
    for (const token of tokens) assert.equal((await world.api(SEGMENTS, token)).status, 401);
    assert.equal((await seen(world, 'a', 'revoke'))[0].form.get('client_secret'), MACHINE.client_secret);
    assert.equal((await world.request({ account: MACHINES })).code, 0, 'it needs no login');
  });

  test('an API key is nothing to revoke, and stays', async () => {
    assert.match((await logout(KEYED)).stdout, /what was cached is dropped; it has no login to end/);
    assert.equal(await tokenOf(world, KEYED), API_KEY);
    assert.equal(await control.count('revoke', 'b'), 0);
  });

  test('no account, no argument, one too many', async () => {
    assert.equal((await logout(unique('logout-nobody'))).code, 1);
    assert.equal((await world.run(['logout'])).code, 2);
    assert.equal((await world.run(['logout', PUBLIC, BLUECONIC])).code, 2);
  });
});

describe('with the keyring locked', () => {
  test('nothing is done, and it can be done later', async () => {
    const { access } = await loggedIn(BLUECONIC);
    await world.keyring.lock();
    await disagrees(BLUECONIC, 4, /keyring/);
    assert.equal(await control.count('revoke'), 0);
    await world.keyring.unlock();
    assert.equal((await logout(BLUECONIC)).code, 0);
    assert.equal((await world.api(SEGMENTS, access)).status, 401);
  });
});

describe('`remove` after a login', () => {
  test('logs out first; then secrets, tokens and file are gone', async () => {
    const name = unique('logout-removed');
    await world.addAuthorizationCode(name, { match: 'https://removed.example/' });
    const { access } = await loggedIn(name);
    await world.must(['remove', name]);
    assert.equal(fs.existsSync(accountFile(world, name)), false);
    assert.deepEqual(await kindsKept(world, name), []);
    assert.equal((await world.request({ account: name })).code, 1);
    assert.deepEqual(await kinds('a'), ['refresh_token', 'access_token']);
    assert.equal((await world.api(SEGMENTS, access)).status, 401);
  });

  test('goes on where the service does not agree, and says so', async () => {
    const name = unique('logout-removed-alone');
    await world.addAuthorizationCode(name, { match: 'https://removed.example/' });
    await loggedIn(name);
    await control.fault({ endpoint: 'revoke', kind: '503', count: 2 });
    const { stderr } = await world.run(['remove', name]);
    assert.match(stderr, new RegExp(`^ringbearer: ${name}: removed here, but .*must be taken to be alive`));
    assert.equal(fs.existsSync(accountFile(world, name)), false);
    assert.deepEqual(await kindsKept(world, name), []);
  });

  test('does not say how to mend the account that is gone', async () => {
    const name = unique('logout-removed-tls');
    await world.addAuthorizationCode(name, { match: 'https://removed.example/' });
    await loggedIn(name);
    edit(world, name, 'ca_file');
    const { code, stderr } = await world.run(['remove', name]);
    assert.deepEqual([code, fs.existsSync(accountFile(world, name))], [7, false]);
    assert.match(stderr, new RegExp(`^ringbearer: ${name}: removed here, but [^;]*certificate[^;]*; what the service gave it may still be alive: end it in the service's own pages\n$`));
    assert.doesNotMatch(stderr, /ca_file/);
  });
});
