// SPDX-License-Identifier: MIT
//
// The Secret Service store against a real gnome-keyring that is open: what an item looks like, what
// binds it, which secrets are taken and which values believed. Its other states: store-states.test.mjs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { encoded, itemsOf, putValue, valueOf, watchCalls } from './lib/keyring-items.mjs';
import { KEY, PLACE, addKey, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const ENDPOINT = 'https://login.example.test/token';
const CLIENT = 'store-client';
const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i)).join('');
const KINDS = { client_secret: [ENDPOINT, 'client secret'], refresh_token: [ENDPOINT, 'refresh token'], api_key: [PLACE, 'API key'] };
const withClient = { ...keyAccount, client_id: CLIENT, token_endpoint: ENDPOINT };

const folderOf = (world) => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer', 'accounts');
const bound = (account, kind, client_id = CLIENT) => ({ account, kind, client_id, endpoint: KINDS[kind][0] });
const put = (world, account, secrets) => ask(world, { account, ...secrets }, { verb: 'store' });

describe('an open keyring', () => {
  let world;
  let name;
  let counter = 0;
  before(async () => { world = await World.create({ servers: false }); });
  after(() => closeWorld(world));
  const fresh = async (extra) => {
    counter += 1;
    name = await addKey(world, unique(`store-${counter}`), extra);
    return name;
  };
  const kept = async () => { assert.equal(await valueOf(world, { account: name }), encoded(KEY)); };

  test('an item has its attributes, its label and its value, whatever its kind', async () => {
    await fresh(withClient);
    for (const [kind, [endpoint, label]] of Object.entries(KINDS)) {
      assert.equal((await put(world, name, { [kind]: `value of ${kind}` })).code, 0);
      const found = (await itemsOf(world, name)).filter(({ attributes }) => attributes.kind === kind);
      assert.deepEqual(found.map(({ attributes }) => attributes), [
        { account: name, kind, client_id: CLIENT, endpoint, 'xdg:schema': 'org.ringbearer.Secret' },
      ]);
      assert.equal(found[0].label, `${name}: ${label}`);
      assert.equal(await valueOf(world, bound(name, kind)), encoded(`value of ${kind}`));
    }
  });

  test('replacing keeps one item', async () => {
    await fresh();
    const [first] = await itemsOf(world, name);
    for (const secret of ['second', 'third']) assert.equal((await put(world, name, { api_key: secret })).code, 0);
    assert.equal((await world.must(['secret', name, '--secret-stdin'], { input: 'fourth\n' })).stdout, `${name}: API key kept\n`);
    assert.deepEqual((await itemsOf(world, name)).map((item) => item.path), [first.path]);
    assert.equal((await ask(world, { account: name })).answer.password, 'fourth');
  });

  test('an item that is there is changed in place: creating makes some keyrings ask', async () => {
    await fresh();
    const calls = await watchCalls(world, async () => {
      assert.equal((await put(world, name, { api_key: 'second' })).code, 0);
    });
    assert.ok(calls.includes('SetSecret') && !calls.includes('CreateItem'), calls.join(' '));
    const created = await watchCalls(world, () => fresh());
    assert.ok(created.includes('CreateItem') && !created.includes('Lock'), created.join(' '));
  });

  test('several writers at once leave one item', async () => {
    await fresh();
    await world.request({ account: name, secret: 'all' }, { verb: 'erase' });
    const secrets = ['one', 'two', 'three', 'four'];
    await Promise.all(secrets.map((secret) => put(world, name, { api_key: secret })));
    assert.equal((await itemsOf(world, name)).length, 1);
    assert.ok(secrets.map(encoded).includes(await valueOf(world, { account: name })));
  });

  test('every printable character and 60 KB go there and back', async () => {
    await fresh();
    // Shifted by one and two, so that all of base64's letters come up.
    for (const secret of [PRINTABLE, ` ${PRINTABLE}`, `  ${PRINTABLE}`, 'k'.repeat(60000), '{braces} {REF:x} %41 $HOME ']) {
      assert.equal((await put(world, name, { api_key: secret })).code, 0);
      assert.equal(await valueOf(world, { account: name }), encoded(secret));
      assert.match(await valueOf(world, { account: name }), /^ringbearer1:[A-Za-z0-9_-]+=*$/);
      await world.must(['secret', name, '--secret-stdin'], { input: `${secret}\r\n` });
      assert.equal(await valueOf(world, { account: name }), encoded(secret), 'one line end is dropped');
    }
    await world.must(['secret', name, '--secret-stdin'], { input: 'k'.repeat(60000) });
    assert.equal((await ask(world, { account: name })).answer.password, 'k'.repeat(60000));
  });

  const refusals = {
    newline: 'one\ntwo', NUL: 'one\0two', empty: '', 'one line end alone': '\n', escape: 'one\x1b[2J', tab: 'one\ttwo',
    DEL: 'one\x7f', 'not ASCII': 'sécret', 'longer than 65000 bytes': 'k'.repeat(65001),
  };
  for (const [what, secret] of Object.entries(refusals)) {
    test(`S0:24 a secret is refused: ${what}`, async () => {
      await fresh();
      const result = await world.run(['secret', name, '--secret-stdin'], { input: secret });
      assert.deepEqual([result.code, result.stdout], [2, '']);
      assert.match(result.stderr, /^ringbearer: .*secret.*;.*\n$/);
      await kept();
      const flags = ['--provider=oauth2', '--grant=api_key', `--match=${PLACE}`, '--secret-stdin'];
      const added = await world.run(['add', `${name}-new`, ...flags], { input: secret });
      assert.equal(added.code, 2);
      assert.equal(fs.existsSync(path.join(folderOf(world), `${name}-new`)), false);
    });
  }

  test('the same on the wire', async () => {
    await fresh();
    for (const secret of ['', 'one\0two', 'one\rtwo', 'one\x1btwo', 'one\x7f', 'sécret', 'k'.repeat(65530)]) {
      const result = await put(world, name, { api_key: secret });
      assert.deepEqual([result.code, result.stdout === '' || result.answer.error === 'malformed_request'], [2, true]);
      assert.match(result.stderr, /^ringbearer: .+\n$/);
    }
    await kept();
  });

  test('store names account and kind, or nothing happens', async () => {
    await fresh();
    assert.deepEqual((({ code, stdout, stderr }) => [code, stdout, stderr])(await world.request({ api_key: 'x' }, { verb: 'store' })), [0, '', '']);
    const nobody = await world.request({ account: unique('store-nobody'), api_key: 'x' }, { verb: 'store' });
    assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
    await kept();
  });

  test('erase removes the kind that is named, remove all and the file', async () => {
    await fresh(withClient);
    const kinds = async () => (await itemsOf(world, name)).map(({ attributes }) => attributes.kind).sort();
    await put(world, name, { client_secret: 'a', refresh_token: 'b' });
    assert.deepEqual(await kinds(), ['api_key', 'client_secret', 'refresh_token']);
    for (const [kind, left] of [['refresh_token', ['api_key', 'client_secret']], ['client_secret', ['api_key']], ['api_key', []]]) {
      assert.equal((await world.request({ account: name, secret: kind }, { verb: 'erase' })).code, 0);
      assert.deepEqual(await kinds(), left);
    }
    const unknown = await world.request({ account: name, secret: 'password' }, { verb: 'erase' });
    assert.deepEqual([unknown.code, /`secret` names no kind/.test(unknown.stderr)], [2, true]);
    await put(world, name, { client_secret: 'a', refresh_token: 'b', api_key: 'c' });
    assert.equal((await world.request({ account: name, secret: 'all' }, { verb: 'erase' })).code, 0);
    assert.deepEqual(await kinds(), []);
    await put(world, name, { client_secret: 'a', refresh_token: 'b', api_key: 'c' });
    await world.must(['remove', name]);
    assert.deepEqual([await kinds(), fs.existsSync(path.join(folderOf(world), name))], [[], false]);
  });

  test('absent: says what is missing and what to do', async () => {
    await fresh();
    await world.request({ account: name, secret: 'all' }, { verb: 'erase' });
    assertRefused(await ask(world, { account: name }), 4, 'no_secret', new RegExp(`API key.*ringbearer secret ${name}`));
  });

  test('an API key is bound to the places of its account', async () => {
    const file = path.join(folderOf(world), await fresh());
    fs.appendFileSync(file, 'match = https://other.example.test/\n');
    assertRefused(await ask(world, { account: name }), 4, 'no_secret', /other\.example\.test/);
    assertRefused(await ask(world, { url: 'https://other.example.test/' }), 4, 'no_secret');
  });

  test('a client secret does not follow an edited endpoint', async () => {
    const seen = [];
    const listener = http.createServer((request, response) => { seen.push(request.url); response.end('{}'); });
    await new Promise((resolve) => { listener.listen(0, '127.0.0.1', resolve).unref(); });
    const elsewhere = `http://127.0.0.1:${listener.address().port}/token`;
    name = unique('store-moved');
    const keys = { provider: 'oauth2', grant: 'client_credentials', client_id: CLIENT, match: PLACE };
    await world.add(name, { ...keys, token_endpoint: ENDPOINT }, 'the secret');
    world.account(name, { ...keys, token_endpoint: elsewhere });
    const result = await ask(world, { account: name });
    listener.close();
    assert.deepEqual(seen, []);
    assertRefused(result, 4, 'no_secret', new RegExp(`no client secret for ${CLIENT} at ${elsewhere}`));
    world.account(name, { ...keys, client_id: 'another', token_endpoint: ENDPOINT });
    assertRefused(await ask(world, { account: name }), 4, 'no_secret', /for another at/);
  });

  const foreign = {
    'no prefix': 'plain', 'another version': 'ringbearer2:YQ==', 'nothing in it': 'ringbearer1:',
    'letters outside base64url': 'ringbearer1:@@@@', 'cut short': 'ringbearer1:c2VjcmV', 'a control character in it': 'ringbearer1:YRti',
  };
  for (const [what, value] of Object.entries(foreign)) {
    test(`a value that ringbearer did not write: ${what}`, async () => {
      await fresh(withClient);
      await world.request({ account: name, secret: 'all' }, { verb: 'erase' });
      await putValue(world, bound(name, 'api_key'), value);
      assertRefused(await ask(world, { account: name }), 4, 'store_unavailable', /not one that ringbearer wrote/);
    });
  }

  test('G_MESSAGES_DEBUG=all leaves stdout to the answer', async () => {
    await fresh();
    const { code, answer } = await askAfresh(world, name, {}, { env: { G_MESSAGES_DEBUG: 'all' } });
    assert.deepEqual([code, Object.keys(answer)], [0, ['username', 'password', 'account']]);
  });

  const traps = {
    SNAP_NAME: 'editor', SECRET_BACKEND: 'nonsense', 'SECRET_BACKEND ': 'file', SECRET_SERVICE_BUS_NAME: 'org.example.none',
  };
  for (const [variable, value] of Object.entries(traps)) {
    test(`${variable.trim()}=${value} changes nothing`, async () => {
      const env = { [variable.trim()]: value, SECRET_FILE_TEST_PATH: `${world.dir}/file.keyring`, SECRET_FILE_TEST_PASSWORD: 'x' };
      await fresh();
      const result = await askAfresh(world, name, {}, { env, timeout: 5000 });
      assert.deepEqual([result.code, result.answer.password, result.stderr], [0, KEY, '']);
      assert.ok(result.ms < 2000, `took ${result.ms} ms`);
      await world.must(['secret', name, '--secret-stdin'], { input: 'other', env, timeout: 5000 });
      assert.equal(await valueOf(world, { account: name }), encoded('other'));
      assert.equal(fs.existsSync(env.SECRET_FILE_TEST_PATH), false);
    });
  }
});
