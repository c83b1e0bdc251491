// SPDX-License-Identifier: MIT
//
// One token request, however many ask: single flight, verdicts that are shared, tokens that a server
// refuses, and tokens that callers drop. What time does to a token: ageing.test.mjs. Two hundred callers at
// the moment of expiry, from environments of their own: tests/faults/crowd.test.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MACHINE } from '../servers/fixtures.mjs';
import { addGeneric, edit } from './lib/accounts.mjs';
import { agreed, crowd } from './lib/crowd.mjs';
import { oneAccount } from './lib/one-account.mjs';
import { ask, assertRefused, assertToken } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';

const NAME = unique('renewal');
const EVERYTHING = { account: NAME, capability: ['authtype', 'error'] };
let world;
let control;

const asked = () => control.count('client_credentials');
const get = async (keys) => assertToken(await ask(world, NAME, keys));
const erase = (keys) => world.request(keys, { verb: 'erase' });
const giveSecret = () => world.must(['secret', NAME, '--secret-stdin'], { input: MACHINE.client_secret });

// With time for two attempts and no third.
async function impatient(body) {
  edit(world, NAME, 'timeout', '1');
  await body();
  edit(world, NAME, 'timeout', undefined);
}

oneAccount(NAME, (made) => { world = made; control = made.control; });

describe('a crowd makes one request', () => {
  test('callers who ask for the same in different ways', async () => {
    await control.fault({ kind: 'delay', seconds: 0.5 });
    const url = { protocol: 'https', host: world.host('a'), path: 'rest/v2', capability: ['authtype'] };
    const results = await Promise.all([crowd(world, 10, EVERYTHING), crowd(world, 10, url), crowd(world, 10, { ...EVERYTHING, min_valid: 60 })]);
    agreed(results.flat());
    assert.equal(await asked(), 1);
  });

  test('a refusal is everybody\'s', async () => {
    await control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    const results = await crowd(world, 50, EVERYTHING);
    assert.equal(agreed(results, 'error'), 'client_rejected');
    assert.ok(results.every(({ code }) => code === 6));
    assert.equal(await asked(), 1);
  });

  test('a failure of the network is theirs who waited, and nobody\'s afterwards', async () => {
    await control.fault({ kind: 'reset_before', count: 3 });
    const results = await crowd(world, 20, EVERYTHING);
    assert.equal(agreed(results, 'error'), 'network');
    assert.equal(await asked(), 3, 'one caller tried, three times');
    await get();
    assert.equal(await asked(), 4);
  });

  test('other accounts do not wait', async () => {
    await addGeneric(world, `${NAME}-other`, { match: `${world.urls.a}/other/` });
    await control.fault({ kind: 'delay', seconds: 1.5 });
    const slow = get();
    await until(asked, 'the slow request is under way');
    const quick = await ask(world, `${NAME}-other`);
    assert.notEqual(assertToken(quick), await slow);
    assert.ok(quick.ms < 1200, `${quick.ms} ms`);
  });
});

describe('a verdict counts for a minute', () => {
  const refuse = async () => {
    await control.fault({ kind: 'error', error: 'invalid_client', status: 401 });
    assertRefused(await ask(world, NAME), { exit: 6, error: 'client_rejected' });
    for (let i = 0; i < 3; i += 1) assertRefused(await ask(world, NAME), { exit: 6, error: 'client_rejected', says: /invalid_client/ });
    assert.equal(await asked(), 1);
  };

  const ends = {
    '`secret`': giveSecret,
    '`store`': () => world.request({ account: NAME, client_secret: MACHINE.client_secret }, { verb: 'store' }),
    'a change of the account file': () => edit(world, NAME, 'audience', 'x'.repeat(1 + Math.random() * 60)),
    '`refresh`': () => world.must(['refresh', NAME]),
    '`erase`': () => erase({ account: NAME }),
  };
  for (const [what, end] of Object.entries(ends)) {
    test(`or until ${what}`, async () => {
      await refuse();
      await end();
      await get();
      assert.equal(await asked(), 2);
    });
  }

  test('`refresh` asks each time', async () => {
    await refuse();
    await control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 2 });
    for (let i = 0; i < 2; i += 1) assert.equal((await world.run(['refresh', NAME])).code, 6);
    assert.equal(await asked(), 3);
  });

  const passing = { network: { kind: 'close_before', count: 2 }, nonsense: { kind: 'html200' }, busy: { kind: '503', count: 2 } };
  for (const [what, fault] of Object.entries(passing)) {
    test(`but not one of ${what}`, async () => {
      await control.fault(fault);
      await impatient(async () => assert.ok((await ask(world, NAME)).code >= 5));
      await get();
    });
  }
});

describe('a token that the server refuses', () => {
  const invalid = ['Bearer realm="api", error="invalid_token", error_description="gone"'];

  test('S0:33 is renewed once for 50 callers who name it', async () => {
    const credential = await get();
    const results = await crowd(world, 50, { ...EVERYTHING, wwwauth: invalid, credential });
    assert.notEqual(agreed(results), credential);
    assert.equal(await asked(), 2);
    assert.equal(await get({ wwwauth: invalid, password: credential }), agreed(results), 'who comes later gets the new one');
    assert.equal(await asked(), 2);
  });

  test('and hardly more often for 50 who do not', async () => {
    const credential = await get();
    const results = await crowd(world, 50, { ...EVERYTHING, wwwauth: invalid });
    for (const result of results) assert.notEqual(assertToken(result), credential);
    const count = await asked(); // who looks up only after the renewal cannot know that it was one
    assert.ok(count >= 2 && count <= 5, `${count} requests`);
  });

  test('is not handed out again after the renewal failed', async () => {
    const credential = await get();
    await control.fault({ kind: 'close_before', count: 9 });
    assertRefused(await ask(world, NAME, { wwwauth: invalid, credential }), { exit: 5, error: 'network' });
    await control.clearFaults();
    assert.notEqual(await get(), credential);
  });

  const harmless = {
    'no error': 'Bearer realm="api"', 'another scheme': 'Negotiate realm="error=invalid_token"',
    'the words in a text': 'Bearer realm="x, error=invalid_token"', 'another error': 'Bearer error="invalid_request"',
  };
  for (const [what, challenge] of Object.entries(harmless)) {
    test(`unless the challenge says something else: ${what}`, async () => {
      assert.equal(await get(), await get({ wwwauth: [challenge] }));
      assert.equal(await asked(), 1);
    });
  }

  test('one challenge among several, in other letters', async () => {
    const credential = await get();
    assert.notEqual(await get({ wwwauth: ['Basic realm="x"', 'bearer ERROR=invalid_token'] }), credential);
  });
});

describe('a scope that the server wants', () => {
  const wants = (scope) => ({ wwwauth: [`Bearer error="insufficient_scope", scope="${scope}"`] });

  test('is asked for where the account lets servers ask for it, beside the account\'s own', async () => {
    const name = `${NAME}-scope`;
    await addGeneric(world, name, { scope: 'read:segments', challenge_scope: 'read:interactions write:all', match: `${world.urls.a}/scope/` });
    const plain = assertToken(await ask(world, name));
    const wide = assertToken(await ask(world, name, wants('read:interactions')));
    assert.notEqual(wide, plain);
    const scopes = (await control.log()).map(({ body }) => new URLSearchParams(body).get('scope'));
    assert.deepEqual(scopes, ['read:segments', 'read:segments read:interactions']);
    assert.equal(assertToken(await ask(world, name)), plain, 'the other token stays');
    assert.equal(assertToken(await ask(world, name, wants('read:interactions'))), wide);
    await control.fault({ kind: 'set', set: { scope: 'read:segments' } });
    assertRefused(await ask(world, name, wants('write:all')), { exit: 6, error: 'insufficient_scope', says: [/`read:segments`/, /write:all/] });
  });

  test('is not asked for where the service fixes scopes, or where none is named', async () => {
    const token = await get();
    edit(world, NAME, 'send_scope', 'no');
    assertRefused(await ask(world, NAME, wants('write:all')), { exit: 6, error: 'insufficient_scope', says: /write:all/ });
    edit(world, NAME, 'send_scope', undefined);
    assertRefused(await ask(world, NAME, { wwwauth: ['Bearer error=insufficient_scope'] }), { exit: 6, error: 'insufficient_scope' });
    assert.ok(token);
    assert.equal(await asked(), 1);
  });
});

describe('erase', () => {
  const place = () => ({ protocol: 'https', host: world.host('a'), path: 'rest/v2/segments' });
  const keeps = { 'of another token': () => ({ account: NAME, credential: 'another' }), 'of another password, by URL': () => ({ ...place(), password: 'another' }) };
  const drops = {
    'of the refused token': (token) => ({ account: NAME, credential: token }),
    'of nothing named': () => ({ account: NAME }),
    'by URL': () => place(),
    'of the refused token as git does it': (token) => ({ ...place(), username: 'oauth2', password: token }),
  };
  for (const [what, keys] of Object.entries({ ...keeps, ...drops })) {
    test(`${what} ${what in keeps ? 'keeps' : 'drops'} the cached one`, async () => {
      const token = await get();
      const { code, stdout, stderr } = await erase(keys(token));
      assert.deepEqual([code, stdout, stderr], [0, '', '']);
      assert.equal(await get() === token, what in keeps);
      assert.equal(await asked(), what in keeps ? 1 : 2, 'the secret stays in any case');
    });
  }
});
