// SPDX-License-Identifier: MIT
//
// Endpoints from an issuer's metadata (RFC 8414, OpenID Connect Discovery): where they are looked
// for, what is refused, and that they cannot move a secret to another place.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DEVICE_CLI } from '../servers/fixtures.mjs';
import { robot, Service } from './lib/service.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

let world;
let number = 0;

before(async () => { world = await World.create(); });
after(() => world.close());
beforeEach(() => world.control.reset());

const keys = (extra) => ({
  provider: 'oidc', grant: 'authorization_code', client_auth: 'none', client_id: DEVICE_CLI.client_id, redirect_uri: 'http://127.0.0.1/callback',
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
  const { code, stderr, visits } = await login('other', metadata(of, { issuer: `${of}/other` }), { issuer: of });
  assert.equal(code, 7, stderr);
  assert.ok(stderr.includes(`it names the issuer ${of}/other`), stderr);
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

test('one with its scheme and host in capitals is', async () => {
  const loud = `${world.urls.b}/oauth2/token`.replace(/^https:\/\/[^:/]+/, (origin) => origin.toUpperCase());
  const { code, stderr } = await login('loud', metadata(issuer(), { token_endpoint: loud }));
  assert.equal(code, 0, stderr);
  await world.must(['refresh', 'loud']);
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

// -- what is where the metadata should be --

const json = (value) => (request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(typeof value === 'string' ? value : JSON.stringify(value));
const PLACES = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
let accounts = 0;

// A login at a service of its own: BODY gets it and `login(extra)`, which answers { code, stderr }.
async function atService(body) {
  const service = await Service.start();
  accounts += 1;
  const name = unique(`search-${accounts}`);
  const small = (extra = {}) => ({ provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up', match: 'https://api.example.com/', issuer: service.origin, ...extra });
  const logIn = (extra) => {
    world.account(name, small(extra));
    return world.run(['login', name], { env: robot(world) });
  };
  try {
    await body(service, logIn, { name, small });
  } finally {
    service.stop();
  }
}

describe('the search goes on', () => {
  const spoilt = {
    'an answer that is no JSON': [(request, response) => response.writeHead(200).end('<html>'), /oauth-authorization-server: no JSON object/],
    "another issuer's metadata": [json({ issuer: 'https://other.example.com', token_endpoint: 'https://other.example.com/token' }), /names the issuer https:\/\/other\.example\.com/],
    'a document without an issuer': [json({}), /names no issuer/],
    'a redirect': [(request, response) => response.writeHead(302, { location: 'https://login.example.com/sso' }).end(), /status 302, a redirect to login\.example\.com/],
    'a cut connection': [(request) => request.socket.destroy(), /the connection was cut/],
    'a service error': [(request, response) => response.writeHead(500).end(), /status 500/],
  };

  for (const [what, [route, says]] of Object.entries(spoilt)) {
    test(`past ${what}, which is named if nothing fits`, () => atService(async (service, logIn) => {
      service.routes[PLACES[0]] = route;
      const found = await logIn();
      assert.equal(found.code, 0, found.stderr);
      service.routes[PLACES[1]] = (request, response) => response.writeHead(404).end();
      const { code, stderr } = await logIn();
      assert.equal(code, /cut|500/.test(String(says)) ? 5 : 7, stderr);
      assert.match(stderr, says);
      assert.match(stderr, /openid-configuration: status 404/);
    }));
  }

  test('and is over where the issuer itself says what is not safe', () => atService(async (service, logIn) => {
    service.metadata = { code_challenge_methods_supported: ['plain'] };
    service.routes[PLACES[1]] = json({ ...service.document(), code_challenge_methods_supported: ['S256'] });
    const { code, stderr } = await logIn();
    assert.equal(code, 7);
    assert.match(stderr, /S256/);
  }));

  test('a place that two rules name is asked once', () => atService(async (service, logIn) => {
    for (const place of PLACES) service.routes[place] = (request, response) => response.writeHead(404).end();
    assert.equal((await logIn()).code, 7);
    assert.deepEqual(service.requests.map(({ path }) => path), PLACES);
  }));
});

test('an issuer with and without its last slash is the same, by what the document says', () => atService(async (service, logIn) => {
  for (const [said, written] of [['', '/'], ['/', ''], ['/tenant', '/tenant/'], ['/tenant/', '/tenant']]) {
    const issuer = `${service.origin}${said}`;
    service.metadata = { issuer, authorization_response_iss_parameter_supported: true };
    // Answers name the issuer as its document does.
    service.routes['/auth'] = (request, response) => {
      const query = new URL(request.url, service.origin).searchParams;
      const back = new URL(query.get('redirect_uri'));
      back.search = new URLSearchParams({ code: 'code', state: query.get('state'), iss: issuer });
      response.writeHead(302, { location: back.href }).end();
    };
    const { code, stderr } = await logIn({ issuer: `${service.origin}${written}` });
    assert.equal(code, 0, `${said} for ${written}: ${stderr}`);
  }
}));

test('metadata are kept for those alone who would fetch them in the same way', () => atService(async (service, logIn, { name, small }) => {
  const fetched = () => service.requests.filter(({ path }) => path.startsWith('/.well-known/')).length;
  const file = `${world.dir}/authorities.pem`;
  const renew = async (extra, count, why) => {
    world.account(name, small({ scope: `scope-${accounts += 1}`, ...extra }));
    await world.run(['refresh', name]);
    assert.equal(fetched(), count, why);
  };
  fs.copyFileSync(world.caFile, file);
  assert.equal((await logIn()).code, 0);
  await renew({}, 1, 'once');
  await renew({ ca_file: file }, 2, 'with other certificates');
  await renew({ ca_file: file }, 2, 'once with those');
  fs.appendFileSync(file, '\n');
  await renew({ ca_file: file }, 3, 'the file has changed');
  await renew({ proxy: 'none' }, 4, 'another way to the service');
  await world.must(['refresh', name, '--metadata']);
  assert.equal(fetched(), 5, 'a person asked for it');
  await logIn();
  assert.equal(fetched(), 6, 'a login');
  await world.add(unique('fresh'), small());
  assert.equal(fetched(), 7, 'a new account');
}));
