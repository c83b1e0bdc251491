// SPDX-License-Identifier: MIT
//
// The protocol against a real authorization server: expiry on the wire, erase and its limits, git as
// the caller, and the table of exit statuses. (3 waits for a person: modules.test.mjs has a module say it.)

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { MACHINE } from '../servers/fixtures.mjs';
import { addGeneric, closeWorld } from './lib/accounts.mjs';
import { itemsOf } from './lib/keyring-items.mjs';
import { ask, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

let world;
let counter = 0;
let name;

const fresh = async (extra, add = (account, keys) => world.addClientCredentials(account, keys)) => {
  counter += 1;
  name = unique(`status-${counter}`);
  await add(name, extra);
};
const freshAt = (folder) => fresh({ match: `${world.urls.a}/${folder}/` });
const minted = () => world.control.count('client_credentials');
const erase = async (keys) => {
  const { code, stdout, stderr } = await world.request(keys, { verb: 'erase' });
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
};
const linesOf = async (keys) => (await world.request(keys)).stdout.trim().split('\n').map((line) => line.split('=')[0]);

before(async () => { world = await World.create(); });
after(() => closeWorld(world));
beforeEach(() => world.control.reset());

describe('a token with an expiry', () => {
  test("the expiry is the server's, in every form that has one", async () => {
    await fresh({ username: 'robot' });
    const soonest = Math.floor(Date.now() / 1000) + 3600;
    assert.deepEqual(await linesOf({ account: name, capability: ['authtype'] }), [
      'capability[]', 'authtype', 'credential', 'ephemeral', 'password_expiry_utc', 'account', 'username',
    ]);
    assert.deepEqual(await linesOf({ account: name }), ['username', 'password', 'password_expiry_utc', 'account']);
    const { answer } = await world.request({ account: name });
    const expiry = Number(answer.password_expiry_utc);
    assert.ok(expiry >= soonest - 1 && expiry <= soonest + 10, `${expiry} is not ${soonest}`);
    assert.equal(answer.username, 'robot');
    const json = JSON.parse((await world.must(['get', `--account=${name}`, '--format=json'])).stdout);
    assert.deepEqual(json, { account: name, token_type: 'Bearer', access_token: answer.password, expires_at: expiry });
    assert.equal((await world.api('/rest/v2/segments', answer.password)).status, 200);
    assert.equal(await minted(), 1);
  });

  test('min_valid asks for more life, later requests for less', async () => {
    await fresh();
    await world.request({ account: name });
    await world.request({ account: name, min_valid: 3000 });
    assert.equal(await minted(), 1);
    await world.control.ttl({ access: 100 });
    await erase({ account: name });
    await world.request({ account: name, min_valid: 60 });
    await world.request({ account: name, min_valid: 60 });
    assert.equal(await minted(), 2);
    await pause(1100);
    assert.equal((await world.must(['get', `--account=${name}`, '--min-valid=99', '--format=token'])).code, 0);
    assert.equal(await minted(), 3);
  });

  test('erase drops the token that is named and no other', async () => {
    await freshAt('erased');
    const token = (await world.request({ account: name })).answer.password;
    const afterErasing = async (keys, expected) => {
      const start = await minted();
      await erase(keys);
      assert.equal((await world.request({ account: name })).code, 0);
      assert.equal(await minted() - start, expected, JSON.stringify(keys));
    };
    const where = { protocol: 'https', host: world.host('a'), path: 'erased/by/url' };
    await afterErasing({ account: name, password: 'another' }, 0);
    await afterErasing({ ...where, username: 'oauth2', credential: 'another' }, 0);
    await afterErasing({ protocol: 'https', host: 'elsewhere.example.test', password: token }, 0);
    await afterErasing({ account: name, password: token }, 1);
    await afterErasing({ account: name }, 1);
    await afterErasing(where, 1);
    const next = (await world.request({ account: name })).answer.password;
    await afterErasing({ ...where, authtype: 'Bearer', credential: next }, 1);
    assert.equal((await itemsOf(world, name)).length, 1, 'the secret stays');
  });
});

describe('git', () => {
  const settings = ['credential.helper=', 'credential.helper=ringbearer', 'credential.useHttpPath=true'].flatMap((one) => ['-c', one]);
  const git = (verb, input) => world.exec('git', [...settings, 'credential', verb], {
    input, env: { GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '' },
  });
  const present = async () => (await world.exec('git', ['--version']).catch(() => ({ code: 1 }))).code === 0;

  test('fills, stores and rejects with ringbearer as its helper', async (t) => {
    if (!await present()) return t.skip('git is not installed');
    await freshAt('git');
    const request = `protocol=https\nhost=${world.host('a')}\npath=git/repository.git\n`;
    const filled = await git('fill', `${request}\n`);
    assert.match(filled.stdout, /^username=oauth2$/m, filled.stderr);
    const token = /^password=(.*)$/m.exec(filled.stdout)[1];
    assert.equal((await world.api('/rest/v2/segments', token)).status, 200);
    const items = await itemsOf(world, name);
    const approved = await git('approve', `${request}username=oauth2\npassword=${token}\n\n`);
    assert.deepEqual([approved.code, approved.stdout, approved.stderr], [0, '', '']);
    assert.deepEqual(await itemsOf(world, name), items, 'what git stores is its own');
    assert.equal(/^password=(.*)$/m.exec((await git('fill', `${request}\n`)).stdout)[1], token);
    assert.deepEqual([(await git('reject', `${request}username=oauth2\npassword=${token}\n\n`)).code, await minted()], [0, 1]);
    assert.notEqual(/^password=(.*)$/m.exec((await git('fill', `${request}\n`)).stdout)[1], token);
    const nowhere = await git('fill', 'protocol=https\nhost=elsewhere.example.test\n\n');
    assert.deepEqual([nowhere.code, nowhere.stdout], [128, '']);
    return undefined;
  });
});

describe('exit statuses and errors on the wire', () => {
  const generic = (extra) => () => fresh(extra, (account, keys) => addGeneric(world, account, keys));
  const inFile = (text) => async () => {
    counter += 1;
    name = unique(`status-${counter}`);
    world.account(name, text);
  };
  const fault = (one) => async () => {
    await fresh();
    await world.control.fault({ count: 10, ...one });
  };
  const table = [
    ['no such account', 1, 'no_account', async () => { name = unique('status-nobody'); }],
    ['a name that is none', 2, 'usage', async () => { name = '-x'; }],
    ['a request that is none', 2, 'malformed_request', generic(), { min_valid: 'x' }],
    ['no such secret', 4, 'no_secret', inFile({ ...keyAccount })],
    ['nobody listens', 5, 'network', async () => generic({ token_endpoint: `http://127.0.0.1:${await World.freePort()}/token` })()],
    ['the server is down', 5, 'temporarily_unavailable', fault({ kind: '503' })],
    ['the secret is wrong', 6, 'client_rejected', async () => {
      await fresh();
      await world.control.regenerate(MACHINE.client_id);
    }],
    ['a scope that is not registered', 6, 'insufficient_scope', () => fresh(), { scope: 'write:everything' }],
    ['the address is not allowed', 6, /^(access_denied|forbidden)$/, async () => {
      await fresh();
      await world.control.app({ client_id: MACHINE.client_id, ip_ranges: ['192.0.2.0/24'] });
    }],
    ['an unknown key', 7, 'config', inFile('provider = oauth2\ngrant = api_key\nmach = https://x.test/\n')],
    ['no such provider', 7, 'config', inFile({ provider: 'nonsense', grant: 'api_key' })],
    ['no such grant', 7, 'module', inFile({ grant: 'nonsense' })],
    ['no such store', 7, 'module', inFile({ ...keyAccount, store: 'nonsense' })],
    ['an unknown authority', 7, 'tls', () => fresh({ tenant: world.host('a-rogue') })],
    ['nonsense for an answer', 8, 'malformed_response', fault({ kind: 'error', status: 200, body: 'nonsense' })],
  ];
  for (const [what, code, error, prepare, extra] of table) {
    test(`${what}: ${code}`, async () => {
      await prepare();
      const result = await ask(world, { account: name, ...extra });
      if (error instanceof RegExp) assert.match(result.answer.error, error);
      assertRefused(result, code, error instanceof RegExp ? result.answer.error : error);
      assert.deepEqual(Object.keys(result.answer).filter((key) => key !== 'retry_after'), ['error', 'error_description']);
      const quiet = await world.request({ account: name, ...extra });
      assert.deepEqual([quiet.code, quiet.stdout], [code, '']);
    });
  }
});
