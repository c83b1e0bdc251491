// SPDX-License-Identifier: MIT
//
// Logins, as the services see them and as they end: what the two requests say, what is kept, and what
// becomes of every answer that a service's page or its token endpoint can give.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DASHBOARD, DEVICE_CLI } from '../servers/fixtures.mjs';
import { afresh, closeWorld, edit } from './lib/accounts.mjs';
import { addConfidential, addPublic, DEVICES, kindsKept, refreshTokenOf, seen, SEGMENTS, tokenOf } from './lib/login-accounts.mjs';
import { altered, Login } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const [BLUECONIC, CONFIDENTIAL, PUBLIC] = ['login-a', 'login-b', 'login-p'].map(unique);
const RANDOM = /^[A-Za-z0-9_-]{43}$/; // 32 octets in base64url
const s256 = (verifier) => createHash('sha256').update(verifier).digest('base64url');
let world;
let control;
const redirects = {};

// A reset forgets which addresses were registered.
async function register() {
  await control.app({ client_id: DASHBOARD.client_id, redirect_uris: [redirects.a] });
  await control.app({ tenant: 'b', client_id: 'fixture-b-field-service', redirect_uris: [redirects.b] });
}

before(async () => {
  world = await World.create();
  control = world.control;
  await world.addAuthorizationCode(BLUECONIC);
  redirects.a = (await control.state()).tenants.a.apps.find(({ client_id }) => client_id === DASHBOARD.client_id).redirect_uris[0];
  redirects.b = await addConfidential(world, CONFIDENTIAL);
  await addPublic(world, PUBLIC);
});
after(() => closeWorld(world));
beforeEach(async () => {
  await control.reset();
  await register();
});

async function mustLogin(name, options) {
  const result = await Login.complete(world, name, options);
  assert.equal(result.code, 0, result.stderr);
  return result;
}

// What a login does that goes wrong: one line that says why and what to do, and nothing kept.
async function fails(name, exit, says, options) {
  const kept = await refreshTokenOf(world, name);
  const result = await Login.complete(world, name, options);
  assert.equal(result.code, exit, result.stderr);
  assert.equal(result.stdout, '');
  const [line] = result.stderr.split('\n').slice(-2);
  assert.match(line, /^ringbearer: [^:]+: [^\n]+; [^\n]+$/);
  for (const pattern of [says].flat()) assert.match(line, pattern);
  assert.equal(await refreshTokenOf(world, name), kept);
  return result;
}

describe('the requests', () => {
  test('S0:25 S0:28 S1:42 S1:58 proof key, state and the exact address; no scope where a service fixes it', async () => {
    const { parameters, stdout } = await mustLogin(BLUECONIC);
    const [{ form }] = await seen(world, 'a', 'token');
    const { state, code_challenge, ...rest } = parameters;
    assert.deepEqual(rest, { response_type: 'code', client_id: DASHBOARD.client_id, redirect_uri: redirects.a, code_challenge_method: 'S256' });
    assert.match(state, RANDOM);
    assert.match(form.get('code_verifier'), RANDOM);
    assert.equal(code_challenge, s256(form.get('code_verifier')));
    assert.deepEqual([...form.keys()].sort(), ['client_id', 'client_secret', 'code', 'code_verifier', 'grant_type', 'redirect_uri']);
    assert.deepEqual([form.get('grant_type'), form.get('redirect_uri')], ['authorization_code', redirects.a]);
    assert.match(stdout, new RegExp(`^${BLUECONIC}: logged in, valid for 3(600|59\\d) s, then renewed without you\n$`));
  });

  test('S0:25 S0:28 S3:79 the verifier goes to the token endpoint alone, in a body', async () => {
    await mustLogin(BLUECONIC);
    const [{ form, url, method }] = await seen(world, 'a', 'token');
    const [authorize] = await seen(world, 'a', 'authorize');
    assert.deepEqual([method, url], ['POST', '/rest/v2/oauth/token']);
    for (const secret of [form.get('code_verifier'), form.get('client_secret')]) assert.ok(!JSON.stringify(authorize).includes(secret));
    assert.equal(authorize.query.get('code_verifier'), null);
  });

  test('S3:41 S3:51 S3:55 S3:91 scopes where a service wants them, the same address with any port', async () => {
    const { parameters } = await mustLogin(PUBLIC);
    assert.equal(parameters.scope, 'devices:read offline_access');
    const [{ form, authorization }] = await seen(world, 'b', 'token');
    assert.deepEqual([...form.keys()].sort(), ['client_id', 'code', 'code_verifier', 'grant_type', 'redirect_uri']);
    assert.deepEqual([form.get('redirect_uri'), authorization], [parameters.redirect_uri, undefined]);
    assert.match(parameters.redirect_uri, /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  });

  test('nothing is used twice', async () => {
    const logins = [];
    for (let i = 0; i < 5; i += 1) logins.push((await mustLogin(PUBLIC)).parameters);
    const verifiers = (await seen(world, 'b', 'token')).map(({ form }) => form.get('code_verifier'));
    for (const values of [verifiers, logins.map(({ state }) => state), logins.map(({ code_challenge }) => code_challenge)]) {
      assert.equal(new Set(values).size, 5);
    }
    const [states, all] = [new Set(logins.map(({ state }) => state)), [...verifiers, ...verifiers.map(s256)]];
    assert.ok(all.every((value) => !states.has(value)), 'the state tells nothing of the verifier');
  });

  test('S3:55 further parameters, and a query that the endpoint has already', async () => {
    const name = unique('login-more');
    await addPublic(world, name, {
      authorization_endpoint: `${world.urls.b}/oauth2/auth?tenant=a%26b`, authorization_params: 'login_hint=operator&ui_locales=en',
    });
    const { parameters } = await mustLogin(name);
    assert.deepEqual([parameters.tenant, parameters.login_hint, parameters.ui_locales], ['a&b', 'operator', 'en']);
    const [{ query }] = await seen(world, 'b', 'authorize');
    for (const key of query.keys()) assert.equal(query.getAll(key).length, 1, key);
  });
});

describe('what is kept', () => {
  test('S0:30 S3:103 a token that works, and one to renew it with', async () => {
    await mustLogin(BLUECONIC);
    const before = await world.control.counts('a');
    const token = await tokenOf(world, BLUECONIC);
    assert.deepEqual(await world.control.counts('a'), before, 'the token was there already');
    assert.equal((await world.api(SEGMENTS, token)).status, 200);
    assert.deepEqual(await kindsKept(world, BLUECONIC), ['client_secret', 'refresh_token']);
    await control.expire('AccessToken');
    await world.must(['refresh', BLUECONIC]);
    assert.equal((await world.api(SEGMENTS, await tokenOf(world, BLUECONIC))).status, 200);
    const [, { form }] = await seen(world, 'a', 'token');
    assert.equal(form.get('grant_type'), 'refresh_token');
  });

  test('after another login nothing of the first', async () => {
    await mustLogin(CONFIDENTIAL);
    const first = [await refreshTokenOf(world, CONFIDENTIAL), await tokenOf(world, CONFIDENTIAL)];
    await mustLogin(CONFIDENTIAL, { person: { user: 'auditor' } });
    const second = [await refreshTokenOf(world, CONFIDENTIAL), await tokenOf(world, CONFIDENTIAL)];
    assert.ok(second.every((value, i) => value && value !== first[i]));
  });

  test('a login puts an end to the verdict that one is needed', async () => {
    await mustLogin(PUBLIC);
    await control.withdraw('b');
    await afresh(world, PUBLIC);
    for (let i = 0; i < 2; i += 1) assert.equal((await world.request({ account: PUBLIC })).code, 3);
    assert.equal(await control.count('refresh_token', 'b'), 1, 'the server was asked once');
    await mustLogin(PUBLIC);
    assert.equal((await world.api(DEVICES, await tokenOf(world, PUBLIC))).status, 200);
  });

  test('S3:45 no refresh token: it says so and what would get one', async () => {
    const name = unique('login-short');
    await addPublic(world, name, { scope: 'devices:read' });
    const { stdout, stderr } = await mustLogin(name);
    assert.match(stdout, new RegExp(`^${name}: logged in, valid for 3(600|59\\d) s\n$`));
    assert.match(stderr, new RegExp(`^ringbearer: ${name}: .*no refresh token.*; add offline_access to \`scope\``, 'm'));
    assert.equal(await refreshTokenOf(world, name), undefined);
    edit(world, name, 'scope', 'devices:read offline_access');
    await control.fault({ tenant: 'b', kind: 'lose_rt' });
    const asked = await mustLogin(name);
    assert.match(asked.stderr, /no refresh token/);
    assert.doesNotMatch(asked.stderr, /add offline_access/, 'that was asked for');
    assert.match(asked.stderr, /`authorization_params = prompt=consent`/);
    edit(world, name, 'authorization_params', 'prompt=consent');
    await control.fault({ tenant: 'b', kind: 'lose_rt' });
    assert.match((await mustLogin(name)).stderr, /the login ends with this token\n/, 'as was this');
  });

  // What an earlier login has left would come up again when this one is over.
  test('no refresh token: nor is the one of an earlier login kept', async () => {
    await mustLogin(PUBLIC);
    await control.fault({ tenant: 'b', kind: 'lose_rt' });
    await mustLogin(PUBLIC, { person: { user: 'auditor' } });
    assert.deepEqual(await kindsKept(world, PUBLIC), []);
  });

  test('a token without an end, or later one that is renewed: one of them is kept', async () => {
    await control.fault({ tenant: 'b', kind: 'set', unset: ['expires_in', 'refresh_token'] });
    const { stdout, stderr } = await mustLogin(PUBLIC);
    assert.equal(stdout, `${PUBLIC}: logged in\n`);
    assert.doesNotMatch(stderr, /no refresh token/);
    assert.deepEqual(await kindsKept(world, PUBLIC), ['api_key']);
    await mustLogin(PUBLIC);
    assert.deepEqual(await kindsKept(world, PUBLIC), ['refresh_token']);
    await control.fault({ tenant: 'b', kind: 'set', unset: ['expires_in', 'refresh_token'] });
    await mustLogin(PUBLIC);
    await control.fault({ tenant: 'b', kind: 'lose_rt' });
    await mustLogin(PUBLIC);
    assert.deepEqual(await kindsKept(world, PUBLIC), [], 'this one ends with its token');
  });

  test('fewer scopes than were asked for are told', async () => {
    await control.fault({ tenant: 'b', kind: 'set', set: { scope: 'offline_access' } });
    const { stderr } = await mustLogin(PUBLIC);
    assert.match(stderr, new RegExp(`^ringbearer: ${PUBLIC}: the server granted only \`offline_access\``, 'm'));
    await control.fault({ tenant: 'b', kind: 'set', set: { scope: 'offline_access devices:read' } });
    assert.doesNotMatch((await mustLogin(PUBLIC)).stderr, /granted only/);
  });
});

describe('what a service says instead of a code', () => {
  test('S0:20 S3:43 no, and which permission it takes', async () => {
    await fails(BLUECONIC, 6, [/access_denied/, /"Authorize applications"/], { person: { user: 'guest' } });
    await fails(CONFIDENTIAL, 6, [/access_denied/, /role .* every scope/], { person: { user: 'guest' } });
    await fails(PUBLIC, 6, [/The user denied the request/], { person: { answer: 'deny' } });
    assert.deepEqual([await control.count('authorization_code', 'a'), await control.count('authorization_code', 'b')], [0, 0]);
  });

  const errors = { access_denied: 6, server_error: 5, temporarily_unavailable: 5, invalid_scope: 7, unauthorized_client: 7, unsupported_response_type: 7, invalid_request: 7, something_new: 7 };
  for (const [error, exit] of Object.entries(errors)) {
    test(`${error}: exit ${exit}`, async () => {
      await fails(PUBLIC, exit, [new RegExp(`\\(${error}: as the page says\\)`)], { change: altered({ code: null, error, error_description: 'as the page says' }) });
      assert.equal(await control.count('authorization_code', 'b'), 0);
    });
  }

  test('a description of several lines', async () => {
    const description = 'AADSTS65004: User declined to consent.\r\nTrace ID: 0\r\nTimestamp: 0';
    const { stderr } = await fails(PUBLIC, 6, /declined to consent/, { change: altered({ code: null, error: 'access_denied', error_description: description }) });
    assert.doesNotMatch(stderr, /\r/);
  });

  test('an error beside a code is an error', async () => {
    await fails(PUBLIC, 6, /access_denied/, { change: altered({ error: 'access_denied' }) });
    assert.equal(await control.count('authorization_code', 'b'), 0);
  });
});

describe('who answers', () => {
  test('another issuer than the account\'s: the code is not sent', async () => {
    const name = unique('login-iss');
    await addPublic(world, name, { issuer: world.urls.b });
    for (const iss of ['https://attacker.test', `${world.urls.b}/`, world.urls.b.toUpperCase(), '']) {
      await fails(name, 6, /another service/, { change: altered({ iss }) });
    }
    // Both endpoints are set, and its metadata say all the same that it always names itself.
    await fails(name, 6, /does not say which service/, { change: altered({ iss: null }) });
    assert.equal(await control.count('authorization_code', 'b'), 0);
    const { location } = await mustLogin(name);
    assert.equal(new URL(location).searchParams.get('iss'), world.urls.b);
    edit(world, name, 'issuer', 'https://127.0.0.1:9/');
    assert.equal((await Login.complete(world, name, { change: altered({ iss: null }) })).code, 0, 'an issuer that cannot be asked');
  });

  test('a service that says that it names itself, and does not', async () => {
    const name = unique('login-discovered');
    await addPublic(world, name, { provider: 'oidc', issuer: world.urls.b, authorization_endpoint: undefined, token_endpoint: undefined });
    await fails(name, 6, /does not say which service/, { change: altered({ iss: null }) });
    assert.equal(await control.count('authorization_code', 'b'), 0);
    await mustLogin(name);
  });
});

describe('the exchange is made once', () => {
  const lost = { reset_after: 5, close_before: 5, 500: 5, 502: 5, 503: 5, 429: 5, truncated_json: 8, empty_body: 8, html200: 8, short_body: 5 };
  for (const [kind, exit] of Object.entries(lost)) {
    test(`S0:29 ${kind}: exit ${exit}, and no second try`, async () => {
      await control.fault({ tenant: 'b', kind, count: 5, retry_after: 1 });
      await fails(PUBLIC, exit, []);
      assert.equal(await control.count('authorization_code', 'b'), 1);
      await control.clearFaults();
      await mustLogin(PUBLIC);
    });
  }

  test('a refusal of the code or of the program', async () => {
    await control.fault({ tenant: 'b', kind: 'error', error: 'invalid_grant' });
    await fails(PUBLIC, 3, /invalid_grant.*ringbearer login/);
    await control.fault({ kind: 'error', error: 'invalid_client', status: 401 });
    await fails(BLUECONIC, 6, /invalid_client.*ringbearer secret/);
    assert.deepEqual([await control.count('authorization_code', 'b'), await control.count('authorization_code', 'a')], [1, 1]);
  });

  test('what a server repeats of the request is not shown', async () => {
    await control.fault({ kind: 'echo_secret' });
    const { location, stderr } = await fails(BLUECONIC, 6, /not accepted/);
    const shown = stderr.split('\n').at(-2);
    for (const secret of [DASHBOARD.client_secret, new URL(location).searchParams.get('code')]) assert.ok(!shown.includes(secret), shown);
  });

  test('a code of somebody else\'s login does not get in', async () => {
    const location = await Login.during(world, PUBLIC, (other) => other.consent());
    const stolen = new URL(location).searchParams.get('code');
    await fails(PUBLIC, 3, /invalid_grant/, { change: altered({ code: stolen }) });
    assert.equal((await seen(world, 'b', 'token'))[0].form.get('client_id'), DEVICE_CLI.client_id);
  });
});
