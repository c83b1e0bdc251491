// SPDX-License-Identifier: MIT
//
// The services that ringbearer is built for first, as their documentation describes them, and any
// other OAuth 2.0 service. Names carry the line of the documentation that they answer.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { API_KEY, API_KEY_REVOKED, API_KEY_WITHOUT_SCOPE, MACHINE } from '../servers/fixtures.mjs';
import { accountFile, addGeneric, afresh, closeWorld } from './lib/accounts.mjs';
import { ask, assertRefused, assertToken, refused } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const SEGMENTS = '/rest/v2/segments';
const DEVICES = '/v1/devices';
let world;
let control;

const asked = () => control.count('client_credentials');
const app = (changes) => control.app({ client_id: MACHINE.client_id, ...changes });
const challenge = (reply) => ({ wwwauth: [reply.headers['www-authenticate']] });

before(async () => {
  world = await World.create();
  control = world.control;
});
after(() => closeWorld(world));
beforeEach(() => control.reset());

describe('BlueConic-shaped', () => {
  const NAME = unique('services-blueconic');
  const get = async (keys) => assertToken(await ask(world, NAME, keys));
  const segments = (token) => world.api(SEGMENTS, token);

  before(() => world.addClientCredentials(NAME));
  beforeEach(() => afresh(world, NAME));

  test('S0:30 S0:35 S1:28 S2:18 S2:71 a token for the account, for its URL, and on the command line; the call works', async () => {
    const token = await get();
    assert.equal((await segments(token)).status, 200);
    const url = { protocol: 'https', host: world.host('a'), path: SEGMENTS.slice(1) };
    assert.equal((await world.request(url)).answer.password, token);
    assert.equal((await world.must(['token', NAME])).stdout, `${token}\n`);
    assert.equal((await world.must(['get', `--account=${NAME}`, '--format=header'])).stdout, `Authorization: Bearer ${token}\n`);
    assert.equal(await asked(), 1);
    assert.equal((await control.audit())[0].user, 'operator', 'S2:6 under the run-as user');
  });

  test('the token goes nowhere else', async () => {
    for (const path of ['rest/v20/segments', 'rest', 'other']) {
      const result = await world.request({ protocol: 'https', host: world.host('a'), path, capability: ['error'] });
      assertRefused({ ...result, stderr: result.stderr.replace('ringbearer: ', 'ringbearer: -: ') }, { exit: 1, error: 'no_account' });
    }
    assertRefused(await ask(world, NAME, { url: 'https://elsewhere.example/rest/v2/segments' }), { exit: 1, error: 'no_account', says: /`match`/ });
    assert.equal(await asked(), 0);
  });

  test('S2:49 S2:52 S2:59 the documented endpoint, a form with id and secret in it', async () => {
    await get();
    const [{ url, body }] = await control.log();
    assert.equal(url, '/rest/v2/oauth/token');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), { grant_type: 'client_credentials', ...MACHINE });
  });

  test('S2:14 S2:67 at the end of its life it is asked for again in the same way', async () => {
    await control.ttl({ access: 2 });
    const first = await get();
    await pause(2100);
    assert.equal((await segments(first)).status, 401);
    const second = await get();
    assert.notEqual(second, first);
    assert.equal((await segments(second)).status, 200);
    const bodies = (await control.log()).filter(({ endpoint }) => endpoint === 'token').map(({ body }) => body);
    assert.deepEqual([bodies.length, new Set(bodies).size], [2, 1]);
  });

  test('S1:38 the secret was regenerated: the message says what to do, and doing it helps at once', async () => {
    const old = await get();
    const secret = await control.regenerate(MACHINE.client_id);
    assert.equal(await get(), old, 'what is out stays good');
    await afresh(world, NAME);
    await refused(world, NAME, { exit: 6, error: 'client_rejected', says: new RegExp(`ringbearer secret ${NAME}`) });
    assert.equal(await asked(), 2);
    await world.must(['secret', NAME, '--secret-stdin'], { input: `${secret}\n` });
    assert.equal((await segments(await get())).status, 200);
    await world.must(['secret', NAME, '--secret-stdin'], { input: MACHINE.client_secret });
    await control.reset();
    assert.equal((await segments(await get())).status, 200, 'a new secret drops the token of the old one');
  });

  test('S2:43 S2:45 switched OFF: one request for each caller at most, and none in a loop', async () => {
    const token = await get();
    await app({ status: 'OFF' });
    const refusal = await segments(token);
    assert.equal(refusal.status, 401);
    const off = { exit: 6, error: 'client_rejected', says: [/switched ON/, /ringbearer secret/, /"Authorize applications"/] };
    await refused(world, NAME, off, { ...challenge(refusal), credential: token });
    await refused(world, NAME, off);
    assert.equal(await asked(), 2, 'the first token, and one refusal that is shared');
    await app({ status: 'ON' });
    await world.must(['refresh', NAME]);
    assert.equal((await segments(await get())).status, 200);
  });

  test('S1:62 an IP allow list without this machine', async () => {
    await app({ ip_ranges: ['192.0.2.0/24', '2001:db8::/32'] });
    await refused(world, NAME, { exit: 6, error: 'forbidden', says: [/IP allow list/, /ip_version/, /address not allowed/] });
    await app({ ip_ranges: ['127.0.0.0/8'] });
    await world.must(['refresh', NAME]);
    const token = await get();
    await app({ ip_ranges: ['192.0.2.1'] });
    assert.equal((await segments(token)).status, 403);
    assert.equal(await get(), token, '403 says nothing about the token');
  });

  test('S1:58 S1:71 the run-as user lacks the permission: 403, and the token stays', async () => {
    await app({ run_as: 'auditor' });
    const token = await get();
    const reply = await segments(token);
    assert.deepEqual([reply.status, reply.json.error], [403, 'forbidden']);
    assert.equal(await get(), token);
    assert.equal(await asked(), 1);
  });

  test('S1:67 a call outside the scopes: 403, nothing that could be asked for, and the token stays', async () => {
    const token = await get();
    const reply = await world.api('/rest/v2/interactions', token);
    assert.equal(reply.status, 403);
    await refused(world, NAME, { exit: 6, error: 'insufficient_scope', says: [/read:interactions/, /registration/] }, challenge(reply));
    assert.equal(await get(), token);
    assert.equal(await asked(), 1);
  });

  test('503 "too busy" without a body', async () => {
    await control.fault({ kind: 'empty_503' });
    assert.equal((await segments(await get())).status, 200);
    assert.equal(await asked(), 2);
  });

  test('S1:26 S2:6 no terminal, no display and no browser is needed', async () => {
    const env = { BROWSER: '/nonexistent', TERM: undefined };
    const { stdout, stderr } = await world.exec('setsid', ['--wait', world.program, 'token', NAME], { env });
    assert.match(stdout, /^[\x21-\x7e]+\n$/);
    assert.equal(stderr, '');
  });

  test('S0:21 S2:38 the secret is in the keyring and not in the account file', () => {
    const text = fs.readFileSync(accountFile(world, NAME), 'utf8');
    assert.ok(text.includes(MACHINE.client_id) && !text.includes(MACHINE.client_secret));
  });
});

describe('Bluesonde-shaped', () => {
  const NAME = unique('services-bluesonde');
  const get = async (keys) => (await ask(world, NAME, keys)).answer;
  const replace = (key) => world.must(['secret', NAME, '--secret-stdin'], { input: `${key}\n` });

  before(() => world.addApiKey(NAME));
  beforeEach(() => replace(API_KEY));

  test('S1:28 S3:7 S3:19 S3:103 the key is the Bearer token, without an expiry', async () => {
    const answer = await get();
    assert.deepEqual(answer, { 'capability[]': ['authtype'], authtype: 'Bearer', credential: API_KEY, ephemeral: '1', account: NAME });
    assert.equal((await world.api(DEVICES, answer.credential)).status, 200);
    assert.equal((await world.request({ url: `${world.urls.b}${DEVICES}` })).answer.password, API_KEY);
    assert.deepEqual((await control.log('b')).filter(({ endpoint }) => endpoint === 'token'), []);
  });

  test('S3:17 a key that was revoked and replaced', async () => {
    await replace(API_KEY_REVOKED);
    assert.equal((await world.api(DEVICES, (await get()).credential)).status, 401);
    await control.key({ tenant: 'b', key: 'sk_live_fixture_new', scopes: ['devices:read'] });
    await replace('sk_live_fixture_new');
    assert.equal((await world.api(DEVICES, (await get()).credential)).status, 200);
  });

  test('a key without the scope: 403, and the key stays', async () => {
    await replace(API_KEY_WITHOUT_SCOPE);
    assert.equal((await world.api(DEVICES, (await get()).credential)).status, 403);
    assert.equal((await get()).credential, API_KEY_WITHOUT_SCOPE);
  });

  test('a key goes nowhere but to the URLs of its account', async () => {
    for (const url of [`${world.urls.b}/v2/devices`, `${world.urls.a}${DEVICES}`, `http://${world.host('b')}${DEVICES}`]) {
      assert.equal((await world.request({ url, capability: ['error'] })).answer.error, 'no_account', url);
    }
  });

  test('no match: refused when the account is made', async () => {
    const flags = ['--provider=bluesonde', '--grant=api_key', '--secret-stdin'];
    const { code, stderr } = await world.run(['add', `${NAME}-nowhere`, ...flags], { input: API_KEY });
    assert.equal(code, 7);
    assert.match(stderr, /`match`/);
  });
});

describe('the tenant is a name or a whole host', () => {
  const SHOWN = unique('services-show');
  const hosts = {
    acme: 'acme.blueconic.net', 'www.acme.blueconic.net': 'www.acme.blueconic.net', 'crm.acme.example': 'crm.acme.example',
    'acme.example:8443': 'acme.example:8443', '127.0.0.1:8443': '127.0.0.1:8443', '[::1]:8443': '[::1]:8443',
  };
  for (const [tenant, host] of Object.entries(hosts)) {
    test(`S0:5 S2:49 S2:80 ${tenant}`, async () => {
      world.account(SHOWN, { provider: 'blueconic', tenant, grant: 'client_credentials', client_id: 'x' });
      const { stdout } = await world.must(['show', SHOWN]);
      const shown = Object.fromEntries(stdout.split('\n').map((line) => / *([a-z_]+) = (\S+)/.exec(line)).filter(Boolean).map(([, key, value]) => [key, value]));
      assert.equal(shown.authorization_endpoint, `https://${host}/rest/v2/oauth/authorize`);
      assert.equal(shown.token_endpoint, `https://${host}/rest/v2/oauth/token`);
      assert.equal(shown.revocation_endpoint, `https://${host}/rest/v2/oauth/revoke`);
      assert.equal(shown.match, `https://${host}/rest/v2/`);
      assert.equal(shown.client_auth, 'client_secret_post');
      assert.match(stdout, /providers\/blueconic, line \d+/);
    });
  }

  for (const tenant of ['acme/../evil.example', 'evil.example#', 'evil.example?', 'user@evil.example', 'a b', '{client_id}', 'evil.example\\']) {
    test(`not ${tenant}`, async () => {
      world.account(SHOWN, { provider: 'blueconic', tenant, grant: 'client_credentials', client_id: 'x' });
      const { code, stdout, stderr } = await world.run(['show', SHOWN]);
      assert.deepEqual([code, stdout], [7, '']);
      assert.match(stderr, /`tenant`/);
    });
  }
});

test('any OAuth 2.0 service: the provider oauth2 assumes nothing but RFC 6749', async () => {
  const name = unique('services-generic');
  await addGeneric(world, name, { scope: 'read:segments' });
  const token = assertToken(await ask(world, name));
  assert.equal((await world.api(SEGMENTS, token)).status, 200);
  assert.equal(new URLSearchParams((await control.log())[0].body).get('scope'), 'read:segments');
});
