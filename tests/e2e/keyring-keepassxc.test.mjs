// SPDX-License-Identifier: MIT
//
// KeePassXC as the keyring: it has a prompt for whatever is made or removed, and opens a window on any search while it is
// locked or shows nothing.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { missing, startDesktop, startKeePassXC } from './lib/desktop.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { helper } from './lib/git.mjs';
import { itemsOf } from './lib/keyring-items.mjs';
import { addPublic } from './lib/login-accounts.mjs';
import { KEY, addKey, ask, askAfresh, assertRefused, unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const AT_ONCE = 3000; // milliseconds; what was waited before was 5 seconds and more
const place = { protocol: 'https', host: 'git.example.com' };
const ADA = { ...place, username: 'ada', password: 'first' };
const REGISTRY = 'registry.example.com';

describe('KeePassXC', { skip: missing('keepassxc', 'keepassxc-cli', 'Xvfb', 'xdotool') }, () => {
  let world;
  let desktop;
  let keepassxc;
  const name = unique('keepassxc');
  const login = unique('keepassxc-login');
  before(async () => {
    world = await World.create({ keyring: 'none' });
    desktop = await startDesktop(world);
    keepassxc = await startKeePassXC(desktop);
  });
  after(() => closeWorld(world));

  const docker = (verb, input, link = 'docker-credential-ringbearer') => world.exec(link, [verb], {
    input: typeof input === 'string' ? input : JSON.stringify(input),
  });
  const silent = (result) => assert.deepEqual([result.code, result.stdout, result.stderr], [0, '', '']);
  const restart = async (options) => {
    await keepassxc.stop();
    keepassxc = await startKeePassXC(desktop, options);
  };
  // Nobody was asked anything, and nobody waited.
  async function unseen(work) {
    const before = await desktop.windows();
    const result = await work();
    assert.deepEqual(await desktop.windows(), before);
    assert.ok(result.ms < AT_ONCE, `took ${result.ms} ms`);
    return result;
  }

  test('git: a password is kept, replaced, handed out and removed; prompts that ask nothing end by themselves', async () => {
    silent(await unseen(() => helper(world, 'store', ADA)));
    silent(await unseen(() => helper(world, 'store', { ...ADA, password: 'second' })));
    const [item, ...others] = await itemsOf(world, 'https://git.example.com:443');
    assert.deepEqual(others, []);
    assert.equal(item.label, 'git.example.com: password of ada');
    assert.deepEqual([item.attributes.UserName, item.attributes.URL], ['ada', 'https://git.example.com:443/']);
    assert.equal((await helper(world, 'get', place)).answer.password, 'second');
    silent(await unseen(() => helper(world, 'erase', { ...ADA, password: 'second' })));
    assert.deepEqual(await itemsOf(world, 'https://git.example.com:443'), []);
  });

  test('docker: one password for each registry, written over', async () => {
    const put = (Username, Secret) => unseen(() => docker('store', { ServerURL: REGISTRY, Username, Secret }));
    const kept = async () => JSON.parse((await docker('get', REGISTRY)).stdout);
    silent(await put('ada', 'first'));
    const [first] = await itemsOf(world, `docker://${REGISTRY}:0`);
    silent(await put('ada', 'second'));
    assert.deepEqual((await itemsOf(world, `docker://${REGISTRY}:0`)).map((item) => item.path), [first?.path]);
    silent(await put('bob', 'third'));
    assert.deepEqual(await kept(), { ServerURL: REGISTRY, Username: 'bob', Secret: 'third' });
    assert.equal((await itemsOf(world, `docker://${REGISTRY}:0`)).length, 1);
    silent(await docker('erase', REGISTRY));
    assert.match((await docker('get', REGISTRY)).stdout, /not found/);
  });

  test('two logins and a token; no trial of the keyring is left in the recycle bin', async () => {
    await addPublic(world, login);
    for (let times = 0; times < 2; times += 1) {
      const { code, stderr } = await world.login(login);
      assert.deepEqual([code, stderr.includes('keyring')], [0, false], stderr);
    }
    assert.ok((await askAfresh(world, login)).answer.password, 'a renewal');
    assert.deepEqual((await itemsOf(world, login)).map(({ label }) => label), [`${login}: refresh token`]);
    const entries = await until(async () => {
      const listed = await keepassxc.entries();
      return listed.includes(`${login}: refresh token`) && listed;
    }, 'the database is on the disk');
    assert.equal(entries.filter((entry) => /no secret|probe/.test(entry)).length, 1, entries.join('\n'));
    assert.ok(!entries.some((entry) => /^Recycle Bin\/.*(no secret|probe|token)/.test(entry)), entries.join('\n'));
  });

  test('locked: an answer at once, no window, and the way out', async () => {
    await addKey(world, name, { timeout: 1 });
    await world.request({ account: login }, { verb: 'erase' });
    await keepassxc.lock();
    const listed = await unseen(() => world.must(['list', '--json']));
    assert.equal(JSON.parse(listed.stdout).find((each) => each.account === login).logged_in, undefined, 'nobody knows');
    assert.match((await unseen(() => world.run(['token', login]))).stderr, /^ringbearer: \S+: the keyring is locked; [^\n]*\n$/);
    assertRefused(await unseen(() => ask(world, { account: login })), 4, 'store_locked');
    for (const verb of ['get', 'store', 'erase']) {
      const refused = await unseen(() => helper(world, verb, verb === 'get' ? place : ADA));
      assert.deepEqual([refused.code, refused.stdout], [4, '']);
      assert.match(refused.stderr, /^ringbearer: the keyring is locked.*ringbearer setup git --interactive.*\n$/);
    }
    assert.match((await unseen(() => docker('get', REGISTRY))).stdout, /locked.*ringbearer-interactive/);
  });

  test("an open prompt has a person's time, not the account's `timeout`", async () => {
    const asking = askAfresh(world, name, { interactive: 'auto' });
    await desktop.shows(/^Unlock Database/);
    await pause(1500); // the account has a second
    await keepassxc.unlock();
    const { code, answer, stderr } = await asking;
    assert.deepEqual([code, answer.password, stderr], [0, KEY, '']);
    await keepassxc.lock();
    const stored = docker('store', { ServerURL: REGISTRY, Username: 'ada', Secret: 's' }, 'docker-credential-ringbearer-interactive');
    await desktop.shows(/^Unlock Database/);
    await keepassxc.unlock();
    silent(await stored);
  });

  test('a prompt that asks is withdrawn, and named with the way out', async () => {
    await restart({ settings: { FdoSecrets: { ConfirmDeleteItem: true }, Security: { NoConfirmMoveEntryToRecycleBin: false } } });
    silent(await helper(world, 'store', ADA));
    silent(await docker('store', { ServerURL: REGISTRY, Username: 'ada', Secret: 's' }));
    const erased = await helper(world, 'erase', ADA);
    assert.deepEqual([erased.code, erased.stdout], [4, '']);
    assert.match(erased.stderr, /^ringbearer: the keyring.* asks a person before it removes a secret, which was not removed.*ringbearer setup git --interactive.*\n$/);
    assert.equal((await helper(world, 'get', place)).answer.password, 'first');
    assert.match((await docker('erase', REGISTRY)).stdout, /asks a person.*ringbearer-interactive/);
  });

  test('an entry that nobody may read unasked: who lists sees its name, who wants it is told', async () => {
    await restart({ settings: { FdoSecrets: { ConfirmAccessItem: true } } });
    const listed = await unseen(() => world.must(['list', '--json']));
    assert.equal(JSON.parse(listed.stdout).find((each) => each.account === login).logged_in, true);
    assertRefused(await unseen(() => askAfresh(world, name)), 4, 'store_locked', /asks a person before it hands a secret out/);
    const asking = askAfresh(world, name, { interactive: 'auto' });
    await desktop.type(/Access Request/, '', 'Escape');
    assertRefused(await asking, 4, 'store_dismissed');
  });

  test('nothing shown to other programs: unavailable, at once and without a window', async () => {
    await restart({ exposed: false });
    assertRefused(await unseen(() => askAfresh(world, name)), 4, 'store_unavailable', /shows no keyring/);
    await unseen(() => world.must(['list']));
    const asked = await unseen(() => helper(world, 'get', place));
    assert.deepEqual([asked.code, asked.stdout, asked.stderr], [1, '', '']);
    const stored = await unseen(() => helper(world, 'store', ADA));
    assert.deepEqual([stored.code, /shows no keyring.*setup git --interactive/.test(stored.stderr)], [4, true], stored.stderr);
  });
});
