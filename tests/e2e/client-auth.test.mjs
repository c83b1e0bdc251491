// SPDX-License-Identifier: MIT
//
// What a token request looks like when it arrives: how the client proves itself, and with which
// parameters, headers and encoding.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DEVICE_CLI, FIELD_SERVICE, MACHINE, ODD_CREDENTIALS } from '../servers/fixtures.mjs';
import { addGeneric, afresh, closeWorld } from './lib/accounts.mjs';
import { basic } from './lib/http.mjs';
import { ask, assertRefused, assertToken } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('auth');
let world;
let control;

// The only token request that came in, with its form as [name, value] pairs.
async function request(tenant = 'a') {
  const [entry, ...more] = (await control.log(tenant)).filter(({ endpoint }) => endpoint === 'token');
  assert.deepEqual(more, [], 'one request, with one method');
  return { ...entry, form: [...new URLSearchParams(entry.body)] };
}

const names = ({ form }) => form.map(([name]) => name).sort();
const value = ({ form }, wanted) => form.filter(([name]) => name === wanted).map(([, one]) => one);

before(async () => {
  world = await World.create();
  control = world.control;
});
after(() => closeWorld(world));
beforeEach(() => control.reset());

// Tenant b does not know the client credentials grant: who gets as far as that has been let in.
async function atTenantB(name, client, keys = {}) {
  await addGeneric(world, name, { listener: 'b', client, client_auth: undefined, ...keys });
  return { result: await ask(world, name), entry: await request('b') };
}

function assertLetIn({ result, entry }) {
  assertRefused(result, { exit: 7, error: 'config' });
  assert.match(entry.error, /^(unsupported_grant_type|unauthorized_client)$/);
}

function assertKeptOut({ result, entry }) {
  assertRefused(result, { exit: 6, error: 'client_rejected' });
  assert.equal(entry.error, 'invalid_client');
}

describe('S3:101 client_secret_basic', () => {
  test('id and secret in the header alone; it is the default', async () => {
    const reply = await atTenantB(`${NAME}-basic`, FIELD_SERVICE);
    assertLetIn(reply);
    assert.equal(reply.entry.authorization, basic(FIELD_SERVICE).authorization);
    assert.deepEqual(names(reply.entry), ['grant_type']);
  });

  test('the example of RFC 6749', async () => {
    const client = { client_id: 's6BhdRkqt3', client_secret: '7Fjfp0ZBr1KtDRbnfVdmIw' };
    const { entry } = await atTenantB(`${NAME}-rfc`, client);
    assert.equal(entry.authorization, 'Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3');
  });

  test('odd characters are form-encoded first', async () => {
    const reply = await atTenantB(`${NAME}-odd`, ODD_CREDENTIALS);
    assertLetIn(reply);
    const pair = Buffer.from(reply.entry.authorization.replace(/^Basic /, ''), 'base64').toString();
    assert.equal(pair, 'fixture+b%3Aodd%2B%25:not%3Aa%2Bsecret%25%2F%3D%26%3F%23+~end');
  });

  test('basic_encoding = raw sends them as they are, which this server does not take', async () => {
    const reply = await atTenantB(`${NAME}-raw`, ODD_CREDENTIALS, { basic_encoding: 'raw' });
    assertRefused(reply.result, { exit: 7, error: 'config', says: /client_auth/ });
    assert.equal(reply.entry.error, 'invalid_request');
    const { client_id, client_secret } = ODD_CREDENTIALS;
    assert.equal(reply.entry.authorization, `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`);
  });

  test('all lengths of padding', async () => {
    for (const size of [4, 5, 6]) {
      const client = { client_id: 'pad', client_secret: 'not-a-secret'.slice(0, size) };
      await control.reset();
      const { entry } = await atTenantB(`${NAME}-pad-${size}`, client);
      assert.equal(entry.authorization, `Basic ${Buffer.from(`pad:${client.client_secret}`).toString('base64')}`);
    }
  });

  test('where the server wants the body, the header is refused and the body not tried', async () => {
    await addGeneric(world, `${NAME}-mistaken`, { client_auth: 'client_secret_basic' });
    assertRefused(await ask(world, `${NAME}-mistaken`), { exit: 6, error: 'client_rejected', says: /client_auth/ });
    const entry = await request();
    assert.deepEqual([entry.authorization !== undefined, names(entry)], [true, ['grant_type']]);
  });
});

describe('S2:52 client_secret_post', () => {
  test('id and secret in the body alone', async () => {
    await addGeneric(world, `${NAME}-post`);
    assertToken(await ask(world, `${NAME}-post`));
    const entry = await request();
    assert.equal(entry.authorization, undefined);
    assert.deepEqual(Object.fromEntries(entry.form), { grant_type: 'client_credentials', ...MACHINE });
    assert.deepEqual(names(entry), ['client_id', 'client_secret', 'grant_type']);
  });

  test('where the server wants the header, the body is refused and the header not tried', async () => {
    const reply = await atTenantB(`${NAME}-mistaken-b`, FIELD_SERVICE, { client_auth: 'client_secret_post' });
    assertKeptOut(reply);
    assert.equal(reply.entry.authorization, undefined);
  });

  test('S2:52 any printable secret arrives as it is', async () => {
    const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 0x20 + i));
    await addGeneric(world, `${NAME}-fuzz`);
    const secrets = [printable, '&=+%', '%41%zz', ' x ', '+', '\\"\'', ODD_CREDENTIALS.client_secret];
    for (const secret of secrets) {
      await control.reset();
      await control.app({ client_id: MACHINE.client_id, client_secret: secret });
      await world.must(['secret', `${NAME}-fuzz`, '--secret-stdin'], { input: `${secret}\n` });
      assertToken(await ask(world, `${NAME}-fuzz`), secret);
      assert.deepEqual(value(await request(), 'client_secret'), [secret]);
    }
  });
});

test('S3:51 a client without a secret: the id in the body, and the keyring is not asked', async () => {
  await world.keyring.lock();
  try {
    assertLetIn(await atTenantB(`${NAME}-none`, DEVICE_CLI, { client_auth: 'none' }));
  } finally {
    await world.keyring.unlock();
  }
  const entry = await request('b');
  assert.equal(entry.authorization, undefined);
  assert.deepEqual(Object.fromEntries(entry.form), { grant_type: 'client_credentials', ...DEVICE_CLI });
});

describe('parameters', () => {
  const sent = async (name, keys, asked = {}) => {
    await addGeneric(world, name, keys);
    assertToken(await ask(world, name, asked));
    return request();
  };

  test('S3:41 scopes are joined by blanks and encoded', async () => {
    const entry = await sent(`${NAME}-scope`, { scope: 'devices:read offline_access' });
    assert.match(entry.body, /(^|&)scope=devices%3Aread\+offline_access(&|$)/);
    assert.deepEqual(value(entry, 'scope'), ['devices:read offline_access']);
  });

  test('S2:10 send_scope = no keeps them at home, and blueconic says so by itself', async () => {
    assert.deepEqual(value(await sent(`${NAME}-unscoped`, { scope: 'read:segments', send_scope: 'no' }), 'scope'), []);
    await control.reset();
    await world.addClientCredentials(`${NAME}-blueconic`, { scope: 'read:segments' });
    assertToken(await ask(world, `${NAME}-blueconic`));
    assert.deepEqual(value(await request(), 'scope'), []);
  });

  test('the scope of the request goes before the account\'s', async () => {
    const entry = await sent(`${NAME}-asked`, { scope: 'read:segments write:segments' }, { scope: 'read:segments' });
    assert.deepEqual(value(entry, 'scope'), ['read:segments']);
  });

  test('resource may repeat, audience may not; nothing else does', async () => {
    const resource = ['https://api.example/one?x=1', 'https://api.example/two'];
    const entry = await sent(`${NAME}-resource`, { resource, audience: 'f\u00fcr & wider' });
    assert.deepEqual(value(entry, 'resource'), resource);
    assert.deepEqual(value(entry, 'audience'), ['f\u00fcr & wider']);
    assert.match(entry.body, /audience=f%C3%BCr\+%26\+wider/);
    const single = names(entry).filter((name) => name !== 'resource');
    assert.deepEqual(single, [...new Set(single)]);
  });

  test('the resources of the request go before the account\'s', async () => {
    const entry = await sent(`${NAME}-resources`, { resource: 'https://api.example/own' }, { resource: ['https://api.example/a', 'https://api.example/b'] });
    assert.deepEqual(value(entry, 'resource'), ['https://api.example/a', 'https://api.example/b']);
    await afresh(world, `${NAME}-resources`);
  });

  test('each scope and resource has a token of its own', async () => {
    await addGeneric(world, `${NAME}-several`);
    const get = async (keys) => assertToken(await ask(world, `${NAME}-several`, keys));
    const kinds = [{}, { scope: 'read:segments' }, { resource: ['https://api.example/a'] }, { resource: ['https://api.example/b'] }];
    const tokens = [];
    for (const keys of [...kinds, ...kinds]) tokens.push(await get(keys));
    assert.deepEqual(tokens.slice(4), tokens.slice(0, 4));
    assert.equal(new Set(tokens).size, 4);
  });

  test('S3:99 headers: a form that wants JSON, and nothing in the address', async () => {
    const { headers, url, method, body } = await sent(`${NAME}-headers`, {});
    assert.deepEqual([method, url], ['POST', '/rest/v2/oauth/token']);
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
    assert.equal(headers.accept, 'application/json');
    assert.equal(headers['content-length'], String(body.length));
    assert.match(headers['user-agent'], /^ringbearer\/\d/);
    assert.deepEqual(Object.keys(headers).sort(), ['accept', 'content-length', 'content-type', 'host', 'user-agent']);
  });
});
