// SPDX-License-Identifier: MIT
//
// The attacker answers a request with a challenge of their choice, which a caller passes on: they get no token that is not
// theirs, no scope that the account does not name, and end no login. And a token that was refused does not come again.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { ask, unique } from '../e2e/lib/small-accounts.mjs';
import { Service } from '../e2e/lib/service.mjs';
import { World } from '../e2e/lib/world.mjs';

let [number, world, service, name] = [0];

before(async () => { world = await World.create({ servers: false }); });
after(() => world.close());
beforeEach(async () => {
  number += 1;
  name = unique(`challenge-${number}`);
  service = await Service.start();
});
afterEach(() => service.stop());

const keys = (extra) => ({ provider: 'oauth2', client_id: 'made-up', token_endpoint: `${service.origin}/token`, match: 'https://api.example.com/', ...extra });
const machine = async (extra = {}) => {
  world.account(name, keys({ grant: 'client_credentials', ...extra }));
  await world.request({ account: name, client_secret: 'made-up' }, { verb: 'store' });
};
const person = async (extra = {}) => {
  world.account(name, keys({ grant: 'authorization_code', client_auth: 'none', authorization_endpoint: `${service.origin}/auth`, ...extra }));
  await world.request({ account: name, refresh_token: 'made-up-refresh' }, { verb: 'store' });
};
const get = (more = {}) => ask(world, { account: name, ...more, capability: ['authtype', 'error'] });
const token = async (more) => {
  const { code, answer, stderr } = await get(more);
  assert.equal(code, 0, stderr);
  return answer.credential;
};
const asked = () => service.forms('/token');
const wants = (scope) => ({ wwwauth: [`Bearer error="insufficient_scope", scope="${scope}"`] });
const json = (response, status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

describe('a scope that a challenge names', () => {
  // Whatever a key is made of: a separator of today, of yesterday, or a length in front of a part.
  const bank = 'https://bank.example.com/';
  for (const scope of [`\x1f${bank}`, `x\x1f${bank}`, `1a:${bank}`, `19:${bank}`, `\x01${bank}`]) {
    test(`leads to nobody else's token: ${JSON.stringify(scope)}`, async () => {
      await machine({ challenge_scope: '*' });
      const kept = await token({ resource: bank });
      const { code, answer } = await get(wants(scope));
      assert.notEqual(answer.credential, kept);
      if (/[\x00-\x1f]/.test(scope)) assert.deepEqual([code, answer.error], [6, 'insufficient_scope']);
      assert.equal(await token({ resource: bank }), kept);
    });
  }

  test('is asked for where the account names it, and nowhere else', async () => {
    await machine({ scope: 'read,list write', challenge_scope: 'more' });
    const own = await token();
    assert.equal(await token(wants('write')), own, 'the account asks for that anyway');
    assert.equal(await token(wants('list')), own);
    assert.equal(asked().length, 1);
    for (const scope of ['admin', 'write admin', 'read,admin', 'WRITE', 'wri', 'mor', 'a"b']) {
      const { code, answer, stderr } = await get(wants(scope));
      assert.deepEqual([code, answer.error], [6, 'insufficient_scope'], scope);
      assert.match(stderr, /scope/);
    }
    assert.match((await get(wants('admin'))).stderr, new RegExp(`\`admin\`.*\`scope\` in .*${name}.*\`challenge_scope\``));
    assert.equal(asked().length, 1, 'the service was not asked for any of them');
    await token(wants('more'));
    assert.equal(asked().at(-1).scope, 'read,list write more');
    await token({ scope: 'own', ...wants('own') });
    assert.equal(asked().at(-1).scope, 'own', 'a caller may name what it likes');
  });

  test('that the token has already is not asked for again and again', async () => {
    service.routes['/token'] = (request, response) => json(response, 200, { access_token: `t${asked().length}`, token_type: 'Bearer', expires_in: 600, scope: 'read' });
    await machine({ scope: 'read write' });
    const credential = await token();
    for (const [scope, says] of [['write', /only `read` was granted/], ['read', /which the token has/]]) {
      const { code, answer, stderr } = await get({ credential, ...wants(scope) });
      assert.deepEqual([code, answer.error], [6, 'insufficient_scope'], stderr);
      assert.match(stderr, says);
    }
    assert.equal(asked().length, 1);
  });
});

describe('a refusal of what others asked for', () => {
  const refusals = {
    'an invalid grant (Entra)': { error: 'invalid_grant', error_description: 'AADSTS65001: not consented', suberror: 'consent_required' },
    'a wanted consent': { error: 'consent_required' },
    'a wanted login': { error: 'interaction_required' },
  };
  const foreign = { 'a challenge': wants('admin'), 'a scope': { scope: 'admin' }, 'a resource': { resource: 'https://admin.example.com/' } };
  for (const [what, refusal] of Object.entries(refusals)) {
    test(`ends no login: ${what}`, async () => {
      service.routes['/token'] = (request, response) => {
        const { scope = '', resource = '', refresh_token: sent } = asked().at(-1);
        if (`${scope}${resource}`.includes('admin')) return json(response, 400, refusal);
        return json(response, 200, { access_token: `good-${asked().length}`, token_type: 'Bearer', expires_in: 600, refresh_token: `${sent}+` });
      };
      await person({ scope: 'read', challenge_scope: 'admin' });
      await token();
      for (const [how, more] of Object.entries(foreign)) {
        const { code, answer, stderr } = await get(more);
        assert.deepEqual([code, answer.error], [6, 'insufficient_scope'], `${how}: ${stderr}`);
        assert.match(stderr, /the login stands/);
        await world.request({ account: name }, { verb: 'erase' });
        assert.match(await token(), /^good-/, how);
      }
      const sent = asked().filter(({ scope = '', resource = '' }) => !`${scope}${resource}`.includes('admin')).map(({ refresh_token: one }) => one);
      assert.equal(new Set(sent).size, sent.length, 'no token was used twice');
    });
  }

  test('shows an ended login where it has ended', async () => {
    service.routes['/token'] = (request, response) => json(response, 400, { error: 'invalid_grant' });
    await person({ scope: 'read' });
    const { code, answer, stderr } = await get({ scope: 'more' });
    assert.deepEqual([code, answer.error], [3, 'login_required'], stderr);
    assert.deepEqual(asked().map(({ scope = '-' }) => scope), ['more', '-'], 'the account\'s own request shows it');
    assert.equal((await get()).code, 3);
    assert.equal(asked().length, 2, 'and nobody asks again');
    const [{ logged_in: loggedIn, state }] = JSON.parse((await world.must(['list', '--json'])).stdout).filter(({ account }) => account === name);
    assert.deepEqual([loggedIn, state], [false, 'refused']);
    assert.doesNotMatch((await world.must(['list'])).stdout.split('\n').find((line) => line.startsWith(name)), /logged in/);
  });
});

describe('a token that was refused', () => {
  const ways = [
    'Bearer realm="api", error="invalid_token"', 'Bearer realm="api"', 'Bearer', 'bearer realm="api",error="invalid_token"', 'Bearer error=expired_token',
    'Basic realm="api", Bearer realm="api"', 'Bearer realm="a,b", error_description="it, expired"', 'Negotiate', 'Bearer error="invalid_request"',
    'Bearer error="insufficient_user_authentication", acr_values="high", max_age="5"', 'Bearer error="insufficient_claims", claims="e30="',
  ];

  test('is another one for a machine, whatever the challenge says', async () => {
    await machine();
    let credential = await token();
    for (const challenge of ways) {
      const next = await token({ credential, wwwauth: [challenge] });
      assert.notEqual(next, credential, challenge);
      assert.equal(await token({ password: credential, wwwauth: [challenge] }), next, 'who comes later gets the new one');
      credential = next;
    }
    assert.equal(asked().length, ways.length + 1);
  });

  test('is another one for a person, or a login where only that helps', async () => {
    await person();
    let credential = await token();
    for (const challenge of ways) {
      const { code, answer, stderr } = await get({ credential, wwwauth: [challenge] });
      if (/insufficient/.test(challenge)) {
        assert.deepEqual([code, answer.error], [3, 'login_required'], challenge);
        assert.match(stderr, new RegExp(`ringbearer login ${name}`));
        assert.equal(await token(), credential, 'it is good for others');
      } else {
        assert.equal(code, 0, stderr);
        assert.notEqual(answer.credential, credential, challenge);
        credential = answer.credential;
      }
    }
  });

  test('does not come again where the service has no other', async () => {
    service.routes['/token'] = (request, response) => json(response, 200, { access_token: 'always-the-same', token_type: 'Bearer', expires_in: 600 });
    await machine();
    const refused = await get({ credential: await token(), wwwauth: ['Bearer'] });
    assert.deepEqual([refused.code, refused.answer.error, refused.answer.credential], [6, 'access_denied', undefined], refused.stderr);
    assert.equal(await token(), 'always-the-same', 'others may have it');
    const key = `${name}-key`;
    world.account(key, { provider: 'oauth2', grant: 'api_key', match: 'https://key.example.com/' });
    await world.request({ account: key, api_key: 'made-up-key' }, { verb: 'store' });
    const { code, answer, stderr } = await ask(world, { account: key, capability: ['authtype', 'error'], credential: 'made-up-key', wwwauth: ['Bearer'] });
    assert.deepEqual([code, answer.error, answer.credential], [6, 'client_rejected', undefined]);
    assert.match(stderr, new RegExp(`ringbearer secret ${key}`));
  });
});
