// SPDX-License-Identifier: MIT
//
// Answers as services give them: a refresh token that is refused in other words than the standard's, the device grant's own
// answers, revocation, proxies.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { itemsOf } from './lib/keyring-items.mjs';
import { formServer, reply } from './lib/loopback.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const TOKENS = { access_token: 'made-up', token_type: 'Bearer', expires_in: 3600, refresh_token: 'made-up-refresh' };
const answers = {}; // by path: (form, response)
let world;
let service;

before(async () => {
  world = await World.create({ servers: false });
  service = await formServer((path, form, response) => answers[path](form, response));
});
after(async () => {
  service.close();
  await closeWorld(world);
});

const asked = (path) => service.seen.filter((one) => one.path === path);

// A public client whose refresh token is in the keyring.
async function standing(name, extra = {}) {
  world.account(name, {
    provider: 'oauth2', grant: 'device_code', client_id: 'made-up', client_auth: 'none',
    token_endpoint: `${service.url}/${name}/token`, device_authorization_endpoint: `${service.url}/${name}/device`,
    revocation_endpoint: `${service.url}/${name}/revoke`, ...extra,
  });
  const { code, stderr } = await world.request({ account: name, refresh_token: 'made-up-refresh' }, { verb: 'store' });
  assert.equal(code, 0, stderr);
}

describe('a refused refresh token that is not called invalid_grant', () => {
  const refusals = {
    'an empty 400': [400, '', 6, true],
    'an empty 401': [401, '', 6, true],
    'an empty 403': [403, '', 6, true],
    'invalid_request': [400, { error: 'invalid_request', error_description: 'Refresh token expired' }, 7, true],
    'unauthorized_client, 403': [403, { error: 'unauthorized_client' }, 6, true],
    'an object': [400, { error: { message: 'no such token' } }, 7, true],
    'token_inactive': [401, { error: 'token_inactive' }, 3, false],
    'invalid_grant in Latin-1': [400, Buffer.from('{"error":"invalid_grant","error_description":"expir\u00e9"}', 'latin1'), 3, false],
  };
  for (const [what, [status, body, exit, again]] of Object.entries(refusals)) {
    test(`${what}: the way to a new login is named, and ${again ? 'the token is tried again later' : 'it is known to be dead'}`, async () => {
      const name = unique(`refused-${Object.keys(refusals).indexOf(what)}`);
      await standing(name);
      answers[`/${name}/token`] = (form, response) => reply(response, status, body);
      const result = await world.run(['token', name]);
      assert.equal(result.code, exit, result.stderr);
      assert.match(result.stderr, new RegExp(`ringbearer login ${name}`));
      assert.doesNotMatch(result.stderr, /ringbearer secret|\(,|: ,/, 'a public client has no secret');
      assert.equal((await itemsOf(world, name)).filter((item) => item.attributes.kind === 'refresh_token').length, 1, 'kept');
      await world.request({ account: name }, { verb: 'erase' });
      answers[`/${name}/token`] = (form, response) => reply(response, 200, TOKENS);
      assert.equal((await world.run(['token', name])).code, again ? 0 : 3);
    });
  }
});

describe('the device grant', () => {
  test('proof key, resource and audience in both requests; the address with the code in it as text, no picture in a pipe', async () => {
    const name = unique('device');
    await standing(name, { resource: 'https://api.example.com/', audience: 'api' });
    answers[`/${name}/device`] = (form, response) => reply(response, 201, {
      device_code: 'made-up-device', user_code: 'ABCD-EFGH', verification_uri: `${service.url}/enter`,
      verification_uri_complete: `${service.url}/enter?user_code=ABCD-EFGH`, interval: '1', expires_in: ' 20.0',
    });
    answers[`/${name}/token`] = (form, response) => reply(response, 201, TOKENS);
    const { code, stderr } = await world.run(['login', name]);
    assert.equal(code, 0, stderr);
    assert.ok(stderr.includes(`  ${service.url}/enter\n`) && stderr.includes(`  ${service.url}/enter?user_code=ABCD-EFGH\n`), stderr);
    assert.doesNotMatch(stderr, /[█▀▄]/);
    const [{ form: first }] = asked(`/${name}/device`);
    const [{ form: second }] = asked(`/${name}/token`);
    const { createHash } = await import('node:crypto');
    assert.deepEqual([first.code_challenge_method, first.code_challenge], ['S256', createHash('sha256').update(second.code_verifier).digest('base64url')]);
    for (const form of [first, second]) assert.deepEqual([form.resource, form.audience], ['https://api.example.com/', 'api']);
  });

  const odd = {
    'an error with status 200': [{ error: 'device_flow_disabled', error_description: 'Enable it first' }, 7, /device_flow_disabled: Enable it first/],
    'this machine by its name': [{ device_code: 'd', user_code: 'A', verification_uri: 'HTTP://LocalHost:8080/enter', interval: 1, expires_in: 1 }, 3, /^ {2}HTTP:\/\/LocalHost:8080\/enter$/m],
    'a name that only begins so': [{ device_code: 'd', user_code: 'A', verification_uri: 'http://localhost.example.com/' }, 8, /no https address/],
    'plain http to elsewhere': [{ device_code: 'd', user_code: 'A', verification_uri: 'http://127.0.0.1:80@example.com/' }, 8, /no https address/],
    'an address with a quote in it': [{ device_code: 'd', user_code: 'A', verification_uri: 'https://example.com/"x' }, 8, /no https address/],
    'no code': [{ device_code: 'd', verification_uri: 'https://example.com/' }, 8, /no code/],
  };
  for (const [what, [body, exit, says]] of Object.entries(odd)) {
    test(what, async () => {
      const name = unique(`device-${Object.keys(odd).indexOf(what)}`);
      await standing(name);
      answers[`/${name}/device`] = (form, response) => reply(response, 200, body);
      const { code, stderr } = await world.run(['login', name]);
      assert.equal(code, exit, stderr);
      assert.match(stderr, says);
    });
  }
});

describe('an ID token', () => {
  const encoded = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
  const idToken = (exp) => `${encoded({ alg: 'none' })}.${encoded({ iss: 'x', exp })}.c2ln`;
  const forms = (name) => ['kubernetes', 'google', 'token', 'git'].map((form) => world.run(['get', `--account=${name}`, `--format=${form}`]));

  test('is handed out where the account says so, with its own expiry, by the cache as well; others get the access token', async () => {
    const name = unique('id-token');
    const exp = Math.floor(Date.now() / 1000) + 600;
    await standing(name, { token: 'id_token', infer_rejection: 'no' });
    answers[`/${name}/token`] = (form, response) => reply(response, 200, { ...TOKENS, id_token: idToken(exp) });
    for (let i = 0; i < 2; i += 1) {
      const [kubernetes, google, token, git] = (await Promise.all(forms(name))).map(({ stdout }) => stdout);
      assert.deepEqual(JSON.parse(kubernetes).status, { token: idToken(exp), expirationTimestamp: new Date(exp * 1000).toISOString().replace('.000', '') });
      assert.deepEqual([JSON.parse(google).id_token, JSON.parse(google).expiration_time], [idToken(exp), exp]);
      assert.equal(token, `${idToken(exp)}\n`);
      assert.match(git, /^password=made-up$/m);
    }
    assert.equal(asked(`/${name}/token`).length, 1);
    await world.request({ account: name, password: idToken(exp) }, { verb: 'erase' });
    answers[`/${name}/token`] = (form, response) => reply(response, 200, { ...TOKENS, id_token: idToken(exp + 5) });
    assert.equal((await world.run(['token', name])).stdout, `${idToken(exp + 5)}\n`, 'one that was refused is renewed');
  });

  test('that is about to end is renewed although the access token lives', async () => {
    const name = unique('id-token-short');
    await standing(name, { token: 'id_token' });
    answers[`/${name}/token`] = (form, response) => reply(response, 200, { ...TOKENS, id_token: idToken(Math.floor(Date.now() / 1000) + 1) });
    assert.equal((await world.run(['token', name])).code, 0);
    await new Promise((resolve) => { setTimeout(resolve, 1100); });
    assert.equal((await world.run(['token', name])).code, 0);
    assert.equal(asked(`/${name}/token`).length, 2);
  });

  test('that the service does not give is asked for in words; without the key none is kept', async () => {
    const [name, plain] = [unique('id-token-none'), unique('id-token-plain')];
    await standing(name, { token: 'id_token' });
    answers[`/${name}/token`] = (form, response) => reply(response, 200, TOKENS);
    const { code, stderr } = await world.run(['token', name]);
    assert.equal(code, 7);
    assert.match(stderr, /no ID token.*openid.*`scope`/);
    await standing(plain);
    answers[`/${plain}/token`] = (form, response) => reply(response, 200, { ...TOKENS, id_token: idToken(9) });
    assert.equal((await world.run(['token', plain])).stdout, 'made-up\n');
  });
});

describe('revocation', () => {
  const ends = { 'status 200': [200, ''], 'status 201': [201, ''], 'status 204': [204, ''], 'invalid_token': [400, { error: 'invalid_token' }], 'HTML': [200, '<p>ok</p>'] };
  for (const [what, [status, body]] of Object.entries(ends)) {
    test(`${what} is the end of it`, async () => {
      const name = unique(`revoked-${Object.keys(ends).indexOf(what)}`);
      await standing(name);
      answers[`/${name}/revoke`] = (form, response) => reply(response, status, body);
      const { code, stderr } = await world.run(['logout', name]);
      assert.deepEqual([code, stderr], [0, '']);
    });
  }
});

describe('a proxy that refuses is named as the proxy', () => {
  for (const [status, exit, says] of [[407, 7, /user name and a password/], [403, 7, /refuses to connect/], [503, 5, /does not get through/]]) {
    test(`status ${status}`, async () => {
      const proxy = http.createServer().unref();
      proxy.on('connect', (request, socket) => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`));
      await new Promise((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
      const place = `127.0.0.1:${proxy.address().port}`;
      const name = unique(`proxied-${status}`);
      await standing(name, { token_endpoint: 'https://login.example.com/token', proxy: `http://someone:hidden@${place}` });
      const { code, stderr } = await world.run(['token', name]);
      proxy.close();
      assert.equal(code, exit, stderr);
      assert.match(stderr, new RegExp(`the proxy ${place} .*status ${status}`));
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /hidden|someone/);
    });
  }
});
