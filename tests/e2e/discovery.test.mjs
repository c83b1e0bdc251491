// SPDX-License-Identifier: MIT
//
// Endpoints from an issuer's metadata (RFC 8414, OpenID Connect Discovery): where they are looked
// for, what is refused, and that they cannot move a secret to another place.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { DEVICE_CLI } from '../servers/fixtures.mjs';
import { World } from './lib/world.mjs';

let world;
let number = 0;

before(async () => { world = await World.create(); });
after(() => world.close());
beforeEach(() => world.control.reset());

const keys = (extra) => ({
  provider: 'oidc', grant: 'authorization_code', client_auth: 'none', client_id: DEVICE_CLI.client_id,
  scope: 'devices:read offline_access', ca_file: world.caFile, match: `${world.urls.b}/v1/`, ...extra,
});

// The metadata of an issuer are remembered: each test asks for one of its own, on the test's host.
const issuer = () => { number += 1; return `${world.urls.b}/realm-${number}`; };

function metadata(of, extra = {}) {
  return {
    issuer: of, authorization_endpoint: `${world.urls.b}/oauth2/auth`, token_endpoint: `${world.urls.b}/oauth2/token`,
    revocation_endpoint: `${world.urls.b}/oauth2/revoke`, response_types_supported: ['code'], ...extra,
  };
}

async function login(name, document, extra = {}) {
  const of = document?.issuer ?? issuer();
  world.account(name, keys({ issuer: of, ...extra }));
  if (document) await world.control.fault({ kind: 'error', status: 200, tenant: 'b', endpoint: 'discovery', body: JSON.stringify(document), type: 'application/json' });
  // The server names itself, not the issuer that the test made up.
  const browser = await world.browser({ query: { iss: null } });
  const result = await world.run(['login', name], { env: browser.env });
  return { ...result, visits: browser.visits() };
}

test('endpoints come from the metadata, and are asked for once', async () => {
  world.account('plain', keys({ issuer: world.urls.b }));
  const browser = await world.browser({});
  const { code, stderr } = await world.run(['login', 'plain'], { env: browser.env });
  assert.equal(code, 0, stderr);
  await world.must(['refresh', 'plain']);
  await world.must(['refresh', 'plain']);
  assert.equal(await world.control.count('discovery', 'b'), 1);
  assert.equal((await world.must(['logout', 'plain'])).code, 0);
});

test('metadata of another issuer are not used', async () => {
  const of = issuer();
  const { code, stderr, visits } = await login('other', metadata(of, { issuer: `${of}/` }), { issuer: of });
  assert.equal(code, 7, stderr);
  assert.match(stderr, /another issuer/);
  assert.equal(visits.length, 0);
});

test('a service that lists challenge methods without S256 is refused', async () => {
  const { code, stderr, visits } = await login('plainpkce', metadata(issuer(), { code_challenge_methods_supported: ['plain'] }));
  assert.equal(code, 7);
  assert.match(stderr, /S256/);
  assert.equal(visits.length, 0);
});

test('an endpoint that is not https is refused', async () => {
  const { code, stderr } = await login('plainhttp', metadata(issuer(), { token_endpoint: 'http://example.com/token' }));
  assert.equal(code, 7);
  assert.match(stderr, /https/);
});

test('an issuer without metadata: exit 7, and what to do', async () => {
  world.account('none', keys({ issuer: world.urls.a }));
  const { code, stderr } = await world.run(['login', 'none']);
  assert.equal(code, 7);
  assert.match(stderr, /issuer/);
});

test('the three places are asked in the order of RFC 8414', async () => {
  const of = issuer();
  world.account('order', keys({ issuer: of }));
  assert.equal((await world.run(['login', 'order'])).code, 7);
  const { pathname } = new URL(of);
  assert.deepEqual((await world.control.log('b')).filter(({ endpoint }) => endpoint === 'discovery').map(({ url }) => url), [
    `/.well-known/oauth-authorization-server${pathname}`, `/.well-known/openid-configuration${pathname}`,
    `${pathname}/.well-known/openid-configuration`,
  ]);
});

test('a service that always names itself, and then does not, is not believed', async () => {
  const document = metadata(issuer(), { authorization_response_iss_parameter_supported: true });
  await world.control.fault({ kind: 'error', status: 200, tenant: 'b', endpoint: 'discovery', body: JSON.stringify(document), type: 'application/json' });
  world.account('iss', keys({ issuer: document.issuer }));
  const browser = await world.browser({ query: { iss: null } });
  const { code, stderr } = await world.run(['login', 'iss'], { env: browser.env });
  assert.equal(code, 6, stderr);
  assert.equal(await world.control.count('authorization_code', 'b'), 0);
});

test('what the account sets stands above the metadata', async () => {
  const document = metadata(issuer(), { authorization_endpoint: 'https://elsewhere.invalid/auth' });
  const { code, stderr } = await login('static', document, { authorization_endpoint: `${world.urls.b}/oauth2/auth` });
  assert.equal(code, 0, stderr);
});

test('metadata cannot move a refresh token to another host', async () => {
  const of = issuer();
  assert.equal((await login('moved', metadata(of))).code, 0);
  // The issuer's metadata change; nothing remembers the old ones (as after a day).
  const file = world.account('moved', keys({ issuer: of, token_endpoint: `${world.urls.a}/rest/v2/oauth/token` }));
  assert.ok(file);
  const before = await world.control.log('a');
  const { code, stderr } = await world.run(['refresh', 'moved']);
  assert.equal(code, 3, stderr);
  assert.equal((await world.control.log('a')).length, before.length, 'nothing was sent to the new place');
});
