// SPDX-License-Identifier: MIT
//
// The test servers do what they are there for. Later tests rest on this one: when it fails, look
// here first. Every request is real HTTP(S) on loopback; the program under test is not involved.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  API_KEY, API_KEY_REVOKED, API_KEY_WITHOUT_SCOPE, DASHBOARD, DEVICE_CLI, FIELD_SERVICE, MACHINE, ODD_CREDENTIALS,
} from '../servers/fixtures.mjs';
import { consent, exchangeA, grantA, machine, refreshA, revokeA, tokenA, tokenB, TOKEN_PATH } from './lib/flows.mjs';
import { checkEveryKind } from './lib/fault-checks.mjs';
import { basic } from './lib/http.mjs';
import { World } from './lib/world.mjs';

const SEGMENTS = '/rest/v2/segments';
const DEVICES = '/v1/devices';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
let world;
let control;

const segments = async (token) => (await world.api(SEGMENTS, token)).status;
const machineToken = async () => (await machine(world)).json.access_token;

before(async () => {
  world = await World.create({ keyring: 'nobus' });
  control = world.control;
});
after(() => world.close());
beforeEach(() => control.reset());

describe('tenant a, client credentials', () => {
  test('the answer has the documented members and the token works', async () => {
    const { status, json } = await machine(world);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json).sort(), ['access_token', 'expires_in', 'token_type']);
    assert.equal(json.expires_in, 3600);
    assert.equal(await segments(json.access_token), 200);
  });

  test('bad clients and bad requests are refused', async () => {
    const wrong = await machine(world, { client_secret: 'wrong' });
    assert.deepEqual([wrong.status, wrong.json.error], [401, 'invalid_client']);
    const inHeader = await world.fetch(world.urls.a + TOKEN_PATH.a, { form: { grant_type: 'client_credentials' }, headers: basic(MACHINE) });
    assert.deepEqual([inHeader.status, inHeader.json.error], [401, 'invalid_client']);
    assert.equal((await machine(world, { grant_type: 'password' })).json.error, 'unsupported_grant_type');
    assert.equal((await world.fetch(`${world.urls.a}/.well-known/openid-configuration`)).status, 404);
  });

  test('401 means a bad token, 403 a good one that does not reach', async () => {
    const token = await machineToken();
    const none = await world.api(SEGMENTS);
    assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Bearer realm="api"']);
    const narrow = await world.api('/rest/v2/interactions', token);
    assert.deepEqual([narrow.status, narrow.json.error], [403, 'insufficient_scope']);
    assert.match(narrow.headers['www-authenticate'], /scope="read:interactions"/);
    assert.equal((await revokeA(world, MACHINE, token, 'access_token')).status, 200);
    const revoked = await world.api(SEGMENTS, token);
    assert.deepEqual([revoked.status, revoked.json.error], [401, 'invalid_token']);
  });

  test('plain http and [::1] serve the same tenant', async () => {
    const form = { grant_type: 'client_credentials', ...MACHINE };
    for (const name of ['a-plain', ...(world.urls.a6 ? ['a6'] : [])]) {
      assert.equal((await world.fetch(world.urls[name] + TOKEN_PATH.a, { form })).status, 200, name);
    }
  });
});

describe('tenant a, authorization code', () => {
  test('code, state and issuer come back; the code is good once', async () => {
    const { access_token, refresh_token, given } = await grantA(world);
    assert.deepEqual([given.state, given.iss], ['st8', world.urls.a]);
    assert.ok(refresh_token);
    assert.equal(await segments(access_token), 200);
    assert.equal((await exchangeA(world, given)).json.error, 'invalid_grant');
    assert.equal(await segments(access_token), 401, 'a code used twice takes its tokens along');
  });

  test('PKCE is enforced', async () => {
    assert.equal((await consent(world, 'a', DASHBOARD, { usePkce: false })).error, 'invalid_request');
    const given = await consent(world, 'a', DASHBOARD);
    assert.equal((await exchangeA(world, { ...given, verifier: `${given.verifier}x` })).json.error, 'invalid_grant');
  });

  test('people can refuse or lack the permission; a foreign redirect gets nothing', async () => {
    assert.equal((await consent(world, 'a', DASHBOARD, { person: { answer: 'deny' } })).error, 'access_denied');
    assert.equal((await consent(world, 'a', DASHBOARD, { person: { user: 'guest' } })).error, 'access_denied');
    assert.equal((await consent(world, 'a', DASHBOARD, { person: { password: 'wrong' } })).status, 401);
    const foreign = await consent(world, 'a', DASHBOARD, { redirect_uri: 'http://127.0.0.1:9/elsewhere' });
    assert.deepEqual([foreign.location, foreign.status], [undefined, 400]);
  });
});

describe('tenant a, refresh tokens', () => {
  test('rotation, and reuse revokes the family', async () => {
    const first = await grantA(world);
    const second = (await refreshA(world, first.refresh_token)).json;
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal(await segments(second.access_token), 200);
    assert.equal((await refreshA(world, first.refresh_token)).json.error, 'invalid_grant');
    assert.equal((await refreshA(world, second.refresh_token)).json.error, 'invalid_grant');
    assert.equal(await segments(second.access_token), 401);
  });

  test('of two at once exactly one wins', async () => {
    const { refresh_token } = await grantA(world);
    const both = await Promise.all([refreshA(world, refresh_token), refreshA(world, refresh_token)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400]);
    assert.deepEqual(await control.counts('a').then((counts) => counts.refresh_token), { total: 2, ok: 1, error: 1 });
  });

  test('grace period, no rotation, rotation every second time', async () => {
    const { refresh_token } = await grantA(world);
    await control.rotation({ grace: 5 });
    for (let i = 0; i < 2; i += 1) assert.equal((await refreshA(world, refresh_token)).status, 200);
    await control.rotation({ mode: 'never' });
    const kept = (await refreshA(world, refresh_token)).json.refresh_token;
    assert.equal(kept, refresh_token);
    await control.rotation({ mode: 'alternate' });
    const changed = [];
    for (let token = kept; changed.length < 4;) {
      const next = (await refreshA(world, token)).json.refresh_token;
      changed.push(next === token ? 'kept' : 'new');
      token = next;
    }
    assert.match(changed.join(' '), /^(kept new kept new|new kept new kept)$/);
  });

  test('expiry from the control port', async () => {
    const one = await grantA(world);
    await control.expire('AccessToken');
    assert.equal(await segments(one.access_token), 401);
    const renewed = (await refreshA(world, one.refresh_token)).json;
    await control.expire('RefreshToken');
    assert.equal(await segments(renewed.access_token), 200);
    assert.equal((await refreshA(world, renewed.refresh_token)).json.error, 'invalid_grant');
  });

  test('revocation by the client, withdrawal by the person', async () => {
    for (const end of [(token) => revokeA(world, DASHBOARD, token, 'refresh_token'), () => control.withdraw()]) {
      const { access_token, refresh_token } = await grantA(world);
      await end(refresh_token);
      assert.equal(await segments(access_token), 401);
      assert.equal((await refreshA(world, refresh_token)).json.error, 'invalid_grant');
    }
  });
});

describe('tenant a, administration', () => {
  test('OFF and ON again', async () => {
    const [token, { refresh_token }] = [await machineToken(), await grantA(world)];
    for (const { client_id } of [MACHINE, DASHBOARD]) await control.app({ client_id, status: 'OFF' });
    const refused = await machine(world);
    assert.deepEqual([refused.status, refused.json.error, await segments(token)], [401, 'invalid_client', 401]);
    assert.equal((await refreshA(world, refresh_token)).json.error, 'invalid_client');
    for (const { client_id } of [MACHINE, DASHBOARD]) await control.app({ client_id, status: 'ON' });
    assert.equal(await segments(token), 200);
    assert.equal((await refreshA(world, refresh_token)).status, 200);
  });

  test('a regenerated secret replaces the old one; address ranges', async () => {
    const client_secret = await control.regenerate(MACHINE.client_id);
    assert.equal((await machine(world)).json.error, 'invalid_client');
    assert.equal((await machine(world, { client_secret })).status, 200);
    await control.reset();
    await control.app({ client_id: MACHINE.client_id, ip_ranges: ['127.0.0.8/29', '2001:db8::/32'] });
    const refused = await machine(world);
    assert.deepEqual([refused.status, refused.json.error], [403, 'access_denied']);
    assert.equal((await machine(world, {}, { localAddress: '127.0.0.9' })).status, 200);
  });

  test('the run-as user limits the token and stands in the audit log', async () => {
    assert.equal(await segments(await machineToken()), 200);
    assert.equal((await control.audit()).at(-1).user, 'operator');
    await control.app({ client_id: MACHINE.client_id, run_as: 'auditor' });
    const { status, json } = await world.api(SEGMENTS, await machineToken());
    assert.equal(status, 403);
    assert.match(json.error_description, /auditor .* segments/);
  });

  test('token lifetime', async () => {
    await control.ttl({ access: 1 });
    await pause(1000 - (Date.now() % 1000)); // the server counts whole seconds
    const { json } = await machine(world);
    assert.deepEqual([json.expires_in, await segments(json.access_token)], [1, 200]);
    await pause(1000);
    assert.equal(await segments(json.access_token), 401);
  });
});

describe('tenant b', () => {
  test('discovery', async () => {
    const { json } = await world.fetch(`${world.urls.b}/.well-known/openid-configuration`);
    assert.deepEqual([json.issuer, json.token_endpoint, json.device_authorization_endpoint],
      [world.urls.b, `${world.urls.b}/oauth2/token`, `${world.urls.b}/oauth2/device/auth`]);
  });

  test('API keys', async () => {
    const statuses = await Promise.all([API_KEY, API_KEY_REVOKED, API_KEY_WITHOUT_SCOPE, 'sk_live_unknown']
      .map(async (key) => (await world.api(DEVICES, key)).status));
    assert.deepEqual(statuses, [200, 401, 403, 401]);
  });

  test('a confidential client: Basic, no PKCE, refresh token for offline_access only', async () => {
    for (const [scope, expected] of [['devices:read', false], ['devices:read offline_access', true]]) {
      const { code, redirect_uri } = await consent(world, 'b', FIELD_SERVICE, { usePkce: false, scope });
      const { json } = await tokenB(world, FIELD_SERVICE, { grant_type: 'authorization_code', code, redirect_uri });
      assert.equal('refresh_token' in json, expected, scope);
      assert.equal((await world.api(DEVICES, json.access_token)).status, 200);
      if (!expected) continue;
      const renewed = await tokenB(world, FIELD_SERVICE, { grant_type: 'refresh_token', refresh_token: json.refresh_token });
      assert.notEqual(renewed.json.refresh_token, json.refresh_token);
    }
  });

  test('secrets belong into the header, form-urlencoded', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: 'x' };
    assert.equal((await world.fetch(world.urls.b + TOKEN_PATH.b, { form: { ...form, ...FIELD_SERVICE } })).json.error, 'invalid_client');
    assert.equal((await tokenB(world, ODD_CREDENTIALS, form)).json.error, 'invalid_grant', 'past client authentication');
    const raw = Buffer.from(`${ODD_CREDENTIALS.client_id}:${ODD_CREDENTIALS.client_secret}`).toString('base64');
    const reply = await world.fetch(world.urls.b + TOKEN_PATH.b, { form, headers: { authorization: `Basic ${raw}` } });
    assert.ok(['invalid_client', 'invalid_request'].includes(reply.json.error), reply.body);
  });

  test('a public client: PKCE on any loopback port', async () => {
    const redirect_uri = 'http://127.0.0.1:41234/callback';
    const asked = { redirect_uri, scope: 'devices:read offline_access' };
    assert.equal((await consent(world, 'b', DEVICE_CLI, { ...asked, usePkce: false })).error, 'invalid_request');
    const { code, verifier } = await consent(world, 'b', DEVICE_CLI, asked);
    const { json } = await tokenB(world, DEVICE_CLI, { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier });
    assert.ok(json.refresh_token);
    assert.equal((await world.api(DEVICES, json.access_token)).status, 200);
  });

  test('scopes: not registered, not in the role', async () => {
    assert.equal((await consent(world, 'b', FIELD_SERVICE, { scope: 'devices:write' })).error, 'invalid_scope');
    const guest = await consent(world, 'b', FIELD_SERVICE, { scope: 'devices:read', person: { user: 'guest' } });
    assert.equal(guest.error, 'access_denied');
  });

  test('device flow: pending, then allowed or denied', async () => {
    for (const [answer, expected] of [['allow', undefined], ['deny', 'access_denied']]) {
      const { json: device } = await world.fetch(`${world.urls.b}/oauth2/device/auth`, { form: { client_id: DEVICE_CLI.client_id, scope: 'devices:read' } });
      const poll = () => tokenB(world, DEVICE_CLI, { grant_type: DEVICE_GRANT, device_code: device.device_code });
      assert.equal((await poll()).json.error, 'authorization_pending');
      await world.visit(device.verification_uri, { answer, userCode: device.user_code });
      assert.equal((await poll()).json.error, expected);
    }
    assert.equal(await control.count(DEVICE_GRANT, 'b'), 4);
  });
});

test('requests are logged as they came in', async () => {
  await machine(world, {}, { headers: { 'user-agent': 'probe' } });
  const [entry] = await control.log();
  assert.deepEqual([entry.endpoint, entry.client_id, entry.user_agent, entry.status], ['token', MACHINE.client_id, 'probe', 200]);
  assert.match(entry.body, /client_secret=not-a-secret/);
  await tokenA(world, {});
  assert.deepEqual((await control.counts()).none, { total: 1, ok: 0, error: 1 });
});

describe('faults', () => {
  test('every kind shows what it says, once', () => checkEveryKind(world));

  test('they fit by count, endpoint, grant type and client', async () => {
    const token = await machineToken();
    await control.fault({ kind: '502', count: 2 }, { kind: '503', endpoint: 'api' },
      { kind: '500', grant_type: 'refresh_token' }, { kind: '500', client_id: 'other' });
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await machine(world)).status);
    assert.deepEqual([...statuses, await segments(token), await segments(token)], [502, 502, 200, 503, 200]);
    assert.equal((await control.state()).tenants.a.faults.length, 2);
    await control.clearFaults();
    await control.fault({ kind: '500', endpoint: 'revoke', commit: true });
    assert.deepEqual([(await revokeA(world, MACHINE, token)).status, await segments(token)], [500, 401], 'refused after the work');
    await control.fault({ tenant: 'b', kind: 'set', endpoint: 'discovery', set: { issuer: 'https://other.example' } });
    assert.equal((await world.fetch(`${world.urls.b}/.well-known/openid-configuration`)).json.issuer, 'https://other.example');
    await assert.rejects(control.fault({ kind: 'no-such' }), /no fault kind/);
    await world.fetch(`${world.urls.control}/sink`, { form: MACHINE }); // where "redirect" leads a careless client
    assert.match((await control.sunk())[0].body, /client_secret=not-a-secret/);
  });

  test('before the work nothing happened, after it the refresh token is used up', async () => {
    for (const [kind, again] of [['reset_before', 200], ['reset_after', 400], ['lose_rt', 400], ['no_rotation', 200], ['same_rt', 200]]) {
      const { refresh_token } = await grantA(world);
      await control.fault({ kind, grant_type: 'refresh_token' });
      const { json } = await refreshA(world, refresh_token).catch(() => ({}));
      assert.equal(json?.refresh_token, kind === 'same_rt' ? refresh_token : undefined, kind);
      assert.equal((await refreshA(world, refresh_token)).status, again, kind);
    }
  });

  test('certificates that a client must refuse, and a server that never speaks', async () => {
    const expected = { 'a-rogue': /SIGNATURE|VERIFY|ISSUER/, 'a-expired': /CERT_HAS_EXPIRED/, 'a-wronghost': /ERR_TLS_CERT_ALTNAME_INVALID/ };
    for (const [name, code] of Object.entries(expected)) await assert.rejects(world.fetch(world.urls[name]), { code }, name);
    await assert.rejects(world.fetch(world.urls.silent, { timeout: 300 }), /no answer within/);
  });
});
