// SPDX-License-Identifier: MIT
//
// KWallet as the keyring: without a wallet, with one that is closed, and open.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { PASSWORD, missing, startDesktop, startKWallet } from './lib/desktop.mjs';
import { helper } from './lib/git.mjs';
import { itemsOf } from './lib/keyring-items.mjs';
import { KEY, addKey, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const AT_ONCE = 3000; // milliseconds
const place = { protocol: 'https', host: 'git.example.com' };
const WINDOW = /^KDE Wallet Service/;
const ADA = { ...place, username: 'ada', password: 'first' };

describe('KWallet', { skip: missing('kwalletd5', 'Xvfb', 'xdotool') }, () => {
  let world;
  let desktop;
  let kwallet;
  const name = unique('kwallet');
  before(async () => {
    world = await World.create({ keyring: 'none', servers: false });
    desktop = await startDesktop(world);
    kwallet = await startKWallet(desktop, { wallet: false });
  });
  after(() => closeWorld(world));

  const silent = (result) => assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', '']);
  async function unseen(work) {
    const before = await desktop.windows();
    const result = await work();
    assert.deepEqual(await desktop.windows(), before);
    assert.ok(result.ms < AT_ONCE, `took ${result.ms} ms`);
    return result;
  }

  test('without a wallet nobody is asked for one who may not be', async () => {
    world.account(name, { ...keyAccount, timeout: 1 });
    assertRefused(await unseen(() => ask(world, { account: name })), 4, 'store_unavailable', /shows no keyring/);
    await unseen(() => world.must(['list']));
    const stored = await unseen(() => helper(world, 'store', ADA));
    assert.equal(stored.code, 4);
    assert.match(stored.stderr, /^ringbearer: [^\n]*setup git --interactive\S*\n$/);
  });

  test("its wizard has a person's time, others go on meanwhile, and no library says anything", async () => {
    const adding = world.run(['secret', name, '--secret-stdin'], { input: KEY });
    await desktop.shows(WINDOW);
    await unseen(() => world.must(['list']));
    await pause(1500); // the account has a second
    await desktop.type(WINDOW, '', 'Escape');
    const { code, stderr } = await adding;
    assert.equal(code, 4);
    assert.match(stderr, /^ringbearer: \S+: the keyring asks a person before it makes its first keyring, and its prompt was closed[^\n]*\n$/);
  });

  test('open since the login, which it calls locked: passwords and secrets, by titles that begin with whose they are', async () => {
    await kwallet.stop();
    kwallet = await startKWallet(desktop);
    await kwallet.open();
    silent(await unseen(() => helper(world, 'store', ADA)));
    silent(await unseen(() => helper(world, 'store', { ...ADA, password: 'second' })));
    assert.equal((await helper(world, 'get', place)).answer.password, 'second');
    assert.deepEqual((await itemsOf(world, 'https://git.example.com:443')).map(({ label }) => label), ['git.example.com: password of ada']);
    silent(await unseen(() => helper(world, 'erase', { ...ADA, password: 'second' })));
    assert.deepEqual([(await helper(world, 'get', place)).code, await itemsOf(world, 'https://git.example.com:443')], [1, []]);
    await addKey(world, `${name}-open`, { timeout: 1 });
    assert.deepEqual((await itemsOf(world, `${name}-open`)).map(({ label }) => label), [`${name}-open: API key`]);
    assert.equal((await askAfresh(world, `${name}-open`)).answer.password, KEY);
  });

  test('closed: locked at once and without a window; a person opens it in their own time', async () => {
    await kwallet.close();
    assertRefused(await unseen(() => askAfresh(world, `${name}-open`)), 4, 'store_locked', /locked/);
    await unseen(() => world.must(['list']));
    const asking = askAfresh(world, `${name}-open`, { interactive: 'auto' });
    await desktop.shows(WINDOW);
    await pause(1500);
    await desktop.type(WINDOW, PASSWORD, 'Return');
    const { code, answer, stderr } = await asking;
    assert.deepEqual([code, answer.password, stderr], [0, KEY, '']);
  });
});
