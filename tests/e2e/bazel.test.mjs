// SPDX-License-Identifier: MIT
//
// Bazel and others that follow EngFlow's credential helper specification. Bazel itself is in no distribution: its side of the
// conversation is played from the specification, and the README's line is read the way Bazel reads it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { oneAccount } from './lib/one-account.mjs';
import { block } from './lib/readme.mjs';
import { addKey, unique } from './lib/small-accounts.mjs';

const NAME = unique('bazel');
const PLACE = 'https://cache.example.test/remote/';
let world;

const [, PROGRAM] = /^common --credential_helper=[^=]+=(\S+)$/m.exec(block('bazel'));
const helper = (input, words = ['get'], options = {}) => world.exec(PROGRAM, words, { input, ...options });
const ask = (uri, more = {}) => helper(JSON.stringify({ uri, ...more }));
const asked = () => world.control.count('client_credentials');

async function headers(uri, more) {
  const { code, stdout, stderr } = await ask(uri, more);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

oneAccount(NAME, (made) => { world = made; }, { match: PLACE });

test('the real Bazel', { skip: 'bazel is in no distribution that these tests install from' });

describe('get', () => {
  test('has a header and its end', async () => {
    const { headers: given, expires, ...rest } = await headers(`${PLACE}a/b?c=d#e`, { later: { members: [1, true, null] } });
    assert.deepEqual([Object.keys(given), given.Authorization.length, rest], [['Authorization'], 1, {}]);
    const [, token] = /^Bearer (\S+)$/.exec(given.Authorization[0]);
    assert.equal((await world.api('/rest/v2/segments', token)).status, 200);
    const { answer } = await world.request({ account: NAME, capability: ['authtype'] });
    assert.equal(Date.parse(expires) / 1000, Number(answer.password_expiry_utc));
  });

  test('has no end where none is known, and any token in it', async () => {
    const token = '"\\q\'{}</s>';
    await addKey(world, unique('lasting'), { match: 'https://lasting.example.test/' }, token);
    assert.deepEqual(await headers('https://lasting.example.test/x'), { headers: { Authorization: [`Bearer ${token}`] } });
  });

  test('is an empty object where no account answers', async () => {
    for (const uri of ['https://cache.example.test/', 'https://elsewhere.example.test/remote/', 'http://cache.example.test/remote/', 'grpcs://cache.example.test']) {
      assert.deepEqual(await ask(uri).then(({ code, stdout, stderr }) => [code, stdout, stderr]), [0, '{}\n', ''], uri);
    }
  });

  test('is refused where the question is none', async () => {
    const wrong = ['', '{}', '[]', 'https://cache.example.test/remote/', '{"uri":1}', '{"uri":""}', '{"uri":"no"}', '{"uri":null}',
      `{"uri":"${PLACE}","uri":"${PLACE}"}`, `{"uri":"${PLACE}\\n"}`, `{"uri":"${PLACE}\\u0000"}`, `{"uri":"${PLACE}"} {}`, ' '.repeat(200000)];
    for (const input of wrong) {
      const { code, stdout, stderr } = await helper(input);
      assert.deepEqual([code, stdout], [2, ''], input.slice(0, 80));
      assert.match(stderr, /^ringbearer: [^\n]+; [^\n]+\n$/);
    }
    for (const words of [[], ['set'], ['get', 'get']]) assert.equal((await helper('{}', words)).code, 2);
  });

  test('fails where no token can be had', async () => {
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    const { code, stdout, stderr } = await ask(PLACE);
    assert.deepEqual([code, stdout], [6, '']);
    assert.match(stderr, /^ringbearer: bazel-\d+: [^\n]+\n$/);
  });

  test('again within seconds has a fresh token, and the module does not stand in its way', async () => {
    const token = async () => (await headers(PLACE)).headers.Authorization[0];
    const first = await token();
    const second = await token();
    assert.notEqual(second, first);
    assert.equal(await token(), second);
    assert.equal(await asked(), 2);
  });
});
